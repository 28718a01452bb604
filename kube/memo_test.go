package kube

import "testing"

func TestMemoIsMadeOnce(t *testing.T) {
	type engine struct{ of *Set }
	s, made := &Set{}, 0
	build := func(s *Set) *engine { made++; return &engine{s} }
	if first := Memo(s, build); first != Memo(s, build) || made != 1 {
		t.Errorf("made %d times", made)
	}
	if Memo(&Set{}, build).of == s {
		t.Error("another set got the same")
	}
}
