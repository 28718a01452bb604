package patch

import (
	"slices"
	"strings"
)

// Text is a file that is changed several times. It knows which of its lines were there at
// first, so that all changes are one in the end.
type Text struct {
	Name  string
	lines []line
	first []string
}

// line is one that there is now.
type line struct {
	text string
	was  int // its place at first, from 0; -1 for one that is new
}

// NewText begins with the content as it is.
func NewText(name string, content []byte) *Text {
	t := &Text{Name: name, first: lines(string(content))}
	for i, l := range t.first {
		t.lines = append(t.lines, line{l, i})
	}
	return t
}

func lines(text string) []string {
	list := strings.SplitAfter(text, "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// Apply makes changes that were made for the text as it is now. The error wraps ErrMalformed,
// and nothing is changed then.
func (t *Text) Apply(f *File) error {
	if _, err := f.lines(t.Bytes()); err != nil {
		return err
	}
	var out []line
	at := 0
	for _, e := range f.edits {
		out = append(out, t.lines[at:e.at]...)
		for _, l := range e.new {
			out = append(out, line{l, -1})
		}
		at = e.end()
	}
	t.lines = append(out, t.lines[at:]...)
	return nil
}

// Bytes are the content as it is now.
func (t *Text) Bytes() []byte {
	var b strings.Builder
	for _, l := range t.lines {
		b.WriteString(l.text)
	}
	return []byte(b.String())
}

// Sum is all that was changed, for the content as it was at first.
func (t *Text) Sum() File {
	f := File{Name: t.Name}
	at := 0 // in first
	var fresh []string
	flush := func(until int) {
		old := t.first[at:until]
		if len(old)+len(fresh) > 0 && !slices.Equal(old, fresh) {
			f.edits = append(f.edits, edit{at: at, old: old, new: fresh})
		}
		at, fresh = until, nil
	}
	for _, l := range t.lines {
		if l.was < 0 {
			fresh = append(fresh, l.text)
			continue
		}
		flush(l.was)
		at++
	}
	flush(len(t.first))
	return f
}
