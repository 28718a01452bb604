package remedy

import (
	"bytes"
	"strings"
)

// flow is a map or list in brackets.
type flow struct {
	open, close int // offsets of the brackets
	entries     []span
}

// span is one field or element in brackets.
type span struct {
	from, to int
	value    int // where a field's value begins; where the element does, in a list
	quoted   bool
}

const maxFlow = 100 // brackets within each other

// flow reads the brackets that open at an offset.
func (f *file) flow(at int) (*flow, error) { return f.brackets(at, 0) }

func (f *file) brackets(at, depth int) (*flow, error) {
	if depth > maxFlow {
		return nil, unsure("more than %d brackets within each other", maxFlow)
	}
	fl := &flow{open: at}
	closing := byte(']')
	if f.data[at] == '{' {
		closing = '}'
	}
	for at = f.spaces(at + 1); ; {
		c := f.byteAt(at)
		if c == closing {
			fl.close = at
			return fl, nil
		}
		e, err := f.span(at, closing == '}', depth)
		if err != nil {
			return nil, err
		}
		fl.entries = append(fl.entries, e)
		switch at = f.spaces(e.to); f.byteAt(at) {
		case ',':
			at = f.spaces(at + 1)
		case closing:
		default:
			return nil, unsure("line %d: brackets that cannot be read", f.lineOf(at)+1)
		}
	}
}

// span reads one field or element.
func (f *file) span(at int, pair bool, depth int) (span, error) {
	s := span{from: at, value: at}
	end, err := f.inside(at, depth, pair)
	if err != nil {
		return s, err
	}
	s.quoted = f.byteAt(at) == '"' || f.byteAt(at) == '\''
	if s.to = end; !pair {
		return s, nil
	}
	if at = f.spaces(end); f.byteAt(at) != ':' {
		return s, unsure("line %d: a key without a value", f.lineOf(end)+1)
	}
	s.value = f.spaces(at + 1)
	if c := f.byteAt(s.value); c == ',' || c == '}' {
		return s, unsure("line %d: a key without a value", f.lineOf(end)+1)
	}
	s.to, err = f.inside(s.value, depth, false)
	return s, err
}

// inside is where a value within brackets ends.
func (f *file) inside(at, depth int, key bool) (int, error) {
	for c := f.byteAt(at); c == '&' || c == '!'; c = f.byteAt(at) {
		at = f.spaces(f.word(at))
	}
	switch f.byteAt(at) {
	case '{', '[':
		fl, err := f.brackets(at, depth+1)
		if err != nil {
			return 0, err
		}
		return fl.close + 1, nil
	case '"', '\'':
		return f.quoted(at)
	case 0:
		return 0, unsure("brackets do not end")
	}
	from := at
	for ; at < len(f.data); at++ {
		c := f.data[at]
		next := f.byteAt(at + 1)
		if strings.IndexByte(",[]{}\n", c) >= 0 || c == '#' && f.data[at-1] == ' ' || key && c == ':' && strings.IndexByte(" \r\n,[]{}\"", next) >= 0 {
			break
		}
	}
	end := from + len(bytes.TrimRight(f.data[from:at], " \t\r"))
	if end == from {
		return 0, unsure("line %d: nothing where a value belongs", f.lineOf(from)+1)
	}
	return end, nil
}
