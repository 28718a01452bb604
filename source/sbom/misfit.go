package sbom

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"bulwark"
)

// maxMisfits bounds the elements that are left out for a wrong type in them, and
// maxMisfitNotes those that are told one by one.
const (
	maxMisfits     = 100_000
	maxMisfitNotes = 20
)

// misfit is a value of JSON in a place where another type should be.
type misfit struct {
	Field string // where in the element; empty: the element itself
	text  string
}

func (m *misfit) Error() string { return m.text + ": " + bulwark.ErrMalformed.Error() }

// Unwrap makes it ErrMalformed.
func (m *misfit) Unwrap() error { return bulwark.ErrMalformed }

// lenient decodes a value. If a part of it has the wrong type the rest is decoded, as
// far as it can be, and misfit is not nil.
func (s *stream) lenient(v any) (*misfit, error) {
	err := s.decode(v)
	var typ *json.UnmarshalTypeError
	if err == nil || !errors.As(err, &typ) {
		return nil, err
	}
	what := "it"
	if typ.Field != "" {
		what = typ.Field
	}
	return &misfit{typ.Field, fmt.Sprintf("%s is of type %.20s where %s should be", what, typ.Value, nameOfType(typ.Type))}, nil
}

func nameOfType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	}
	return t.Kind().String()
}

// place is where an element stands in the document.
type place struct {
	list string
	n    int // from 0
}

func (p place) String() string { return fmt.Sprintf("%s[%d]", p.list, p.n) }

// numbered counts the elements of a list.
func (d *document) numbered(list string, element func(place) error) func() error {
	n := -1
	return func() error {
		n++
		return element(place{list, n})
	}
}

// misfits are the elements that could not be read whole.
type misfits struct {
	read  int // elements that could
	count int
	first string
	told  []bulwark.Note
}

func (m *misfits) add(why *misfit, what string) {
	text := what + ": " + why.text
	if m.count++; m.first == "" {
		m.first = text
	}
	if len(m.told) < maxMisfitNotes {
		m.told = append(m.told, bulwark.Note{Plugin: "source/sbom", Text: text, Incomplete: true})
	}
}

// leave adds an element that is left out.
func (m *misfits) leave(why *misfit, at place) error {
	m.add(why, at.String()+" is left out")
	return m.full()
}

func (m *misfits) full() error {
	if m.count > maxMisfits {
		return fmt.Errorf("more than %d elements have wrong types: %w", maxMisfits, bulwark.ErrLimit)
	}
	return nil
}

func (m *misfits) notes() []bulwark.Note {
	if n := m.count - len(m.told); n > 0 {
		return append(m.told, bulwark.Note{Plugin: "source/sbom", Text: fmt.Sprintf("%d more components have wrong types in them", n), Incomplete: true})
	}
	return m.told
}

// legible fails when there are elements and none of them could be read.
func (d *document) legible() error {
	if d.wrong.read > 0 || d.wrong.first == "" {
		return nil
	}
	return fmt.Errorf("nothing in it can be read: %s: %w", d.wrong.first, bulwark.ErrMalformed)
}
