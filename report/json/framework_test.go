package json_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/report"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
	"bulwark/report/json"
	"bulwark/report/jsonl"
)

// A saved run, json or jsonl, has the frameworks that it was held against, and so replays.
func TestFrameworks(t *testing.T) {
	want := sample.Frameworks().Frameworks
	for name, format := range map[string]report.Format{"json": json.Format(), "jsonl": jsonl.Format()} {
		var buf bytes.Buffer
		if err := sample.Frameworks().Replay(format.New(&buf, report.Options{})); err != nil {
			t.Fatal(err)
		}
		if name == "json" {
			schema.Valid(t, json.Schema, buf.Bytes(), nil)
		}
		r, err := json.Read(&buf)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, r.Frameworks, cmp.Transformer("clean", func(s string) string { return string(bytes.ToValidUTF8([]byte(s), nil)) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
