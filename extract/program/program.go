// Package program recognises well-known programs and libraries that no package manager
// installed, by what their files hold. What it knows is a table (table.go).
//
// A file whose name is in the table is searched as it streams by: for a literal first,
// then with a pattern on the few bytes that follow. A program that a distribution
// package owns is found as well; the engine marks it.
package program

import (
	"bytes"
	"regexp"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

var _ bulwark.Inspector = (*Inspector)(nil)

// Inspector finds well-known programs.
type Inspector struct{}

// New returns an inspector of well-known programs.
func New() *Inspector { return &Inspector{} }

// Info names the plugin.
func (*Inspector) Info() bulwark.Info {
	return bulwark.Info{
		Name:    "extract/program",
		Summary: "Well-known programs and libraries that no package manager installed.",
		Version: 1,
	}
}

// Begin wants the files that the table names.
func (*Inspector) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if f.Size == 0 {
		return nil
	}
	rows := names().find(f.Path, f.Base)
	if len(rows) == 0 {
		return nil
	}
	return newSink(rows, f.Base)
}

const (
	// window is how many bytes a pattern sees, its literal included.
	window = 256
	// maxTries bounds the places where a pattern is tried; a literal that is that
	// common tells nothing.
	maxTries = 20_000
)

// sink searches one file.
type sink struct {
	search []search
	tail   []byte // of the pieces before: what a window may still need
	start  bool   // tail begins with the start of the file
	found  []bulwark.Package
}

// search is a row of the table at work on one file.
type search struct {
	row     *row
	anchors [][]byte
	pattern *regexp.Regexp
	tries   int
}

func newSink(rows []*row, base string) *sink {
	s := &sink{start: true}
	for _, r := range rows {
		if w, ok := r.search(base); ok {
			s.search = append(s.search, w)
		}
	}
	return s
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if len(s.search) == 0 {
		return len(p), bulwark.ErrSkip
	}
	joint := append(s.tail, p...)
	s.scan(joint, false)
	if len(s.search) == 0 {
		return len(p), bulwark.ErrSkip
	}
	if s.start && len(joint) < window { // the start of the file has not been looked at
		s.tail = joint
		return len(p), nil
	}
	// A window that begins in the last bytes is not whole yet.
	s.start, s.tail = false, append(joint[:0], joint[max(0, len(joint)-window+1):]...)
	return len(p), nil
}

// Close gives what was found.
func (s *sink) Close() (bulwark.Facts, error) {
	s.scan(s.tail, true)
	return bulwark.Facts{Packages: s.found}, nil
}

// scan tries every row on b, and drops those that found their program. Windows that b
// ends within are left for later, unless it is the last of the file.
func (s *sink) scan(b []byte, last bool) {
	kept := s.search[:0]
	for _, w := range s.search {
		version, ok := w.version(b, s.start, last)
		switch {
		case ok:
			s.found = append(s.found, w.row.found(version))
		case w.tries < maxTries:
			kept = append(kept, w)
		}
	}
	s.search = kept
}

func (w *search) version(b []byte, start, last bool) (string, bool) {
	if len(w.anchors) == 0 { // the pattern belongs at the start of the file
		if !start || len(b) < window && !last {
			return "", false
		}
		w.tries = maxTries
		return w.try(b)
	}
	for _, anchor := range w.anchors {
		for i := 0; w.tries < maxTries; i++ {
			j := bytes.Index(b[i:], anchor)
			if j < 0 || len(b)-i-j < window && !last {
				break
			}
			i += j
			w.tries++
			if v, ok := w.try(b[i:]); ok {
				return v, true
			}
		}
	}
	return "", false
}

// try applies the pattern to what starts at b.
func (w *search) try(b []byte) (string, bool) {
	m := w.pattern.FindSubmatch(b[:min(len(b), window)])
	if m == nil {
		return "", false
	}
	version := string(m[1])
	_, ok := lang.Version(version)
	return version, ok && version != ""
}

// found makes the package. Bitnami's advisories count in plain numbers: what a vendor
// adds to a version does not compare with them.
func (r *row) found(version string) bulwark.Package {
	if r.golang {
		return lang.Package("golang", "stdlib", version, "", nil)
	}
	p := bulwark.Package{PURL: purl.New("generic", r.name, version), Name: r.name, Version: version, Format: "generic"}
	if r.bitnami && strings.Trim(version, "0123456789.") == "" {
		p.Ecosystem = ecosystem.OfType("bitnami")
	}
	return p
}
