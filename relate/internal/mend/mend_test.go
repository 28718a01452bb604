package mend

import (
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
)

type told []bulwark.Remedy

func (*told) Relation(bulwark.Relation) {}
func (t *told) Remedy(r bulwark.Remedy) { *t = append(*t, r) }
func (*told) Note(bulwark.Note)         {}

// TestRemedy holds that a remedy is told once, and has a patch where its edits make one.
func TestRemedy(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n  - name: c\n    image: x\n"
	o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: "pod.yaml"})
	s := &kube.Set{Objects: []*kube.Object{o}, Read: func(string) ([]byte, error) { return []byte(text), nil }}
	var list told
	m := New(s, &list)
	for range 2 {
		if id := m.Remedy("no token", "take the token away", o, kube.Put(false, "spec", "automountServiceAccountToken")); id != "no token" {
			t.Errorf("id %q", id)
		}
	}
	m.Remedy("by hand", "think", nil)
	m.Remedy("not there", "take out what is not there", o, kube.Drop("spec", "volumes", 7))
	if len(list) != 3 {
		t.Fatalf("%d remedies: %+v", len(list), list)
	}
	if p := list[0].Fix.Patch; p == nil || !strings.Contains(p.Text, "+  automountServiceAccountToken: false") {
		t.Errorf("patch %+v", p)
	}
	for _, r := range list[1:] {
		if r.Fix.Patch != nil || r.Fix.Text == "" {
			t.Errorf("%+v", r)
		}
	}
}
