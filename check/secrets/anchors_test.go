package secrets

import (
	"strings"
	"testing"
)

// FuzzAnchors: one pass finds what looking for each word finds.
func FuzzAnchors(f *testing.F) {
	for _, s := range []string{"", "p", "pw", "xp", "ghp_", "a passwd", "PRIVATE KEY-----", "SG.", "sk_live", "tokentoken pw", strings.Repeat("gh", 30) + "ghs_"} {
		f.Add(s)
	}
	a := anchored()
	f.Fuzz(func(t *testing.T, text string) {
		got := a.in(text)
		for i, w := range a.words {
			if found := got&(1<<i) != 0; found != strings.Contains(text, w) {
				t.Errorf("%q in %q: %t", w, text, found)
			}
		}
	})
}
