package patch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// TestRounds: several fields for one place are put there at once, what hangs on changed lines
// waits, and the sum of all rounds is one diff of what was there at first.
func TestRounds(t *testing.T) {
	const content = "spec:\n  c:\n  - name: a\n    privileged: true\n  x: 1\n"
	rounds := [][]bulwark.Patch{{
		diff("a.yaml", "@@ -4,2 +4,3 @@\n     privileged: true\n+    b: 1\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,4 @@\n     privileged: true\n+    c:\n+    - d\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,3 @@\n     privileged: true\n+  out: 1\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,4 @@\n     privileged: true\n+      in: 1\n+      more: 2\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,3 @@\n     privileged: true\n+    b: 2\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,3 @@\n     privileged: true\n+    - item\n   x: 1\n"),
		diff("a.yaml", "@@ -4,2 +4,2 @@\n-    privileged: true\n+    privileged: false\n   x: 1\n"),
	}, {
		diff("a.yaml", "@@ -4,2 +4,2 @@\n-    privileged: true\n+    privileged: false\n       in: 1\n"),
		diff("a.yaml", "@@ -11,1 +10,0 @@\n-  x: 1\n"),
	}}
	text := NewText("a.yaml", []byte(content))
	lefts := []int{3, 0}
	for i, patches := range rounds {
		files, left := Join(patches)
		if len(files) != 1 || len(left) != lefts[i] {
			t.Fatalf("round %d: %d files, left %v", i, len(files), left)
		}
		if err := text.Apply(&files[0]); err != nil {
			t.Fatal(err)
		}
	}
	want := "spec:\n  c:\n  - name: a\n    privileged: false\n      in: 1\n      more: 2\n    b: 1\n    c:\n    - d\n  out: 1\n"
	if d := cmp.Diff(want, string(text.Bytes())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	sum := text.Sum()
	got, err := sum.Apply([]byte(content))
	if string(got) != want || err != nil {
		t.Errorf("the sum makes %q, %v", got, err)
	}
	printed, err := sum.Diff([]byte(content))
	if err != nil || strings.Count(printed, "@@ -") != 1 {
		t.Errorf("%s%v", printed, err)
	}
	if err := text.Apply(&File{Name: "a.yaml", edits: []edit{{at: 0, old: []string{"other\n"}}}}); err == nil {
		t.Error("what was made for another text is applied")
	}
}
