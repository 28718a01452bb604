package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// crowd measures the program on a machine with 100 containers of 100 processes each, which sleep.
func crowd(program, rules string) error {
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/unified/cgroup.controllers"); err == nil {
		root += "/unified"
	}
	base := filepath.Join(root, "bulwark-bench")
	defer disperse(base)
	const containers, each = 100, 100
	for i := range containers {
		if err := gather(filepath.Join(base, fmt.Sprintf("%064x", i+1)), each); err != nil {
			return err
		}
	}
	w, err := begin(program, rules)
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	before := ticks(w.cmd.Process.Pid)
	const whole = 10 * time.Second
	time.Sleep(whole)
	share := float64(ticks(w.cmd.Process.Pid)-before) / 100 / whole.Seconds()
	now, peak := memory(w.cmd.Process.Pid, "VmRSS:"), memory(w.cmd.Process.Pid, "VmHWM:")
	if _, err := w.end(); err != nil {
		return err
	}
	fmt.Printf("crowd      %d containers, %d processes: %.0f MB (at most %.0f), %.2f %% of a processor, ready after %d ms\n", containers, containers*each, now, peak, 100*share, w.ready.Milliseconds())
	return nil
}

// gather has that many processes sleep in a control group of their own.
func gather(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", fmt.Sprintf("echo $$ > cgroup.procs || exit; i=1; while [ $i -lt %d ]; do sleep 1000 & i=$((i+1)); done", n))
	cmd.Dir = dir
	return cmd.Run()
}

// disperse ends all processes below a control group, and removes it.
func disperse(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, "*"))
	for _, dir := range dirs {
		_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	}
	for range 100 {
		for _, dir := range dirs {
			_ = os.Remove(dir)
		}
		if err := os.Remove(base); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// memory is a figure of a process's status, in MB.
func memory(pid int, name string) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), name)
	kb, _ := strconv.ParseFloat(cmp.Or(strings.Fields(rest + " 0")[0], "0"), 64)
	return kb * 1024 / 1e6
}

// ticks is the time of processors that a process took, in hundredths of a second.
func ticks(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}
