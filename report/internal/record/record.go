// Package record brings records into the shape that the schema promises: arrays are
// never null and every severity is counted.
package record

import (
	"bytes"
	"encoding/json"

	"bulwark"
	"bulwark/report/internal/text"
)

// Marshal encodes a record, or a part of one, on one line that does no harm to a
// terminal.
func Marshal(v any) ([]byte, error) { return new(Encoder).Encode(v) }

// Encoder does what [Marshal] does, over and over with the same memory. The zero value
// is ready.
type Encoder struct {
	buf bytes.Buffer
	enc *json.Encoder
}

// Encode gives bytes that are valid until the next call.
func (e *Encoder) Encode(v any) ([]byte, error) {
	if e.enc == nil {
		e.enc = json.NewEncoder(&e.buf)
		e.enc.SetEscapeHTML(false)
	}
	e.buf.Reset()
	if err := e.enc.Encode(v); err != nil {
		return nil, err
	}
	return text.JSON(bytes.TrimSuffix(e.buf.Bytes(), []byte("\n"))), nil
}

// Whole gives r with its arrays and counts filled in. It changes nothing that r
// leads to.
func Whole(r bulwark.Record) bulwark.Record {
	switch {
	case r.Run != nil:
		run := Run(*r.Run)
		r.Run = &run
	case r.Finding != nil:
		f := Finding(*r.Finding)
		r.Finding = &f
	case r.Summary != nil:
		s := Summary(*r.Summary)
		r.Summary = &s
	}
	return r
}

// Run fills in the arrays of a run.
func Run(r bulwark.Run) bulwark.Run {
	r.Targets = array(r.Targets)
	r.Started = r.Started.UTC()
	if a := r.Data.Advisories; a != nil {
		b := *a
		b.Sources = array(b.Sources)
		r.Data.Advisories = &b
	}
	return r
}

// Finding fills in the arrays of a finding.
func Finding(f bulwark.Finding) bulwark.Finding {
	f.Evidence = array(f.Evidence)
	if v := f.Vulnerability; v != nil {
		w := *v
		w.Aliases, w.CVEs, w.Fixed = array(w.Aliases), array(w.CVEs), array(w.Fixed)
		f.Vulnerability = &w
	}
	return f
}

// Summary counts every severity.
func Summary(s bulwark.Summary) bulwark.Summary {
	counts := map[bulwark.Severity]int{}
	for _, level := range bulwark.Severities() {
		counts[level] = s.Counts[level]
	}
	s.Counts = counts
	return s
}

func array[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
