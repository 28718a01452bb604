// Package whole serves the formats that need the whole run before they can write.
package whole

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/text"
)

// Run returns a handler that collects the records of a run and, at its summary, calls
// write with all of it.
func Run(write func(*bulwark.Report) error) bulwark.Handler {
	return &handler{write: write}
}

type handler struct {
	run   bulwark.Report
	write func(*bulwark.Report) error
}

func (h *handler) Handle(r bulwark.Record) error {
	if err := h.run.Handle(r); err != nil {
		return err
	}
	if r.Summary == nil {
		return nil
	}
	return h.write(&h.run)
}

func (h *handler) HandleReport(r *bulwark.Report) error { return h.write(r) }

// Now is the time that dates a document: the clock that the checks saw, which --now
// sets, else the start of the run.
func Now(o report.Options, run *bulwark.Run) time.Time {
	for _, t := range []time.Time{o.Now, run.Now, run.Started} {
		if !t.IsZero() {
			return t.UTC().Truncate(time.Second)
		}
	}
	return time.Unix(0, 0).UTC()
}

// UUID names a document by what is in it: the same run gives the same id.
func UUID(format string, r *bulwark.Report, now time.Time) string {
	h := sha256.New()
	fmt.Fprintln(h, format, r.Run.Version, now.Format(time.RFC3339), r.Run.Targets)
	for i := range r.Assets {
		fmt.Fprintln(h, r.Assets[i].ID)
	}
	for i := range r.Packages {
		fmt.Fprintln(h, r.Packages[i].Asset, r.Packages[i].PURL, r.Packages[i].Path)
	}
	for i := range r.Findings {
		fmt.Fprintln(h, r.Findings[i].Asset, r.Findings[i].Key)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8: made in a way of our own
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// JSON writes v indented, harmless to a terminal, and ends the line.
func JSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(text.JSON(buf.Bytes()))
	return err
}

// Name is what a person calls the run: its first asset that is no layer, else its
// first target.
func Name(r *bulwark.Report) string {
	for i := range r.Assets {
		if a := &r.Assets[i]; a.Kind != "layer" {
			return cmp.Or(a.Name, string(a.ID))
		}
	}
	return cmp.Or(strings.Join(r.Run.Targets, ", "), "nothing")
}

// Version is the version of this program, for documents that must have one.
func Version(r *bulwark.Report) string { return cmp.Or(r.Run.Version, "0.0.0-dev") }
