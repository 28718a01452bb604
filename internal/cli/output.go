package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"bulwark"
	"bulwark/report"
)

// clean makes foreign words harmless on a terminal: control and direction characters
// become "?".
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return '?'
		}
		return r
	}, s)
}

// sinks is where one run's records go: a handler for each format that was asked for.
type sinks struct {
	handlers []bulwark.Handler
	files    []*pending
	table    bool           // stdout has the table, which shows notes
	missed   []bulwark.Note // what could not be looked at, targets that did not open aside
}

var _ bulwark.Reporter = (*sinks)(nil)

// Handle gives the record to every format.
func (s *sinks) Handle(r bulwark.Record) error {
	s.heed(r.Note)
	return s.each(func(h bulwark.Handler) error { return h.Handle(r) })
}

// HandleReport gives a whole run to every format.
func (s *sinks) HandleReport(r *bulwark.Report) error {
	for i := range r.Notes {
		s.heed(&r.Notes[i])
	}
	return s.each(r.Replay)
}

// heed remembers what could not be looked at.
func (s *sinks) heed(n *bulwark.Note) {
	if n != nil && n.Incomplete && n.Plugin != "source" {
		s.missed = append(s.missed, *n)
	}
}

func (s *sinks) each(handle func(bulwark.Handler) error) error {
	for _, h := range s.handlers {
		if err := handle(h); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	return nil
}

// pending is a file that is written beside its place and renamed when it is whole.
type pending struct {
	*os.File
	name   string
	direct bool // a device or a pipe: there is nothing to rename
}

func create(name string) (*pending, error) {
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		return &pending{f, name, true}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".bulwark-*")
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", name, err)
	}
	return &pending{f, name, false}, nil
}

// commit puts the file in its place.
func (p *pending) commit() error {
	if p.direct {
		if err := p.Close(); err != nil {
			return fmt.Errorf("writing %s: %w", p.name, err)
		}
		return nil
	}
	err := errors.Join(p.Chmod(0o644), p.Close())
	if err == nil {
		err = os.Rename(p.Name(), p.name)
	}
	if err != nil {
		p.discard()
		return fmt.Errorf("writing %s: %w", p.name, err)
	}
	return nil
}

// discard removes what was written; closing twice does no harm.
func (p *pending) discard() {
	p.Close()
	if !p.direct {
		os.Remove(p.Name())
	}
}

// close puts the files in their places, or removes them after a failure.
func (s *sinks) close(failed error) error {
	for _, f := range s.files {
		if failed != nil {
			f.discard()
			continue
		}
		failed = f.commit()
	}
	return failed
}

// open makes the handlers for the formats that were asked for.
func (a *app) open(formats []report.Format, normal string, o report.Options) (*sinks, error) {
	wanted := a.formats
	if len(wanted) == 0 {
		wanted = []string{normal}
	}
	s := &sinks{}
	plain := 0
	for _, w := range wanted {
		name, file, several := strings.Cut(w, "=")
		f, err := formatNamed(formats, name)
		if err == nil && several && file == "" {
			err = usage("-f %s names no file after =", w)
		}
		if err != nil {
			return nil, s.close(err)
		}
		if file == "" {
			plain++
			file = a.output
		}
		if plain > 1 {
			err := usage("one format goes to stdout or --output; give the others a file: -f %s=FILE", name)
			return nil, s.close(err)
		}
		if err := s.add(a.out, f, file, a.suited(o, file)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sinks) add(stdout io.Writer, f report.Format, file string, o report.Options) error {
	if file == "" {
		s.table = f.Name == "table"
		s.handlers = append(s.handlers, f.New(stdout, o))
		return nil
	}
	p, err := create(file)
	if err != nil {
		return s.close(err)
	}
	s.files = append(s.files, p)
	s.handlers = append(s.handlers, f.New(p, o))
	return nil
}

func formatNamed(formats []report.Format, name string) (report.Format, error) {
	i := slices.IndexFunc(formats, func(f report.Format) bool { return f.Name == name })
	if i < 0 {
		return report.Format{}, usage("this command has no format %q; it has %s", name, strings.Join(names(formats), " "))
	}
	return formats[i], nil
}

func names(formats []report.Format) []string {
	list := make([]string, len(formats))
	for i, f := range formats {
		list[i] = f.Name
	}
	return list
}

// suited adds what the place of writing allows: colour and width of a terminal.
func (a *app) suited(o report.Options, file string) report.Options {
	out, ok := a.out.(*os.File)
	if file != "" || !ok || !term.IsTerminal(int(out.Fd())) {
		return o
	}
	o.Color = !a.noColor && os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(out.Fd())); err == nil {
		o.Width = width
	}
	return o
}

// notes tells on stderr what could not be looked at, where stdout does not show it.
func (a *app) notes(s *sinks) {
	if a.quiet || s.table {
		return
	}
	const most = 10
	for i, n := range s.missed {
		if i == most && !a.verbose {
			fmt.Fprintf(a.err, "bulwark: note: %d more notes are in the report\n", len(s.missed)-most)
			return
		}
		fmt.Fprintf(a.err, "bulwark: note: %s\n", clean(strings.Join(nonEmpty(n.Plugin, n.Path, n.Text), ": ")))
	}
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// started is when the run began, to the second: reports carry it.
func started() time.Time { return time.Now().UTC().Truncate(time.Second) }

// write sends what fn writes to stdout or to --output.
func (a *app) write(fn func(io.Writer) error) error { return a.writeTo(a.output, fn) }

// writeTo sends what fn writes to a file, or to stdout where none is named.
func (a *app) writeTo(file string, fn func(io.Writer) error) error {
	if file == "" {
		return fn(a.out)
	}
	p, err := create(file)
	if err != nil {
		return err
	}
	if err := fn(p); err != nil {
		p.discard()
		return err
	}
	return p.commit()
}
