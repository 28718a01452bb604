package glob

import "testing"

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"usr/share/**", "usr/share/doc/x", true},
		{"usr/share/**", "usr/share", true},
		{"usr/share/**", "usr/lib/x", false},
		{"**/*.jar", "a/b/c.jar", true},
		{"**/*.jar", "c.jar", true},
		{"**/test/**", "a/test/b/c", true},
		{"*.jar", "a/c.jar", false},
		{"image:*", "image:sha256-1", true},
		{"CVE-2024-*", "CVE-2024-12", true},
		{"CVE-2024-*", "CVE-2023-12", false},
		{"a/**/b/**/c", "a/x/b/b/y/c", true},
		{"[", "[", false},
	} {
		if got := Match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
	if Valid("[") || !Valid("a/**/b") {
		t.Error("Valid tells wrongly")
	}
}
