package posture

import (
	"strings"

	"bulwark"
	"bulwark/kube"
)

// T is what TestFamily needs of a *testing.T.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// TestFamily holds the rules of a family to their cases, and to what people are promised
// of a rule: a reason, a fix, tags. It is called by the family's own test.
func TestFamily(t T, f *Family) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range f.List {
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
		if !strings.Contains(r.ID, "/") || r.Title == "" || r.Why == "" || r.Fix == "" || r.Severity == 0 || len(r.Refs) == 0 {
			t.Errorf("%s: its title, severity, why, fix or references are missing", r.ID)
		}
	}
	tests, err := f.TestRules()
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, res := range tests {
		for _, why := range res.Failures {
			t.Errorf("%s: %s", res.Rule, why)
		}
	}
}

// Probe gives what a rule finds, a finding and object at a time, with all edits that mend it;
// none when it is not mended by edits. It is for tests of edits.
func Probe(r *Rule, s *kube.Set) []Hit {
	found := &gatherer{}
	r.look(&Hits{rule: r, family: &Family{}, Set: s, Target: &bulwark.Target{Objects: s}, found: found})
	var list []Hit
	for _, f := range found.list {
		for _, o := range f.objects {
			hit := Hit{Object: o, Evidence: strings.Join(f.Evidence, "; "), Severity: f.Severity, Tags: f.Tags}
			if !f.unsure {
				hit.Edits = f.edits[o]
			}
			list = append(list, hit)
		}
	}
	return list
}
