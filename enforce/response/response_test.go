//go:build linux

package response

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

func needRoot(t *testing.T) *Responder {
	t.Helper()
	need.Root(t)
	r := &Responder{}
	for _, a := range r.Abilities() {
		if a.Why != "" {
			need.Missing(t, "%s: %s", a.Name, a.Why)
		}
	}
	return r
}

// run starts a command and gives the first line that it says.
func run(t *testing.T, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewReader(out)
}

func number(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// ended waits until a process has gone.
func ended(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

func TestKillTree(t *testing.T) {
	cmd, out := run(t, "(sleep 1000 & echo $!; (sleep 1000 & echo $!; wait) & echo $!; wait) & echo $!; wait")
	var family []int
	for range 4 {
		family = append(family, number(t, out))
	}
	r := &Responder{}
	start := statOf(cmd.Process.Pid).Start
	if _, err := r.KillTree(t.Context(), cmd.Process.Pid, start+5*tick); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("another's number: %v", err)
	}
	for _, pid := range family {
		if !alive(pid) {
			t.Errorf("%d was killed for another", pid)
		}
	}
	dead, err := r.KillTree(t.Context(), cmd.Process.Pid, start+3_000_000)
	if err != nil || len(dead) != 5 || dead[0].PID != cmd.Process.Pid || dead[0].Name != "sh" {
		t.Errorf("%v %v", dead, err)
	}
	cmd.Wait()
	for _, pid := range family {
		ended(t, pid)
	}
	if _, err := r.KillTree(t.Context(), cmd.Process.Pid, start); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("the dead: %v", err)
	}
}

// A tree that grows while it is cut down leaves nothing.
func TestKillForking(t *testing.T) {
	cmd, out := run(t, "f() { while :; do sh -c 'sleep 1000 & wait' & sleep 0.001; done; }; f & f & f & echo 1; wait")
	number(t, out)
	pid := cmd.Process.Pid
	unix.Setpgid(pid, pid)
	dead, err := (&Responder{}).KillTree(t.Context(), pid, statOf(pid).Start)
	if err != nil || len(dead) < 4 {
		t.Errorf("%d %v", len(dead), err)
	}
	cmd.Wait()
	for _, v := range dead {
		ended(t, v.PID)
	}
}

// What ended by itself was not killed, though nobody has asked for its end yet.
func TestEndedAlready(t *testing.T) {
	r := needRoot(t)
	cmd, said := run(t, "sleep 0.01 & echo $!; exec sleep 100") // which asks for nobody's end
	child := number(t, said)
	for end := time.Now().Add(5 * time.Second); statOf(child).Start != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not end")
		}
	}
	if dead, err := r.KillTree(t.Context(), child, 0); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("%v %v", dead, err)
	}
	stopped, err := r.StopTree(t.Context(), cmd.Process.Pid, 0)
	if err != nil || len(stopped) != 1 || stopped[0].Name != "sleep" {
		t.Errorf("%v %v", stopped, err)
	}
}

func TestSpared(t *testing.T) {
	r := &Responder{}
	for _, pid := range []int{-1, 0, 1, os.Getpid(), os.Getppid()} {
		if _, err := r.KillTree(t.Context(), pid, 0); !errors.Is(err, bulwark.ErrUnsupported) {
			t.Errorf("%d: %v", pid, err)
		}
	}
	for _, path := range []string{"/", "", "/..", "."} {
		if err := r.Freeze(t.Context(), path); !errors.Is(err, bulwark.ErrUnsupported) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := r.Freeze(t.Context(), "/no/such/cgroup"); err == nil {
		t.Error("no such cgroup was frozen")
	}
}

// container makes a cgroup in a hierarchy, with processes in it and below it.
func container(t *testing.T, hierarchy group) (path string, first *exec.Cmd, out *bufio.Reader) {
	t.Helper()
	path = fmt.Sprintf("/bulwark-response-%d", os.Getpid())
	dir := filepath.Join(hierarchy.dir, path)
	if err := os.MkdirAll(filepath.Join(dir, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(filepath.Join(dir, "below"))
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	first, out = run(t, fmt.Sprintf("echo $$ > %[1]s/cgroup.procs; (echo 0 > %[1]s/below/cgroup.procs; sleep 1000) & echo $!; while read x; do echo 7; done; wait", dir))
	return path, first, out
}

func TestContainer(t *testing.T) {
	r := needRoot(t)
	for _, h := range r.roots() {
		t.Run(h.file(), func(t *testing.T) {
			path, cmd, out := container(t, h)
			child := number(t, out)
			if err := r.Freeze(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			groups, err := r.find(path)
			if err != nil || len(groups) != 1 || !groups[0].frozen() {
				t.Errorf("%v %v", groups, err)
			}
			if err := r.Thaw(path); err != nil || groups[0].frozen() {
				t.Errorf("thawing: %v", err)
			}
			dead, err := r.KillContainer(t.Context(), path)
			if err != nil || len(dead) < 2 {
				t.Errorf("killed %v: %v", dead, err)
			}
			cmd.Wait()
			ended(t, child)
			for end := time.Now().Add(5 * time.Second); len(groups[0].processes()) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
		})
	}
}

func TestFreezeCancelled(t *testing.T) {
	r := needRoot(t)
	for _, h := range r.roots() {
		path, cmd, out := container(t, h)
		number(t, out)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := r.Freeze(ctx, path)
		groups, _ := r.find(path)
		if err != nil && groups[0].frozen() {
			t.Errorf("%s: given up, and still frozen: %v", h.file(), err)
		}
		if _, err := r.KillContainer(t.Context(), path); err != nil {
			t.Error(err)
		}
		cmd.Wait()
		for end := time.Now().Add(5 * time.Second); len(groups[0].processes()) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		os.Remove(filepath.Join(groups[0].dir, "below"))
		os.Remove(groups[0].dir)
		os.MkdirAll(groups[0].dir, 0o755) // for the clean-up
	}
}
