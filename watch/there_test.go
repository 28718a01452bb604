package watch_test

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"bulwark"
	"bulwark/internal/need"
	"bulwark/source/kernel"
	"bulwark/watch/internal/proc"
)

// TestProcessesAreThoseOfProc holds what the kernel lists to what /proc tells, of all processes of this machine.
func TestProcessesAreThoseOfProc(t *testing.T) {
	needsKernel(t)
	sleeper := exec.Command("sleep", "60")
	sleeper.Dir = t.TempDir()
	if err := sleeper.Start(); err != nil {
		need.Missing(t, "sleep: %v", err)
	}
	t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
	var listed kernel.Processes
	defer listed.Close()
	list, err := listed.List()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, bulwark.ErrUnsupported) {
		need.Missing(t, "a kernel that lists its processes: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := proc.NewReader(proc.FS{})
	equal, seen := 0, map[int]bool{}
	for _, p := range list {
		want, err := r.Process(p.PID)
		if err != nil || want.Name != p.Name { // it ended, or executed something else
			continue
		}
		if seen[p.PID] {
			t.Errorf("%d %s is listed twice", p.PID, p.Name)
		}
		seen[p.PID] = true
		r.Texts(&p)
		const tick = 1e7
		if p.Start/tick != want.Start/tick {
			t.Errorf("%d %s: start %d, /proc has %d", p.PID, p.Name, p.Start, want.Start)
		}
		p.Start = want.Start
		p.File = bulwark.Program{Inode: p.File.Inode, Device: p.File.Device, Changed: p.File.Changed, Modified: p.File.Modified, Memory: p.File.Memory, Deleted: p.File.Deleted}
		if !reflect.DeepEqual(p, want) {
			t.Errorf("%d %s:\n%+v, /proc has\n%+v", p.PID, p.Name, p, want)
			continue
		}
		equal++
	}
	if !seen[os.Getpid()] || !seen[sleeper.Process.Pid] || equal < 3 {
		t.Errorf("%d of %d processes are as /proc has them; this one and its child are to be among them: %v", equal, len(list), seen)
	}
}
