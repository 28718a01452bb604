package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark/internal/need"
)

// Action is something that an attacker does, and its Twin something alike that is fine. Both say "done" where they did what
// they are for: an attack that did not happen is no test.
type Action struct {
	Name   string
	Row    int    // of the list of runtime detections
	Rule   string // that tells of it
	Escape bool   // it leads out of the container, or would
	Exec   bool   // script and twin are brought by the engine into a container that runs already
	Options
	Script string // what the container's shell runs
	Twin   Twin
	// Before prepares what the action needs of the node, and puts back what the action may have changed of it.
	Before func(*Stage)
}

// Twin is the benign one. Options that are nil are those of the action.
type Twin struct {
	Options *Options
	Script  string
}

// Stage is what an action is done with.
type Stage struct {
	testing.TB
	Docker *Docker
	Dir    string            // a folder of the node for this action
	Env    map[string]string // that the script has
}

// Actions are all of them, by family.
func Actions() []Action {
	return slices.Concat(escapes(), kernelAbuse(), programs(), miners(), shells(), networks(), changes(), exhaustion())
}

// Do does the action, or its twin, in a container of its own, and fails the test where it was not done.
func (a *Action) Do(t testing.TB, d *Docker, twin bool) *Result {
	t.Helper()
	o, script := a.Prepare(t, d, twin)
	run := d.Run
	if a.Exec {
		run = d.RunLater
	}
	r := run(t, o, script)
	r.Done(t)
	return r
}

// Done fails the test where what was to be done was not.
func (r *Result) Done(t testing.TB) {
	t.Helper()
	if !strings.Contains(r.Output, "done") || r.Code != 0 {
		t.Errorf("it was not done (it exits with %d): %s", r.Code, r.Output)
	}
}

// Prepare makes ready what the action needs, and gives what its container is created with. All is put back when the test
// ends.
func (a *Action) Prepare(t testing.TB, d *Docker, twin bool) (Options, string) {
	t.Helper()
	s := &Stage{TB: t, Docker: d, Dir: t.TempDir(), Env: map[string]string{"LAB_BRIDGE": d.Bridge}}
	if a.Before != nil {
		a.Before(s)
	}
	o, script := a.Options, a.Script
	if twin {
		script = a.Twin.Script
		if a.Twin.Options != nil {
			o = *a.Twin.Options
		}
	}
	o.Mounts = slices.Clone(o.Mounts)
	for i, m := range o.Mounts {
		m = strings.Replace(m, "SOCKET", d.Socket, 1)
		o.Mounts[i] = strings.Replace(m, "DIR", s.Dir, 1)
	}
	o.Env = slices.Clone(o.Env)
	for name, value := range s.Env {
		o.Env = append(o.Env, name+"="+value)
	}
	return o, "set -e\n" + script
}

// keep puts a file of the kernel's back as it is now.
func keep(path string) func(*Stage) {
	return func(s *Stage) {
		s.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			s.Skipf("%v", err)
		}
		s.Cleanup(func() {
			if now, err := os.ReadFile(path); err == nil && string(now) != string(b) {
				if err := os.WriteFile(path, b, 0o644); err != nil {
					s.Errorf("%s is not as it was: %v", path, err)
				}
			}
		})
	}
}

// victim is a process of the node: LAB_PID.
func victim(s *Stage) {
	s.Helper()
	s.Env["LAB_PID"] = Victim(s, s.Docker)
}

// Victim starts a process of the node, which waits and is ended with the test, and gives its id.
func Victim(t testing.TB, d *Docker) string {
	t.Helper()
	cmd := exec.Command(d.Helper, "sleep", "5m")
	dies(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return strconv.Itoa(cmd.Process.Pid)
}

// disk is a block device of the node, on a file: LAB_DISK.
func disk(s *Stage) {
	s.Helper()
	file := filepath.Join(s.Dir, "disk")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Truncate(file, 4<<20); err != nil {
		s.Fatal(err)
	}
	if out, err := exec.Command(need.Tool(s, "mkfs.ext4"), "-q", file).CombinedOutput(); err != nil {
		s.Fatalf("making a file system: %v %s", err, out)
	}
	out, err := exec.Command(need.Tool(s, "losetup"), "--show", "-f", file).CombinedOutput()
	device := strings.TrimSpace(string(out))
	if err != nil {
		need.Missing(s, "a loop device: %v %s", err, out)
	}
	s.Cleanup(func() {
		if out, err := exec.Command("losetup", "-d", device).CombinedOutput(); err != nil {
			s.Errorf("%s stays: %v %s", device, err, out)
		}
	})
	s.Env["LAB_DISK"] = device
}

// folder lays files into the action's folder.
func folder(files ...string) func(*Stage) {
	return func(s *Stage) {
		s.Helper()
		for _, name := range files {
			file := filepath.Join(s.Dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				s.Fatal(err)
			}
			if err := os.WriteFile(file, fmt.Appendf(nil, "text of %s\n", filepath.Base(name)), 0o644); err != nil {
				s.Fatal(err)
			}
		}
	}
}

// controllers skips where there are no control groups of the first version.
func controllers(s *Stage) {
	s.Helper()
	if _, err := os.Stat("/sys/fs/cgroup/devices/devices.list"); err != nil {
		s.Skip("this kernel has no control groups of version 1 mounted")
	}
}

// network is for what containers do over theirs.
func network(s *Stage) {
	s.Helper()
	if s.Docker.Bridge == "" {
		need.Missing(s, "a network for containers")
	}
}

// modules skips where the kernel knows none: it has no such call then.
func modules(s *Stage) {
	s.Helper()
	if _, err := os.Stat("/proc/modules"); err != nil {
		s.Skip("this kernel loads no modules")
	}
}
