//go:build amd64 || arm64

package calls

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

// unified is where the control groups of the second version are.
func unified(t *testing.T) string {
	t.Helper()
	need.Root(t)
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if unix.Statfs(root, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			return root
		}
	}
	need.Missing(t, "control groups of version 2")
	return ""
}

// TestLive holds that each first use in a cgroup with namespaces of its own is told once, and that of those on the node none is.
func TestLive(t *testing.T) {
	dir := filepath.Join(unified(t), "bulwark-calls-test")
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		need.Missing(t, "a control group: %v", err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := New()
	ready, done := make(chan struct{}), make(chan error, 1)
	seen := make(chan [3]string, 1000)
	go func() {
		done <- s.Run(ctx, bulwark.Interest{bulwark.KindSyscallUsed: nil, bulwark.KindCapabilityUsed: nil}, func() { close(ready) }, func(list []bulwark.Event) error {
			for _, e := range list {
				if e.Kind != bulwark.KindDrop && e.Process.Cgroup == st.Ino {
					name, _ := e.Arg("name")
					comm, _ := e.Arg("comm")
					seen <- [3]string{e.Kind.String(), string(name.Text), string(comm.Text)}
				}
			}
			return nil
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		need.Missing(t, "what the sensor needs: %v", err)
	}
	for range 2 {
		cmd := exec.Command("/bin/sh", "-c", "umask 077; chown 1:1 /proc/self/../../tmp/bulwark-calls-none 2>/dev/null; mkdir "+t.TempDir()+"/a && chown 65534 "+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd()), Unshareflags: syscall.CLONE_NEWNS}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	got, late := map[[2]string]int{}, time.After(20*time.Second)
	for got[[2]string{"syscall_used", "umask"}] == 0 || got[[2]string{"syscall_used", "exit_group"}] == 0 || seesCapabilities() && got[[2]string{"capability_used", "CAP_CHOWN"}] == 0 {
		select {
		case one := <-seen:
			if one[2] == "sh" || one[2] == "chown" {
				got[[2]string{one[0], one[1]}]++
			}
		case <-late:
			t.Fatalf("not all was told: %v", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for what, n := range got {
		if n > 2 { // another thread may have lost the bit
			t.Errorf("%s is told %d times", strings.Join(what[:], " "), n)
		}
	}
	if c := s.Counts()[0]; c.Sent == 0 || c.Dropped != 0 {
		t.Errorf("counts %+v", c)
	}
	t.Logf("%d first uses", len(got))
}

// TestCost tells what a system call takes with and without the sensor, in a cgroup of its own and on the node. It holds nothing: other
// work on the machine would.
func TestCost(t *testing.T) {
	if os.Getenv("CALLS_COST") == "" {
		t.Skip("CALLS_COST is not set: it measures")
	}
	dir := filepath.Join(unified(t), "bulwark-calls-cost")
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		need.Missing(t, "a control group: %v", err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	cost := func(what string) {
		for _, inside := range []bool{false, true} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCalls$")
			cmd.Env = append(os.Environ(), "CALLS_LOOP=1")
			if inside {
				cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd()), Unshareflags: syscall.CLONE_NEWNS}
			}
			out, err := cmd.CombinedOutput()
			t.Logf("%s, in a container %v: %s %v", what, inside, strings.SplitN(string(out), "\n", 2)[0], err)
		}
	}
	cost("without")
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- New().Run(ctx, bulwark.Interest{bulwark.KindSyscallUsed: nil, bulwark.KindCapabilityUsed: nil}, func() { close(ready) }, func([]bulwark.Event) error { return nil })
	}()
	<-ready
	cost("with")
	cancel()
	<-done
	cost("without")
}

// TestCalls is what TestCost measures.
func TestCalls(t *testing.T) {
	if os.Getenv("CALLS_LOOP") == "" {
		t.Skip("a part of TestCost")
	}
	best := time.Hour
	for range 400 {
		began := time.Now()
		for range 2000 {
			syscall.Getppid()
		}
		best = min(best, time.Since(began))
	}
	os.Stdout.WriteString((best / 2000).String() + " a call\n")
}
