package ocsf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
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

// TestOutcomes: what was done about a finding is an action and a disposition of the schema, and the text says the rest. That it is
// new, and nobody has looked at it, is the same for all.
func TestOutcomes(t *testing.T) {
	text, err := os.ReadFile("testdata/detection_finding.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		response *bulwark.Response
		want     string
	}{
		{nil, "3 Observed, 15 Detected: "},
		{&bulwark.Response{Action: "deny", Done: true, Text: "denied: sh (7) wanted to execute /tmp/x"}, "2 Denied, 2 Blocked: denied: sh (7) wanted to execute /tmp/x"},
		{&bulwark.Response{Action: "deny", Text: "let pass"}, "1 Allowed, 1 Allowed: let pass"},
		{&bulwark.Response{Action: "kill", Done: true, Text: "killed: sh (7)"}, "2 Denied, 2 Blocked: killed: sh (7)"},
		{&bulwark.Response{Action: "kill", Text: "not killed: it ended"}, "1 Allowed, 16 No Action: not killed: it ended"},
		{&bulwark.Response{Action: "freeze", Done: true, Text: "frozen: web"}, "2 Denied, 4 Isolated: frozen: web"},
		{&bulwark.Response{Action: "freeze", Text: "not frozen: it ended"}, "1 Allowed, 16 No Action: not frozen: it ended"},
	} {
		f := *sample.Running()[0]
		f.Response = tt.response
		var b bytes.Buffer
		if err := New(&b, Options{Hostname: "node-1", Now: sample.Now}).Handle(bulwark.Record{Finding: &f}); err != nil {
			t.Fatal(err)
		}
		schema.Valid(t, text, b.Bytes(), nil)
		var e struct {
			Action       int    `json:"action_id"`
			ActionName   string `json:"action"`
			Disposition  int    `json:"disposition_id"`
			Dispositions string `json:"disposition"`
			Detail       string `json:"status_detail"`
			Status       int    `json:"status_id"`
			Metadata     struct{ Profiles []string }
		}
		if err := json.Unmarshal(b.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %s, %d %s: %s", e.Action, e.ActionName, e.Disposition, e.Dispositions, e.Detail); got != tt.want || e.Status != 1 || !slices.Contains(e.Metadata.Profiles, "security_control") {
			t.Errorf("%+v is told as %q, want %q (status %d, profiles %v)", tt.response, got, tt.want, e.Status, e.Metadata.Profiles)
		}
	}
}
