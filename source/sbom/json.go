package sbom

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"bulwark"
)

// stream reads a JSON document element by element, so that a large one costs no more
// memory than its largest element.
type stream struct {
	dec     *json.Decoder
	win     *window
	skipped int
}

// maxSkipped bounds the files, relations and other elements that are left out.
const maxSkipped = 5_000_000

func newStream(r io.Reader) *stream {
	w := &window{r: r, left: maxElement}
	return &stream{dec: json.NewDecoder(w), win: w}
}

// window bounds how far a decoder reads for one element.
type window struct {
	r    io.Reader
	left int
}

func (w *window) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, fmt.Errorf("one element has more than %d bytes: %w", maxElement, bulwark.ErrLimit)
	}
	n, err := w.r.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

func (s *stream) decode(v any) error {
	s.win.left = maxElement
	return s.dec.Decode(v)
}

func (s *stream) token() (json.Token, error) {
	s.win.left = maxElement
	return s.dec.Token()
}

// object calls member for each key; member takes the value.
func (s *stream) object(member func(key string) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	return s.members(member)
}

func (s *stream) members(member func(key string) error) error {
	for s.dec.More() {
		t, err := s.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("a key that is no string: %w", bulwark.ErrMalformed)
		}
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

func (s *stream) open(want json.Delim) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%v where %v should be: %w", t, want, bulwark.ErrMalformed)
	}
	return nil
}

// array calls element for each; element takes it. null is an empty array.
func (s *stream) array(element func() error) error {
	t, err := s.token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%.40v where an array should be: %w", t, bulwark.ErrMalformed)
	}
	return s.elements(element)
}

func (s *stream) elements(element func() error) error {
	for s.dec.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

// skip leaves a value out; arrays and objects of any length element by element.
func (s *stream) skip() error {
	t, err := s.token()
	if err != nil {
		return err
	}
	leave := func() error {
		if s.skipped++; s.skipped > maxSkipped {
			return fmt.Errorf("more than %d elements that are no packages: %w", maxSkipped, bulwark.ErrLimit)
		}
		return s.decode(&nothing{})
	}
	switch t {
	case json.Delim('['):
		return s.elements(leave)
	case json.Delim('{'):
		return s.members(func(string) error { return leave() })
	}
	return nil
}

// nothing takes any value and keeps none of it.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return nil }

// json reads a document in JSON; which format it is may be told at its end.
func (d *document) json(r io.Reader) error {
	s := newStream(r)
	f := formats{}
	err := s.object(func(key string) error { return d.member(s, key, &f) })
	if err != nil {
		return err
	}
	if _, err := s.token(); err != io.EOF {
		return fmt.Errorf("more follows the document: %w", bulwark.ErrMalformed)
	}
	if err := d.legible(); err != nil {
		return err
	}
	return f.check()
}

// formats is how a document names its format.
type formats struct {
	bom, spec string // CycloneDX
	spdx      string // SPDX 2
	context   bool   // SPDX 3
}

func (f *formats) check() error {
	switch {
	case f.bom != "":
		if f.bom != "CycloneDX" || !strings.HasPrefix(f.spec, "1.") {
			return fmt.Errorf("%.40q in version %.20q: %w", f.bom, f.spec, bulwark.ErrUnsupported)
		}
	case f.spdx != "":
		if !strings.HasPrefix(f.spdx, "SPDX-2.") {
			return fmt.Errorf("%.40q: %w", f.spdx, bulwark.ErrUnsupported)
		}
	case !f.context:
		return fmt.Errorf("it says neither CycloneDX nor SPDX: %w", bulwark.ErrMalformed)
	}
	return nil
}

func (d *document) member(s *stream, key string, f *formats) error {
	switch key {
	case "bomFormat":
		return s.decode(&f.bom)
	case "specVersion":
		return s.decode(&f.spec)
	case "metadata":
		return d.metadata(s)
	case "components":
		return s.array(d.numbered(key, func(at place) error { return d.cycloneComponent(s, at) }))
	case "spdxVersion":
		return s.decode(&f.spdx)
	case "name":
		var name string
		if err := s.decode(&name); err != nil {
			return err
		}
		d.describe(name, "")
		return nil
	case "packages":
		return s.array(d.numbered(key, func(at place) error { return d.spdxPackage(s, at) }))
	case "@context":
		return linkedContext(s, &f.context)
	case "@graph":
		return s.array(d.numbered(key, func(at place) error { return d.spdx3Element(s, at) }))
	}
	return s.skip()
}

// linkedContext looks for SPDX 3 in a JSON-LD context, one address or several.
func linkedContext(s *stream, found *bool) error {
	var raw json.RawMessage
	if err := s.decode(&raw); err != nil {
		return err
	}
	*found = strings.Contains(string(raw), "spdx.org/rdf/3")
	return nil
}
