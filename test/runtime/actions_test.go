// Package runtime watches real containers in which attackers' actions are really done.
package runtime

import (
	"slices"
	"testing"

	"bulwark/test/runtime/lab"
)

// TestEnough: the list is whole.
func TestEnough(t *testing.T) {
	escapes, others := 0, 0
	var names []string
	for _, a := range lab.Actions() {
		if names = append(names, a.Name); a.Escape {
			escapes++
		} else {
			others++
		}
		if a.Row < 1 || a.Row > 55 || a.Rule == "" || a.Script == "" || a.Twin.Script == "" {
			t.Errorf("%+v", a)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
	if escapes < 12 || others < 8 {
		t.Errorf("%d escapes and %d other attacks", escapes, others)
	}
}
