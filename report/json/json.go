// Package json writes and reads the schema bulwark/report/v1. Each package, finding
// and note stands on a line of its own, so that line tools can compare two reports.
package json

import (
	"bufio"
	_ "embed"
	"io"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/record"
	"bulwark/report/internal/whole"
)

// Schema is the JSON Schema of the report.
//
//go:embed schema.json
var Schema []byte

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "json", Summary: "The whole run in the schema bulwark/report/v1.", Extension: ".json", Inventory: true, New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, _ report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return Write(w, r) })
}

// Write writes r.
func Write(w io.Writer, r *bulwark.Report) error {
	o := writer{w: bufio.NewWriterSize(w, 64<<10)}
	o.raw("{\n  \"schema\": ")
	o.value(bulwark.Schema)
	o.raw(",\n  \"run\": ")
	o.value(record.Run(r.Run))
	list(&o, "assets", r.Assets, same)
	list(&o, "packages", r.Packages, same)
	list(&o, "findings", r.Findings, func(f *bulwark.Finding) any { return record.Finding(*f) })
	if len(r.Advice) > 0 {
		list(&o, "advice", r.Advice, same)
	}
	if len(r.Frameworks) > 0 {
		list(&o, "frameworks", r.Frameworks, same)
	}
	list(&o, "notes", r.Notes, same)
	o.raw(",\n  \"summary\": ")
	o.value(record.Summary(r.Summary))
	o.raw("\n}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

func same[T any](v *T) any { return v }

// writer keeps the first error.
type writer struct {
	w   *bufio.Writer
	enc record.Encoder
	err error
}

func (o *writer) raw(s string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(s)
	}
}

func (o *writer) value(v any) {
	if o.err != nil {
		return
	}
	b, err := o.enc.Encode(v)
	if err != nil {
		o.err = err
		return
	}
	_, o.err = o.w.Write(b)
}

func list[T any](o *writer, name string, items []T, shape func(*T) any) {
	o.raw(",\n  \"" + name + "\": [")
	for i := range items {
		if i > 0 {
			o.raw(",")
		}
		o.raw("\n    ")
		o.value(shape(&items[i]))
	}
	if len(items) > 0 {
		o.raw("\n  ")
	}
	o.raw("]")
}
