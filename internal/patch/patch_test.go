package patch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func diff(file string, body string) bulwark.Patch {
	return bulwark.Patch{Format: "unified-diff", File: file, Text: "--- a/" + file + "\n+++ b/" + file + "\n" + body}
}

const content = "FROM debian\nADD a /a\nRUN x\nCMD y\n"

func TestJoin(t *testing.T) {
	files, left := Join([]bulwark.Patch{
		diff("b/Dockerfile", "@@ -3,2 +3,3 @@\n RUN x\n+USER app\n CMD y\n"),
		diff("b/Dockerfile", "@@ -1,3 +1,3 @@\n FROM debian\n-ADD a /a\n+COPY a /a\n RUN x\n"),
		diff("b/Dockerfile", "@@ -2,1 +2,1 @@\n-ADD a /a\n+COPY a /a\n"),
		diff("b/Dockerfile", "@@ -1,2 +1,2 @@\n FROM debian\n-ADD a /a\n+COPY --link a /a\n"),
		diff("a", "@@ -1,1 +1,1 @@\n-x\n+y\n"),
		{Format: "json-patch", File: "a"},
		{Format: "unified-diff", File: "a", Text: "@@"},
	})
	if len(files) != 2 || files[0].Name != "a" || len(left) != 3 {
		t.Fatalf("%d files, left %v", len(files), left)
	}
	if !strings.Contains(left[0].Error(), "line 2 is changed") || !errors.Is(left[1], bulwark.ErrUnsupported) || !errors.Is(left[2], bulwark.ErrMalformed) {
		t.Errorf("left: %v", left)
	}
	got, err := files[1].Apply([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("FROM debian\nCOPY a /a\nRUN x\nUSER app\nCMD y\n", string(got)); d != "" {
		t.Errorf("applied (-want +got):\n%s", d)
	}
	text, err := files[1].Diff([]byte(content))
	want := "--- a/b/Dockerfile\n+++ b/b/Dockerfile\n@@ -1,4 +1,5 @@\n FROM debian\n-ADD a /a\n+COPY a /a\n RUN x\n+USER app\n CMD y\n"
	if d := cmp.Diff(want, text); d != "" || err != nil {
		t.Errorf("as a diff (-want +got):\n%s%v", d, err)
	}
}

func TestApplyElsewhere(t *testing.T) {
	files, _ := Join([]bulwark.Patch{diff("a", "@@ -1,2 +1,2 @@\n FROM x\n-ADD a /a\n+COPY a /a\n")})
	for _, content := range []string{"FROM x\nRUN y\nADD a /a\n", "FROM y\nADD a /a\n", "FROM x\n", ""} {
		if got, err := files[0].Apply([]byte(content)); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("Apply to %q = %q, %v", content, got, err)
		}
	}
}

// TestGit lets git apply what Diff prints, far apart and near, at both ends, without a
// newline at the end.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no git on PATH")
		}
		t.Skip("no git on PATH: nothing to hold the diffs to")
	}
	text := strings.TrimSuffix(strings.Repeat("a\nb\nc\nd\ne\nf\ng\nh\n", 3), "\n")
	for name, bodies := range map[string][]string{
		"both ends": {"@@ -0,0 +1,1 @@\n+first\n", "@@ -24,1 +24,1 @@\n-h\n\\ No newline at end of file\n+last\n"},
		"the same":  {"@@ -3,1 +3,1 @@\n-c\n+C\n", "@@ -2,2 +2,3 @@\n b\n+new\n c\n"},
		"near":      {"@@ -3,1 +3,0 @@\n-c\n", "@@ -6,1 +6,3 @@\n-f\n+F\n+G\n+H\n"},
		"far":       {"@@ -3,1 +3,0 @@\n-c\n", "@@ -20,1 +20,2 @@\n d\n+D\n"},
	} {
		var patches []bulwark.Patch
		for _, b := range bodies {
			patches = append(patches, diff("x", b))
		}
		files, left := Join(patches)
		if len(left) > 0 {
			t.Fatalf("%s: %v", name, left)
		}
		want, err := files[0].Apply([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		printed, err := files[0].Diff([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), "git", "apply", "-")
		c.Dir, c.Stdin = dir, strings.NewReader(printed)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: git apply: %v\n%s\n%s", name, err, out, printed)
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, "x"))
		if d := cmp.Diff(string(want), string(got)); d != "" || err != nil {
			t.Errorf("%s (-want +git):\n%s%v", name, d, err)
		}
	}
}

// TestDiffShowsNoSecret: lines that patches leave out are in no diff of all, which git apply
// and patch take all the same.
func TestDiffShowsNoSecret(t *testing.T) {
	secret := "PASSWORD: " + strings.Repeat("zq7", 5) + "\n"
	for name, text := range map[string]string{
		"before":  "a\n" + secret + "ADD 1\nb\nc\nd\ne\n",
		"behind":  "a\nb\nc\nd\nADD 1\nc\n" + secret + "d\n",
		"between": "a\nADD 1\nb\n" + secret + "c\nADD 2\nd\ne\nf\n",
		"at once": secret + "ADD 1\nb\n" + secret + "ADD 2\nc\n",
	} {
		var patches []bulwark.Patch
		for n, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "ADD") {
				patches = append(patches, diff("x", fmt.Sprintf("@@ -%d,1 +%d,1 @@\n-%s\n+COPY\n", n+1, n+1, line)))
			}
		}
		files, left := Join(patches)
		if len(files) != 1 || len(left) > 0 {
			t.Fatalf("%s: %d files, left %v", name, len(files), left)
		}
		want, _ := files[0].Apply([]byte(text))
		printed, err := files[0].Diff([]byte(text))
		if err != nil || strings.Contains(printed, "zq7") {
			t.Errorf("%s: %v, the diff is\n%s", name, err, printed)
		}
		for _, tool := range [][]string{{"git", "apply", "-"}, {"patch", "-p1", "--silent"}} {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Logf("no %s on PATH", tool[0])
				continue
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "x"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), tool[0], tool[1:]...)
			c.Dir, c.Stdin = dir, strings.NewReader(printed)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s\n%s", name, tool[0], err, out, printed)
				continue
			}
			if got, _ := os.ReadFile(filepath.Join(dir, "x")); !bytes.Equal(got, want) {
				t.Errorf("%s: %s makes %q, want %q", name, tool[0], got, want)
			}
		}
	}
}

func FuzzJoin(f *testing.F) {
	f.Add("@@ -1,1 +1,1 @@\n-x\n+y\n", "x\n")
	f.Add("@@ -0,0 +1,1 @@\n+y\n", "")
	f.Fuzz(func(t *testing.T, body, content string) {
		files, _ := Join([]bulwark.Patch{diff("a", body)})
		for i := range files {
			_, err := files[i].Apply([]byte(content))
			_, err2 := files[i].Diff([]byte(content))
			if (err == nil) != (err2 == nil) || err != nil && !errors.Is(err, bulwark.ErrMalformed) {
				t.Error(err, err2)
			}
		}
	})
}
