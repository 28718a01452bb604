package diff_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/report"
	"bulwark/report/diff"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
)

// upgraded is the sample after lodash was upgraded, node taken out, and a secret came.
func upgraded() *bulwark.Report {
	r := sample.Report()
	r.Assets[0].Name = "shop:1.5"
	r.Packages = append(r.Packages[:3:3], r.Packages[4:]...)
	for i := range r.Packages {
		if p := &r.Packages[i]; p.Name == "lodash" {
			p.Version, p.PURL = "4.17.21", "pkg:npm/lodash@4.17.21"
		}
	}
	r.Packages = append(r.Packages, bulwark.Package{PURL: "pkg:npm/new@1.0.0", Name: "new", Version: "1.0.0", Ecosystem: "npm"})
	r.Findings = append(r.Findings[:4:4], r.Findings[5:]...)
	r.Findings = append(r.Findings, bulwark.Finding{Key: "k", Kind: bulwark.KindSecret, Rule: "secret/x", Title: sample.Evil, Severity: bulwark.SeverityHigh, Risk: 70})
	return r
}

func TestDiff(t *testing.T) {
	d := diff.Compute(sample.Report(), upgraded())
	want := []diff.Change{{Name: "lodash", Ecosystem: "npm", PURL: "pkg:npm/lodash@4.17.21", Before: []string{"4.17.20"}, After: []string{"4.17.21"}}}
	if diff := cmp.Diff(want, d.Changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if len(d.Added) != 1 || len(d.Removed) != 1 || len(d.Gained) != 1 || len(d.Lost) != 1 || d.Lost[0].Vulnerability.Package != "lodash" {
		t.Errorf("%+v", d)
	}
	for _, format := range diff.Formats() {
		var buf bytes.Buffer
		if err := d.Write(&buf, format, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(buf.String(), "\x1b\u202e") {
			t.Errorf("%s: control characters", format)
		}
		golden.Check(t, "diff."+format, buf.Bytes())
	}
	if err := d.Write(&bytes.Buffer{}, "xml", report.Options{}); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("unknown format: %v", err)
	}
}

func TestSame(t *testing.T) {
	d := diff.Compute(sample.Report(), sample.Report())
	if len(d.Added)+len(d.Removed)+len(d.Changed)+len(d.Gained)+len(d.Lost) != 0 || d.Kept == 0 {
		t.Errorf("a run differs from itself: %+v", d)
	}
}

// An excepted finding is gone; when the exception ends it comes back.
func TestExceptions(t *testing.T) {
	back := sample.Report()
	back.Findings[2].Exception = nil
	if d := diff.Compute(sample.Report(), back); len(d.Gained) != 1 || len(d.Lost) != 0 {
		t.Errorf("gained %d, lost %d", len(d.Gained), len(d.Lost))
	}
}

func TestOnly(t *testing.T) {
	if got := diff.Only(upgraded(), sample.Report()); len(got) != 1 || got[0].Kind != bulwark.KindSecret {
		t.Errorf("%d findings beyond the baseline", len(got))
	}
}
