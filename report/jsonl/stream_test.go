package jsonl

import (
	"bytes"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/sample"
)

// TestStream holds that whoever waits for a finding gets it at once, with what findings of running things have.
func TestStream(t *testing.T) {
	var b bytes.Buffer
	h := New(&b, report.Options{Stream: true})
	if err := h.Handle(bulwark.Record{Finding: sample.Running()[0]}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"time":"2026-11-22T12:00:00.123456789Z"`, `"process":{"pid":4242,`, `"parents":[{"pid":4000`, `"container":{"id":"3f2a`, `"count":12`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s lacks %s", b.String(), want)
		}
	}
}
