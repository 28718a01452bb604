package licence_test

import (
	"testing"

	"bulwark/report/internal/licence"
)

func TestIsExpression(t *testing.T) {
	for s, want := range map[string]bool{
		"MIT": true, "Apache-2.0 OR MIT": true, "GPL-2.0-only WITH Classpath-exception-2.0": true,
		"(MIT AND (BSD-3-Clause OR Zlib))": true, "GPL-2.0+": true,
		"": false, "MIT License": false, "MIT OR": false, "(MIT": false, "MIT)": false, "mit": false, "Classpath-exception-2.0": false,
	} {
		if got := licence.IsExpression(s); got != want {
			t.Errorf("IsExpression(%q) = %v", s, got)
		}
	}
	if licence.IsID("Apache-2.0 OR MIT") || !licence.IsID("0BSD") {
		t.Error("IsID")
	}
}

func FuzzIsExpression(f *testing.F) {
	f.Add("((MIT OR Zlib) WITH x")
	f.Fuzz(func(t *testing.T, s string) { licence.IsExpression(s) })
}
