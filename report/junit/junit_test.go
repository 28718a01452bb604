package junit_test

import (
	"bytes"
	"encoding/xml"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/junit"
)

func write(t *testing.T, r *bulwark.Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(junit.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// counts reads a report back and checks that its numbers are true.
func counts(t *testing.T, b []byte) (tests, failures, skips int) {
	t.Helper()
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Suites {
		tests += len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Skipped != nil {
				skips++
			}
		}
	}
	if doc.Tests != tests || doc.Failures != failures || doc.Skipped != skips {
		t.Errorf("the counts %d %d %d are not those of the cases", doc.Tests, doc.Failures, doc.Skipped)
	}
	return tests, failures, skips
}

func TestReport(t *testing.T) {
	b := write(t, sample.Report())
	golden.Check(t, "report.xml", b)
	n := len(sample.Report().Findings)
	if tests, failures, skips := counts(t, b); tests != n || failures != n-1 || skips != 1 {
		t.Errorf("%d cases, %d failed, %d skipped", tests, failures, skips)
	}
}

func TestClean(t *testing.T) {
	r := sample.Report()
	r.Findings = nil
	if tests, failures, _ := counts(t, write(t, r)); tests != 1 || failures != 0 {
		t.Errorf("%d cases, %d failed, want one that passed", tests, failures)
	}
}

func TestUnlistedAsset(t *testing.T) {
	r := &bulwark.Report{Findings: []bulwark.Finding{{Kind: "secret", Rule: "secret/x", Asset: "dir:x"}}}
	if tests, _, _ := counts(t, write(t, r)); tests != 1 {
		t.Error("a finding is lost")
	}
}
