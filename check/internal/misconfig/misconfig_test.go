package misconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/patch"
)

func TestFinding(t *testing.T) {
	r := Rule{ID: "x/y", Severity: bulwark.SeverityLow, Hygiene: true, Tags: []string{"a"}, Fix: "do"}
	f := r.Finding("s", "p", "one\x1b[31m\ntwo\u202e")
	if f.Evidence[0] != "one[31m two" || strings.Join(f.Tags, " ") != "a hygiene" || f.Fix.Text != "do" || f.Risk == 0 {
		t.Errorf("%+v", f)
	}
	if g := r.Finding("s", "q"); g.Key == f.Key || r.Finding("s", "p").Key != f.Key || len(r.Tags) != 1 {
		t.Errorf("keys %s %s, tags of the rule %v", f.Key, g.Key, r.Tags)
	}
	if got := Clean(strings.Repeat("é", 300)); len(got) > mostEvidence+4 || strings.Contains(got, "\ufffd") {
		t.Errorf("long text becomes %q", got)
	}
}

func TestReplace(t *testing.T) {
	for _, tt := range []struct {
		data string
		line int
		with []string
		want string // "": no patch
	}{
		{"a\nb\nc\n", 2, []string{"x"}, "a\nx\nc\n"},
		{"a\nb", 2, []string{"x", "y"}, "a\nx\ny"},
		{"a\r\nb\r\n", 1, []string{"x"}, "x\r\nb\r\n"},
		{"a\n", 1, []string{"a"}, ""},
		{"a\n", 2, []string{"x"}, ""},
		{"a\n", 0, []string{"x"}, ""},
		{"", 1, []string{"x"}, ""},
	} {
		p := Replace("f", []byte(tt.data), tt.line, tt.with...)
		if p == nil {
			if tt.want != "" {
				t.Errorf("Replace(%q, %d) makes no patch", tt.data, tt.line)
			}
			continue
		}
		files, left := patch.Join([]bulwark.Patch{*p})
		if len(files) != 1 || left != nil {
			t.Errorf("Replace(%q, %d): %v, %v\n%s", tt.data, tt.line, files, left, p.Text)
			continue
		}
		if got, err := files[0].Apply([]byte(tt.data)); string(got) != tt.want || err != nil {
			t.Errorf("Replace(%q, %d) applied gives %q, %v, want %q", tt.data, tt.line, got, err, tt.want)
		}
	}
}

func TestGather(t *testing.T) {
	const text = "a\nb\nc\nd\n"
	r := Rule{ID: "x/y", Severity: bulwark.SeverityLow, Hygiene: true, Fix: "do"}
	g := Gather{Data: []byte(text)}
	add := func(subject string, line int, severity bulwark.Severity, with ...string) {
		f := r.Finding(subject, "")
		f.Path, f.Line = "f", line
		r.Rate(f, severity)
		f.Fix.Patch = Replace("f", []byte(text), line, with...)
		g.Add(f)
	}
	add("one", 1, bulwark.SeverityLow, "x", "y")
	add("two", 2, bulwark.SeverityLow)
	add("one", 3, bulwark.SeverityMedium, "z")
	add("one", 3, bulwark.SeverityMedium, "z")
	add("one", 2, bulwark.SeverityLow, "-- y")
	for range 2 * mostPlaces {
		add("many", len(g.list[0].Places)+g.list[0].Count, bulwark.SeverityLow, "a")
	}
	var got []*bulwark.Finding
	g.Emit(func(r bulwark.Record) { got = append(got, r.Finding) })
	if len(got) != 3 || len(got[0].Places) != 3 || got[0].Count != 3 || got[0].Severity != bulwark.SeverityMedium || len(got[1].Places) != 1 || got[1].Count != 0 {
		t.Fatalf("%+v", got)
	}
	files, left := patch.Join([]bulwark.Patch{*got[0].Fix.Patch})
	if len(left) > 0 {
		t.Fatal(left)
	}
	if changed, err := files[0].Apply([]byte(text)); string(changed) != "x\ny\n-- y\nz\nd\n" || err != nil {
		t.Errorf("%q, %v", changed, err)
	}
	if want := "--- a/f\n+++ b/f\n@@ -1,4 +1,5 @@\n-a\n+x\n+y\n-b\n+-- y\n-c\n+z\n d\n"; got[0].Fix.Patch.Text != want {
		t.Errorf("%s", got[0].Fix.Patch.Text)
	}
}

// TestApply lets the tools apply patches of every line and of lines together.
func TestApply(t *testing.T) {
	for _, text := range []string{"a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne", "a\r\nb\r\nc\r\n", "a", "-- a\n++ b\n@@ c\n\n\nx\n"} {
		n := strings.Count(text, "\n") + 1
		for line := 1; line <= n; line++ {
			for other := line; other <= n; other++ {
				here, ok := Line([]byte(text), line)
				if !ok {
					continue
				}
				asked := []Edit{{line, []string{"1", "2"}}, {other, []string{"3"}}}
				if (line+other)%2 == 0 {
					asked[0].With = []string{"1", here} // before the line
				}
				if (line+other)%3 == 0 {
					asked[0].With = nil // without it
				}
				p := Diff("a folder/f é", []byte(text), asked)
				if again := Diff(p.File, []byte(text), edits(p)); again == nil || again.Text != p.Text {
					t.Errorf("%q: read again: %+v\n%s", text, edits(p), p.Text)
				}
				files, left := patch.Join([]bulwark.Patch{*p})
				if len(files) != 1 || left != nil {
					t.Fatalf("%q: %v\n%s", text, left, p.Text)
				}
				want, err := files[0].Apply([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				for _, tool := range tools {
					if got := applied(t, tool, p, text); got != string(want) {
						t.Errorf("%v makes %q of %q, want %q\n%s", tool, got, text, want, p.Text)
					}
				}
			}
		}
	}
}

// TestTelling holds that no patch has the value of a secret, and that the others remain.
func TestTelling(t *testing.T) {
	secret := strings.Join([]string{"hunter2", "Xq9Zk3Lm8"}, "")
	for _, line := range []string{"ENV DB_PASSWORD=%", "ENV DB_PASSWORD %", "  API_TOKEN: '%'", "- SECRET_KEY_BASE=%", "URL=postgres://u:%@h/d", "RUN echo root:% | chpasswd", "RUN curl -H 'Authorization: Basic %' x", "  password: \"%\""} {
		line = strings.ReplaceAll(line, "%", secret)
		for at, text := range []string{line + "\nADD a /a\nRUN b\n", "RUN a\n" + line + "\nADD a /a\nRUN b\n", "ADD a /a\n" + line + "\n", line} {
			p := Diff("f", []byte(text), []Edit{{1 + strings.Count(strings.Split(text, "ADD")[0], "\n"), []string{"COPY a /a"}}})
			switch {
			case at == 3:
				p = Diff("f", []byte(text), []Edit{{1, []string{"x"}}})
				fallthrough
			case at == 2:
				if p != nil {
					t.Errorf("%q: a patch:\n%s", text, p.Text)
				}
				continue
			case p == nil:
				t.Errorf("%q: no patch", text)
				continue
			case strings.Contains(p.Text, secret):
				t.Errorf("the secret is in\n%s", p.Text)
			}
			if got := applied(t, tools[0], p, text); got != strings.Replace(text, "ADD", "COPY", 1) {
				t.Errorf("git apply makes %q of %q", got, text)
			}
		}
	}
}

// tools are what applies patches.
var tools = [][]string{{"git", "apply", "--whitespace=nowarn", "-"}, {"patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "--binary", "--silent"}}

func applied(t *testing.T, tool []string, p *bulwark.Patch, text string) string {
	t.Helper()
	if _, err := exec.LookPath(tool[0]); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no %s", tool[0])
		}
		t.Skipf("SKIPPED, there is no %s", tool[0])
	}
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.FromSlash(p.File))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), tool[0], tool[1:]...)
	c.Dir, c.Stdin = dir, strings.NewReader(p.Text)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s\n%s", tool, err, out, p.Text)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
