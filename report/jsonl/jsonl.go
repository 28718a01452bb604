// Package jsonl writes the record stream of a run, one object a line, as it comes.
package jsonl

import (
	"bufio"
	"io"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/record"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "jsonl", Summary: "The record stream of the run, one JSON object a line.", Extension: ".jsonl", New: New}
}

// New returns a handler that writes each record on a line; the first one names the
// schema.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return &handler{w: bufio.NewWriterSize(w, 64<<10), stream: o.Stream}
}

type handler struct {
	w      *bufio.Writer
	stream bool
}

// first is the record that names the schema.
type first struct {
	Schema string `json:"schema"`
	bulwark.Record
}

func (h *handler) Handle(r bulwark.Record) error {
	var v any = record.Whole(r)
	if r.Run != nil {
		v = first{bulwark.Schema, record.Whole(r)}
	}
	line, err := record.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := h.w.Write(append(line, '\n')); err != nil {
		return err
	}
	if r.Summary == nil && !h.stream {
		return nil
	}
	return h.w.Flush()
}
