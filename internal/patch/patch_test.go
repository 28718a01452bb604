package patch

import (
	"errors"
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
		diff("b/Dockerfile", "@@ -4,1 +4,2 @@\n+USER app\n CMD y\n"),
		diff("b/Dockerfile", "@@ -2,1 +2,1 @@\n-ADD a /a\n+COPY a /a\n"),
		diff("b/Dockerfile", "@@ -2,1 +2,1 @@\n-ADD a /a\n+COPY a /a\n"),
		diff("b/Dockerfile", "@@ -1,2 +1,2 @@\n FROM debian\n-ADD a /a\n+COPY --link a /a\n"),
		diff("a", "@@ -1,1 +1,1 @@\n-x\n+y\n"),
		{Format: "json-patch", File: "a"},
		{Format: "unified-diff", File: "a", Text: "@@"},
	})
	if len(files) != 2 || files[0].Name != "a" || len(left) != 3 {
		t.Fatalf("%d files, left %v", len(files), left)
	}
	if !strings.Contains(left[0].Error(), "line 1 is changed") || !errors.Is(left[1], bulwark.ErrUnsupported) || !errors.Is(left[2], bulwark.ErrMalformed) {
		t.Errorf("left: %v", left)
	}
	got, err := files[1].Apply([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("FROM debian\nCOPY a /a\nRUN x\nUSER app\nCMD y\n", string(got)); d != "" {
		t.Errorf("applied (-want +got):\n%s", d)
	}
	want := "--- a/b/Dockerfile\n+++ b/b/Dockerfile\n@@ -2,1 +2,1 @@\n-ADD a /a\n+COPY a /a\n@@ -4,1 +4,2 @@\n+USER app\n CMD y\n"
	if d := cmp.Diff(strings.ReplaceAll(want, ",1 ", " "), strings.ReplaceAll(files[1].String(), ",1 ", " ")); d != "" {
		t.Errorf("as a diff (-want +got):\n%s", d)
	}
}

func TestApplyElsewhere(t *testing.T) {
	files, _ := Join([]bulwark.Patch{diff("a", "@@ -2,1 +2,1 @@\n-ADD a /a\n+COPY a /a\n")})
	if got, err := files[0].Apply([]byte("FROM x\nRUN y\nADD a /a\n")); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("Apply = %q, %v", got, err)
	}
}

func FuzzJoin(f *testing.F) {
	f.Add("@@ -1,1 +1,1 @@\n-x\n+y\n", "x\n")
	f.Fuzz(func(t *testing.T, body, content string) {
		files, _ := Join([]bulwark.Patch{diff("a", body)})
		for _, one := range files {
			_ = one.String()
			if _, err := one.Apply([]byte(content)); err != nil && !errors.Is(err, bulwark.ErrMalformed) {
				t.Error(err)
			}
		}
	})
}
