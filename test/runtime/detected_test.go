package runtime

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// TestDetected: each attack that is really done in a real container is told with that container's id, image and name, and none
// of the twins is.
func TestDetected(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t))
	twins := map[string]string{}
	var late []time.Duration
	for _, a := range lab.Actions() {
		t.Run(a.Name, func(t *testing.T) {
			r := a.Do(t, d, false)
			found := w.Await(r.ID, 1500*time.Millisecond)
			if len(found) == 0 {
				t.Errorf("row %d is not detected", a.Row)
				return
			}
			var rules []string
			for _, f := range found {
				rules = append(rules, f.Rule)
				late = append(late, f.Told.Sub(f.Time))
				if f.Container.Image != r.Image || f.Container.Name != r.Name || f.Process == nil || f.Process.PID == 0 {
					t.Errorf("%s: container %+v, process %+v", f.Rule, f.Container, f.Process)
				}
			}
			slices.Sort(rules)
			t.Logf("%s", strings.Join(slices.Compact(rules), " "))
			twins[a.Do(t, d, true).ID] = a.Name
		})
	}
	w.Stop()
	for id, name := range twins {
		for _, f := range w.Of(id) {
			t.Errorf("the twin of %s is told: %s: %s %q", name, f.Rule, f.Title, f.Evidence)
		}
	}
	if slices.Sort(late); len(late) > 0 {
		t.Logf("told after %v (median), %v (all)", late[len(late)/2], late[len(late)-1])
	}
}
