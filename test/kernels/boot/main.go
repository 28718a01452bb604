//go:build linux

// Command boot is the first process of a machine that test/kernels starts: it mounts what a node has,
// runs the programs in /tests one after another, prints how each ended, and switches the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Println("boot: to be run as the first process of a virtual machine")
		os.Exit(2)
	}
	if os.Getenv("BOOTED") == "" {
		mounts()
		// Libraries read /proc when they are initialized: once more, now that it is there.
		if err := syscall.Exec("/init", os.Args, append(os.Environ(), "BOOTED=1", "PATH=/bin:/sbin", "HOME=/root", "TMPDIR=/tmp")); err != nil {
			fmt.Println("boot: starting again:", err)
		}
	}
	modules()
	tests, _ := filepath.Glob("/tests/*.test")
	for _, t := range tests {
		run(t)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func mounts() {
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tracefs", "/sys/kernel/tracing"}, {"bpf", "/sys/fs/bpf"},
		{"securityfs", "/sys/kernel/security"}, {"cgroup2", "/sys/fs/cgroup"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"},
	} {
		os.MkdirAll(m.at, 0o755)
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			fmt.Printf("boot: mounting %s: %v\n", m.at, err)
		}
	}
	os.MkdirAll("/dev/shm", 0o777)
	unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "")
	unix.Sethostname([]byte("node"))
	loopback()
}

// loopback brings lo up, which tests connect over.
func loopback() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if r, err := unix.NewIfreq("lo"); err == nil {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
	}
}

func modules() {
	files, _ := filepath.Glob("/modules/*")
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		flags := 0
		if !strings.HasSuffix(name, ".ko") {
			flags = unix.MODULE_INIT_COMPRESSED_FILE
		}
		if err := unix.FinitModule(int(f.Fd()), "", flags); err != nil {
			fmt.Printf("boot: loading %s: %v\n", name, err)
		}
		f.Close()
	}
}

// run runs one test program as go test would, and tells how it ended. Beside it is which of its tests are meant.
func run(name string) {
	began := time.Now()
	which, _ := os.ReadFile(name + ".run")
	cmd := exec.Command(name, "-test.v", "-test.short", "-test.timeout=5m", "-test.run="+string(which))
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/tmp", os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "BULWARK_KERNEL_TEST=1")
	err := cmd.Run()
	code := -1
	if cmd.ProcessState != nil {
		code = cmd.ProcessState.ExitCode()
	}
	fmt.Printf("\nboot: %s ended with %d after %.1fs (%v)\n", filepath.Base(name), code, time.Since(began).Seconds(), err)
}
