package posture

import (
	"fmt"
	"testing"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/kube"
)

// TestBudget: a target that has everything wrong a hundred thousand times is told of in
// bounded memory, no rule goes without a word, and the rest is counted.
func TestBudget(t *testing.T) {
	s := &kube.Set{}
	for i := range mostFindings + 1000 {
		root, err := kube.ParseJSON(fmt.Appendf(nil, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c%d"}}`, i))
		if err != nil {
			t.Fatal(err)
		}
		o, _ := kube.NewObject(root, kube.Origin{})
		s.Objects = append(s.Objects, o)
	}
	look := func(h *Hits, o *kube.Object) { h.Add(Hit{Object: o, Evidence: "x"}) }
	f := &Family{Name: "check/test"}
	for _, id := range []string{"test/first", "test/second"} {
		f.List = append(f.List, &Rule{Rule: misconfig.Rule{ID: id, Severity: bulwark.SeverityLow, Title: id}, Object: look, Kinds: []string{"ConfigMap"}})
	}
	count, notes := map[string]int{}, 0
	err := f.Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		switch {
		case r.Finding != nil:
			count[r.Finding.Rule]++
		case r.Note != nil && r.Note.Incomplete:
			notes++
		}
	})
	if err != nil || count["test/first"] != mostFindings || count["test/second"] != ruleShare || notes != 1 {
		t.Errorf("%v, findings %v, %d notes", err, count, notes)
	}
}
