package scan

import (
	"fmt"
	"testing"
)

func TestNameSet(t *testing.T) {
	for _, size := range []int{0, 1, 2, 10, 1000, 50000} {
		var s nameSet
		for i := range size {
			s.add(fmt.Sprintf("usr/lib/%d", i), i%3 == 0)
		}
		s.seal()
		for i := range size {
			if p := fmt.Sprintf("usr/lib/%d", i); !s.has(nameOf(p, i%3 == 0)) || s.has(nameOf(p, i%3 != 0)) {
				t.Fatalf("of %d names, %s is not found, or found as what it is not", size, p)
			}
		}
		if s.has(nameOf("absent", false)) || s.has(name{}) || s.has(name{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) {
			t.Errorf("of %d names, an absent one is found", size)
		}
	}
	// Names that are not spread evenly.
	var s nameSet
	for i := range 1000 {
		s = append(s, name{14: byte(i >> 8), 15: byte(i) &^ 1})
	}
	s.seal()
	if !s.has(name{14: 3, 15: 6}) || s.has(name{14: 9}) {
		t.Error("among names that are not spread evenly one is not found, or an absent one is")
	}
}
