//go:build linux

package detections

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bulwark/internal/need"
	"bulwark/test/runtime/lab"
)

// TestDeeds: each is told with its rule, of its container; none of the twins is told of at all.
func TestDeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("containers are started, and that takes a minute")
	}
	d := lab.StartDocker(t)
	deed := helper(t)
	w := lab.StartWatch(t, lab.Program(t))
	twins := map[string]string{}
	for _, a := range deeds() {
		t.Run(a.Name, func(t *testing.T) {
			bring(deed, &a)
			r := a.Do(t, d, false)
			if t.Failed() {
				return
			}
			if rules := await(w, r.ID, a.Rule); !slices.Contains(rules, a.Rule) {
				t.Errorf("row %d: told is %v, and not %s", a.Row, rules, a.Rule)
			}
			twins[a.Do(t, d, true).ID] = a.Name
		})
	}
	w.Stop()
	for id, name := range twins {
		for _, f := range w.Of(id) {
			t.Errorf("the twin of %s is told: %s: %s %q", name, f.Rule, f.Title, f.Evidence)
		}
	}
}

// await waits until a rule is told of a container, for three seconds, and gives all that are.
func await(w *lab.Watch, id, rule string) []string {
	var rules []string
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		rules = nil
		for _, f := range w.Of(id) {
			rules = append(rules, f.Rule)
		}
		if slices.Contains(rules, rule) {
			return rules
		}
	}
	return rules
}

// TestStopped: a program that is stopped tells who did it, and for how long, once it goes on.
func TestStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("it is stopped for twelve seconds")
	}
	need.Root(t)
	w := lab.StartWatch(t, lab.Program(t))
	pid := w.PID()
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	time.Sleep(2 * time.Second) // until its first tick, which it counts from
	stop := exec.Command("sh", "-c", "kill -STOP "+strconv.Itoa(pid))
	stop.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // somebody at a terminal is let do it
	if out, err := stop.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	time.Sleep(12 * time.Second)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var told []lab.Found
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && len(told) == 0; time.Sleep(50 * time.Millisecond) {
		told = stops(w)
	}
	time.Sleep(5 * time.Second) // a second alert would come by then
	told = stops(w)
	if len(told) != 1 || told[0].Rule != "abuse/sensor-signal" || !strings.Contains(strings.Join(told[0].Evidence, " "), "it stood still for 1") {
		t.Errorf("told is %+v, want one alert with who did it and for how long (this process is %d)", told, os.Getpid())
		for _, f := range w.All() {
			t.Log(f.Rule, f.Evidence)
		}
	}
}

// stops are the alerts about the watch having been stopped.
func stops(w *lab.Watch) (list []lab.Found) {
	for _, f := range w.All() {
		if f.Rule == "abuse/sensor-signal" || f.Rule == "abuse/sensor-paused" {
			list = append(list, f)
		}
	}
	return list
}
