package misconfig

import (
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
	var g Gather
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
	add("one", 2, bulwark.SeverityLow, "before the last: left for another run")
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
	if changed, err := files[0].Apply([]byte(text)); string(changed) != "x\ny\nb\nz\nd\n" || err != nil {
		t.Errorf("%q, %v", changed, err)
	}
	if want := "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n+x\n+y\n@@ -3,1 +4,1 @@\n-c\n+z\n"; got[0].Fix.Patch.Text != want {
		t.Errorf("%s", got[0].Fix.Patch.Text)
	}
}
