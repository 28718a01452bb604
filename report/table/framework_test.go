package table_test

import (
	"bytes"
	"strings"
	"testing"

	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/table"
)

func TestFrameworks(t *testing.T) {
	for name, o := range map[string]report.Options{"frameworks.txt": {}, "frameworks-narrow.txt": {Width: 80}, "frameworks-verbose.txt": {Verbose: true}} {
		var buf bytes.Buffer
		if err := sample.Frameworks().Replay(table.New(&buf, o)); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, name, buf.Bytes())
		if strings.ContainsAny(buf.String(), "\x1b\u202e") {
			t.Errorf("%s: control characters pass through", name)
		}
	}
}
