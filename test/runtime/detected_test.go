package runtime

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/runtime/lab"
)

// TestDetected: each attack that is really done in a real container is told by its rule with that container's id, image and
// name, and none of the twins is. Where nothing can be watched, the actions are done all the same, so that they stay true.
func TestDetected(t *testing.T) {
	d := lab.StartDocker(t)
	w := lab.StartWatch(t, lab.Program(t))
	twins := map[string]string{}
	var escapes, others []string
	var late []time.Duration
	for _, a := range lab.Actions() {
		t.Run(a.Name, func(t *testing.T) {
			r := a.Do(t, d, false)
			late = append(late, detected(t, w, &a, r)...)
			twins[a.Do(t, d, true).ID] = a.Name
			if !t.Failed() && a.Escape {
				escapes = append(escapes, a.Name)
			} else if !t.Failed() {
				others = append(others, a.Name)
			}
		})
	}
	w.Stop()
	for id, name := range twins {
		for _, f := range w.Of(id) {
			t.Errorf("the twin of %s is told: %s: %s %q", name, f.Rule, f.Title, f.Evidence)
		}
	}
	t.Logf("%d escapes: %s", len(escapes), strings.Join(escapes, " "))
	t.Logf("%d other attacks: %s", len(others), strings.Join(others, " "))
	if len(escapes) < 12 || len(others) < 8 {
		t.Error("too few")
	}
	if slices.Sort(late); len(late) > 0 {
		t.Logf("told after %v (median), %v (p99)", late[len(late)/2], late[len(late)*99/100])
	}
}

// detected gives how late the findings were, and fails the test where the action's rule is not among them.
func detected(t *testing.T, w *lab.Watch, a *lab.Action, r *lab.Result) []time.Duration {
	t.Helper()
	found := w.AwaitRule(r.ID, a.Rule, 2*time.Second)
	var late []time.Duration
	var rules []string
	for _, f := range found {
		rules = append(rules, f.Rule)
		late = append(late, f.Told.Sub(f.Time))
		if f.Container.Image != r.Image || f.Container.Name != r.Name || f.Process == nil || f.Process.PID == 0 {
			t.Errorf("%s: container %+v, process %+v", f.Rule, f.Container, f.Process)
		}
	}
	slices.Sort(rules)
	rules = slices.Compact(rules)
	if t.Logf("%s", strings.Join(rules, " ")); !slices.Contains(rules, a.Rule) {
		t.Errorf("row %d: %s tells nothing", a.Row, a.Rule)
	}
	return late
}
