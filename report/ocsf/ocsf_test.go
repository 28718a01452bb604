package ocsf

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"bulwark"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
)

func write(t *testing.T, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	h := New(&b, Options{Hostname: "node-1", Now: sample.Now})
	records := []bulwark.Record{{Run: &bulwark.Run{Version: "0.6.0"}}, {Note: &bulwark.Note{Text: "x"}}, {Finding: &bulwark.Finding{Exception: &bulwark.Exception{}}}}
	for range times {
		for _, f := range sample.Running() {
			records = append(records, bulwark.Record{Finding: f})
		}
	}
	for _, r := range records {
		if err := h.Handle(r); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) { golden.Check(t, "running.jsonl", write(t, 1)) }

// TestSchema holds every line to the part of the schema that is written down in testdata, by hand, from the schema's own pages:
// objects have no keys but those of the schema, required ones are there, enumerations fit.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/detection_finding.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range bytes.Lines(write(t, 2)) {
		schema.Valid(t, text, line, nil)
		lines++
	}
	if lines != 2*len(sample.Running()) {
		t.Errorf("%d lines", lines)
	}
}

func TestUpdate(t *testing.T) {
	n := len(sample.Running())
	for i, line := range bytes.Split(bytes.TrimSpace(write(t, 2)), []byte("\n")) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		want := 1
		if i >= n {
			want = 2
		}
		if e.Activity != want || e.Type != 200400+want || e.Class != 2004 || e.Category != 2 {
			t.Errorf("line %d: activity %d, type %d", i, e.Activity, e.Type)
		}
	}
}
