package oscal_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
	"bulwark/report/oscal"
)

//go:embed testdata/schema.json
var model []byte

func write(t *testing.T, r *bulwark.Report, o report.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(oscal.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestDocument(t *testing.T) {
	got := write(t, sample.Frameworks(), report.Options{})
	golden.Check(t, "frameworks.json", got)
	schema.Valid(t, model, got, nil)
	if strings.ContainsAny(string(got), "\x1b\x00\u202e") {
		t.Error("control characters pass through")
	}
}

func TestWithoutFrameworks(t *testing.T) {
	schema.Valid(t, model, write(t, sample.Report(), report.Options{}), nil)
	schema.Valid(t, model, write(t, &bulwark.Report{Frameworks: []bulwark.Framework{{}, {Controls: []bulwark.Control{{}}}}}, report.Options{}), nil)
}

// Ids are made of what the document says: the same run has the same, another time another.
func TestIDs(t *testing.T) {
	sampled := func() *bulwark.Report {
		r := sample.Frameworks()
		another := r.Frameworks[0] // of the same asset
		another.ID = "another"
		r.Frameworks = append(r.Frameworks, another)
		return r
	}
	a, b := write(t, sampled(), report.Options{}), write(t, sampled(), report.Options{})
	if !bytes.Equal(a, b) {
		t.Error("two documents of one run differ")
	}
	if bytes.Equal(a, write(t, sampled(), report.Options{Now: sample.Now.Add(time.Hour)})) {
		t.Error("documents of two runs are the same")
	}
	seen := map[string]int{}
	var doc any
	if err := json.Unmarshal(a, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if k == "uuid" {
					seen[e.(string)]++
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(doc)
	if len(seen) < 20 {
		t.Errorf("%d ids", len(seen))
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s names %d things", id, n)
		}
	}
}
