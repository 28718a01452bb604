package markdown_test

import (
	"bytes"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/markdown"
)

func write(t *testing.T, r *bulwark.Report) string {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(markdown.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestReport(t *testing.T) {
	got := write(t, sample.Report())
	golden.Check(t, "report.md", []byte(got))
	if strings.Contains(got, "<script") || strings.ContainsAny(got, "\x1b\u202e") {
		t.Error("foreign markup came through")
	}
	columns := 0
	for l := range strings.Lines(got) {
		if !strings.HasPrefix(l, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(l, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("a row has %d bars, its table %d: %s", n, columns, l)
		}
		columns = n
	}
}

func TestEmpty(t *testing.T) {
	if got := write(t, &bulwark.Report{Summary: bulwark.Summary{Complete: true}}); strings.Contains(got, "Incomplete") {
		t.Errorf("empty run:\n%s", got)
	}
}
