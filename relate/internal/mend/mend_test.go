package mend

import (
	"strconv"
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

// TestMost holds that the patches of a large object end, and those of small ones go on.
func TestMost(t *testing.T) {
	const containers = 20_000
	pod := func(name string, n int) (*kube.Object, string) {
		text := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\nspec:\n  containers:\n" + strings.Repeat("  - name: c\n    image: x\n", n)
		o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: name})
		return o, text
	}
	large, largeText := pod("large", containers)
	small, smallText := pod("small", 1)
	s := &kube.Set{Objects: []*kube.Object{large, small}, Read: func(name string) ([]byte, error) {
		if name == "large" {
			return []byte(largeText), nil
		}
		return []byte(smallText), nil
	}}
	var list told
	m := New(s, &list)
	patches := func(o *kube.Object, n int) (made int) {
		for i := range n {
			m.Remedy(o.ID()+strconv.Itoa(i), "take it out", o, kube.Drop("spec", "containers", 0))
			if list[len(list)-1].Fix.Patch != nil {
				made++
			}
		}
		return made
	}
	if n := patches(large, 200); n < 1 || n > 50 {
		t.Errorf("%d patches of an object of %d containers", n, containers)
	}
	if n := patches(small, 1000); n != 1000 {
		t.Errorf("%d patches of a small object, want all", n)
	}
}
