package json

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bulwark"
	"bulwark/internal/limit"
)

// maxReport bounds a saved report, in bytes.
const maxReport = 64 << 20

// Read reads a saved report, json or jsonl, and keeps of it what the vocabulary has. The
// error wraps [bulwark.ErrMalformed], [bulwark.ErrLimit] for more than 64 MB, or
// [bulwark.ErrUnsupported] for another schema.
func Read(r io.Reader) (*bulwark.Report, error) {
	br := bufio.NewReaderSize(limit.Reader(r, maxReport, "the report"), 64<<10)
	rep, err := read(br)
	switch {
	case err == nil:
		return rep, nil
	case errors.Is(err, bulwark.ErrUnsupported), errors.Is(err, bulwark.ErrLimit), errors.Is(err, bulwark.ErrMalformed):
		return nil, fmt.Errorf("reading a saved report: %w", err)
	}
	return nil, fmt.Errorf("reading a saved report: %w: %w", bulwark.ErrMalformed, err)
}

// line is a whole report or a record of the stream.
type line struct {
	Schema   *string           `json:"schema"`
	Run      *bulwark.Run      `json:"run"`
	Assets   []bulwark.Asset   `json:"assets"`
	Packages []bulwark.Package `json:"packages"`
	Findings []bulwark.Finding `json:"findings"`
	AllNotes []bulwark.Note    `json:"notes"`

	Frameworks []bulwark.Framework `json:"frameworks"`
	Framework  *bulwark.Framework  `json:"framework"`
	Asset      *bulwark.Asset      `json:"asset"`
	Package    *bulwark.Package    `json:"package"`
	Finding    *bulwark.Finding    `json:"finding"`
	Advice     json.RawMessage     `json:"advice"` // a list in a report, one in a record
	Note       *bulwark.Note       `json:"note"`
	Summary    *bulwark.Summary    `json:"summary"`
}

func read(r io.Reader) (*bulwark.Report, error) {
	dec := json.NewDecoder(r)
	rep := &bulwark.Report{}
	closed := false
	for n := 0; ; n++ {
		var l line
		err := dec.Decode(&l)
		if err == io.EOF && n > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if closed {
			return nil, fmt.Errorf("more follows the summary: %w", bulwark.ErrMalformed)
		}
		if err := l.schema(n); err != nil {
			return nil, err
		}
		if err := l.into(rep); err != nil {
			return nil, err
		}
		closed = l.Summary != nil
	}
	if !closed {
		return nil, fmt.Errorf("it has no summary, so it is not whole: %w", bulwark.ErrMalformed)
	}
	return rep, nil
}

// schema checks the first value: a report names its schema, a stream begins with the
// run, which names it too.
func (l *line) schema(n int) error {
	switch {
	case l.Schema != nil && *l.Schema != bulwark.Schema:
		return fmt.Errorf("schema %q, and this program reads %s: %w", *l.Schema, bulwark.Schema, bulwark.ErrUnsupported)
	case n == 0 && l.Run == nil:
		return fmt.Errorf("it is no report of this program: it does not begin with a run: %w", bulwark.ErrUnsupported)
	case n == 0 && l.Schema == nil && l.Summary != nil:
		return fmt.Errorf("it names no schema: %w", bulwark.ErrUnsupported)
	}
	return nil
}

func (l *line) into(rep *bulwark.Report) error {
	rep.Assets = append(rep.Assets, l.Assets...)
	rep.Packages = append(rep.Packages, l.Packages...)
	rep.Findings = append(rep.Findings, l.Findings...)
	rep.Notes = append(rep.Notes, l.AllNotes...)
	rep.Frameworks = append(rep.Frameworks, l.Frameworks...)
	if err := l.advice(rep); err != nil {
		return err
	}
	for _, r := range []bulwark.Record{{Run: l.Run}, {Asset: l.Asset}, {Package: l.Package}, {Finding: l.Finding}, {Framework: l.Framework}, {Note: l.Note}, {Summary: l.Summary}} {
		if err := rep.Handle(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) advice(rep *bulwark.Report) error {
	if len(l.Advice) == 0 {
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(l.Advice), []byte("[")) {
		return json.Unmarshal(l.Advice, &rep.Advice)
	}
	var one bulwark.Advice
	if err := json.Unmarshal(l.Advice, &one); err != nil {
		return err
	}
	rep.Advice = append(rep.Advice, one)
	return nil
}
