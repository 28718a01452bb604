package markdown_test

import (
	"bytes"
	"testing"

	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/markdown"
)

func TestFrameworks(t *testing.T) {
	var buf bytes.Buffer
	if err := sample.Frameworks().Replay(markdown.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "frameworks.md", buf.Bytes())
}
