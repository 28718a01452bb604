package layer

import "testing"

func TestEscapes(t *testing.T) {
	for name, want := range map[string]bool{
		"../../etc/x": true, "a/../../x": true, "/../x": true, "..": true,
		"etc/x": false, "/etc/x": false, "./etc/x": false, "a/../b": false, "a//b": false, "": false,
	} {
		if got := escapes(name); got != want {
			t.Errorf("escapes(%q) = %v, want %v", name, got, want)
		}
	}
}
