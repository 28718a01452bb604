package table_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/text"
	"bulwark/report/table"
)

func write(t *testing.T, r *bulwark.Report, o report.Options) string {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(table.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestTable(t *testing.T) {
	for name, o := range map[string]report.Options{
		"plain.txt":     {},
		"width80.txt":   {Width: 80},
		"verbose.txt":   {Verbose: true},
		"color.txt":     {Color: true, Width: 120},
		"inventory.txt": {Inventory: true},
	} {
		got := write(t, sample.Report(), o)
		golden.Check(t, name, []byte(got))
		if !o.Color && strings.ContainsAny(got, "\x1b\u202e\x00\a") {
			t.Errorf("%s: control characters", name)
		}
		for l := range strings.Lines(got) {
			if o.Width > 0 && !o.Color && text.Width(strings.TrimSuffix(l, "\n")) > o.Width {
				t.Errorf("%s: a line is wider than %d: %s", name, o.Width, l)
			}
		}
	}
}

// The names of the sample must not survive as sequences that a terminal obeys.
func TestForeignColour(t *testing.T) {
	got := write(t, sample.Report(), report.Options{Color: true})
	if strings.Contains(got, "evil\x1b") || strings.Contains(got, "\u202e") {
		t.Error("a foreign escape sequence came through")
	}
}

func TestEmpty(t *testing.T) {
	got := write(t, &bulwark.Report{Run: bulwark.Run{Targets: []string{"x"}}, Summary: bulwark.Summary{Complete: true}}, report.Options{})
	if !strings.Contains(got, "0 findings") || !strings.Contains(got, "no advisory database") || strings.Contains(got, "Incomplete") {
		t.Errorf("empty run:\n%s", got)
	}
}

func TestNotesAreCut(t *testing.T) {
	r := sample.Report()
	for i := range 100 {
		r.Notes = append(r.Notes, bulwark.Note{Plugin: "p", Text: fmt.Sprintf("note %d", i)})
	}
	if got := write(t, r, report.Options{}); !strings.Contains(got, "... and 80 more") {
		t.Errorf("notes are not cut:\n%s", got)
	}
}

func TestHygiene(t *testing.T) {
	r := sample.Report()
	r.Findings = append(r.Findings, bulwark.Finding{Kind: bulwark.KindMisconfig, Rule: "dockerfile/no-healthcheck", Title: "no health check", Asset: r.Assets[0].ID, Tags: []string{"hygiene"}})
	if got := write(t, r, report.Options{}); strings.Contains(got, "no health check") || !strings.Contains(got, "1 finding of hygiene") {
		t.Error("hygiene is listed without being asked for")
	}
	if got := write(t, r, report.Options{Hygiene: true}); !strings.Contains(got, "no health check") {
		t.Error("hygiene is not listed")
	}
}

// Paths of nested archives must not fill the screen: the words of a note and both ends
// of its path stay.
func TestLongNote(t *testing.T) {
	r := sample.Report()
	deep := "/srv/app.war" + strings.Repeat("!WEB-INF/lib/nested.jar", 40) + "!last.jar"
	r.Notes = append(r.Notes, bulwark.Note{Plugin: "p", Asset: r.Assets[0].ID, Path: deep, Text: "malformed in " + deep})
	got := write(t, r, report.Options{})
	for l := range strings.Lines(got) {
		if text.Width(l) > 210 {
			t.Errorf("a line of %d columns: %s", text.Width(l), l)
		}
	}
	if !strings.Contains(got, "- /srv/app.war!") || !strings.Contains(got, "!last.jar: malformed in /srv") {
		t.Errorf("the note:\n%s", got)
	}
	if got := write(t, r, report.Options{Verbose: true}); !strings.Contains(got, deep+": malformed in "+deep) {
		t.Error("--verbose cuts the note")
	}
}

// The same end of life in many places is one line; secrets are told one by one.
func TestAlike(t *testing.T) {
	r := sample.Report()
	for _, f := range r.Findings {
		if f.Kind == bulwark.KindEOL || f.Kind == bulwark.KindSecret {
			f.Path = "/elsewhere"
			r.Findings = append(r.Findings, f)
		}
	}
	got := write(t, r, report.Options{})
	if n := strings.Count(got, "has had no security support"); n != 1 || !strings.Contains(got, "debian 12 +1") {
		t.Errorf("end of life on %d lines:\n%s", n, got)
	}
	if n := strings.Count(got, "AWS access key"); n != 2 {
		t.Errorf("secrets on %d lines", n)
	}
}

// Long evidence does not push the place off the screen, and what to do is told once.
func TestEvidence(t *testing.T) {
	r := sample.Report()
	for _, file := range []string{"a.yml", "b.yml"} {
		r.Findings = append(r.Findings, bulwark.Finding{Kind: bulwark.KindMisconfig, Rule: "compose/privileged", Title: "Everything is allowed", Asset: r.Assets[0].ID,
			Path: file, Line: 3, Evidence: []string{strings.Repeat("a long story ", 20)}, Fix: &bulwark.Fix{Text: "take the rights away"}})
	}
	got := write(t, r, report.Options{})
	if strings.Count(got, "take the rights away") != 1 || !strings.Contains(got, "What to do:") {
		t.Errorf("what to do:\n%s", got)
	}
	for l := range strings.Lines(got) {
		if strings.Contains(l, ".yml:3") && text.Width(l) > 140 {
			t.Errorf("a line of %d columns: %s", text.Width(l), l)
		}
	}
}
