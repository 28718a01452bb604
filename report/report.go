// Package report is the contract of the report formats: each folder below it writes
// one of them. A format is a handler of the record stream, so a saved run replays into
// any of them.
package report

import (
	"io"
	"time"

	"bulwark"
)

// Format is one way to write a run.
type Format struct {
	Name      string // what -f takes: "sarif"
	Summary   string // one sentence for people
	Extension string // of a file that holds it, with its dot: ".sarif.json"
	// Inventory is true when the format serves `bulwark sbom` too.
	Inventory bool
	// New returns a handler that writes to w. It writes nothing after the summary,
	// which is the last record, and everything by then; the caller closes w.
	New func(w io.Writer, o Options) bulwark.Handler
}

// Options is what formats may be told. The zero value suits a file.
type Options struct {
	Color bool // ANSI colours are welcome
	Width int  // columns of the terminal; 0: as many as it takes
	// Now is the clock that checks saw: it dates documents and tells the age of data.
	// Zero: the run's.
	Now     time.Time
	Hygiene bool // show findings with the tag "hygiene" one by one
	Verbose bool // one line for each finding, where several would be folded
	// Inventory is true when nobody asked for findings: the run lists packages.
	Inventory bool
	// Unasked is true when nobody asked for what needs the advisory database.
	Unasked bool
	// Lookup tells what the advisory database knows about an id; nil: nothing is known.
	Lookup func(id string) (Details, bool)
	// Stream is true when somebody waits for each record: it is written at once.
	Stream bool
}

// Details is what the advisory database knows of an advisory beyond a finding.
type Details struct {
	Text       string // a description, often Markdown; foreign
	References []string
	Published  time.Time // zero when not known or absurd
	Modified   time.Time
}
