// Package junit writes a run as JUnit XML: a suite for each target, a failed case for
// each finding, a skipped one for each that is excepted.
package junit

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
	"bulwark/report/internal/vex"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "junit", Summary: "JUnit XML, a failed case for each finding.", Extension: ".xml", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return write(w, build(r, o)) })
}

func write(w io.Writer, s suites) error {
	bw := bufio.NewWriter(w)
	bw.WriteString(xml.Header) // the error stays in bw
	enc := xml.NewEncoder(bw)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	bw.WriteByte('\n')
	return bw.Flush()
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Errors   int      `xml:"errors,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Errors     int        `xml:"errors,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Properties []property `xml:"properties>property,omitempty"`
	Cases      []testcase `xml:"testcase"`
	Err        string     `xml:"system-err,omitempty"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"`
	Skipped *skipped `xml:"skipped"`
	Failure *failure `xml:"failure"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func build(r *bulwark.Report, o report.Options) suites {
	stamp := whole.Now(o, &r.Run).Format(time.RFC3339)
	byAsset := map[bulwark.AssetID][]testcase{}
	for i := range r.Findings {
		f := &r.Findings[i]
		byAsset[f.Asset] = append(byAsset[f.Asset], caseOf(f))
	}
	out := suites{Name: "bulwark"}
	add := func(name string, id bulwark.AssetID) {
		s := suite{Name: text.Clean(name), Time: "0", Timestamp: stamp, Cases: byAsset[id], Err: unread(r.Notes, id)}
		delete(byAsset, id)
		if len(s.Cases) == 0 {
			s.Cases = []testcase{{Name: "no findings", Class: text.Clean(name), Time: "0"}}
		}
		s.count()
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	for i := range r.Assets {
		if a := &r.Assets[i]; a.Kind != "layer" || byAsset[a.ID] != nil {
			add(cmp.Or(a.Name, string(a.ID)), a.ID)
		}
	}
	for i := range r.Frameworks {
		s := suiteOf(&r.Frameworks[i], stamp)
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	for i := range r.Findings { // of assets that the run does not list
		if id := r.Findings[i].Asset; byAsset[id] != nil {
			add(string(id), id)
		}
	}
	return out
}

func (s *suite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		if c.Failure != nil {
			s.Failures++
		}
		if c.Skipped != nil {
			s.Skipped++
		}
	}
}

// unread lists what could not be looked at in an asset or in the run.
func unread(notes []bulwark.Note, id bulwark.AssetID) string {
	var lines []string
	for _, n := range notes {
		if n.Incomplete && (n.Asset == id || n.Asset == "") {
			lines = append(lines, text.Clean(strings.TrimPrefix(n.Path+": "+n.Text, ": ")))
		}
	}
	return strings.Join(lines, "\n")
}

func caseOf(f *bulwark.Finding) testcase {
	name := cmp.Or(f.Title, f.Rule)
	if f.Vulnerability != nil {
		name = fmt.Sprintf("[%s] %s: %s %s", f.Severity, group.ID(f.Vulnerability), f.Vulnerability.Package, f.Vulnerability.Installed)
	}
	c := testcase{Name: text.Clean(name), Class: text.Clean(f.Kind + "." + cmp.Or(f.Subject, f.Path, f.Rule)), Time: "0"}
	if f.Exception != nil {
		c.Skipped = &skipped{text.Clean(vex.Words(f.Exception))}
		return c
	}
	c.Failure = &failure{Message: text.Clean(f.Title), Type: f.Severity.String(), Text: details(f)}
	return c
}

func details(f *bulwark.Finding) string {
	lines := []string{f.Rule, "risk " + fmt.Sprint(f.Risk)}
	if f.Path != "" {
		at := "in " + f.Path
		if f.Line > 0 {
			at += fmt.Sprintf(":%d", f.Line)
		}
		lines = append(lines, at)
	}
	lines = append(lines, f.Evidence...)
	if f.Fix != nil {
		lines = append(lines, "fix: "+f.Fix.Text)
	}
	for i := range lines {
		lines[i] = text.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
