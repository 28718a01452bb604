package cli

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

func (r *reach) write(fn func(io.Writer) error) error { return r.app.write(escaping(r.format, fn)) }

// escaping has fn write JSON in which the runes that a terminal would obey are escaped.
func escaping(format string, fn func(io.Writer) error) func(io.Writer) error {
	if format != "json" {
		return fn
	}
	return func(w io.Writer) error {
		e := &escaper{w: w}
		if err := fn(e); err != nil {
			return err
		}
		_, err := w.Write(e.rest)
		return err
	}
}

// escaper passes JSON on. Such runes stand inside strings alone, so the meaning stays.
type escaper struct {
	w    io.Writer
	rest []byte // of a rune whose end is to come
}

func (e *escaper) Write(b []byte) (int, error) {
	if len(e.rest) == 0 && !bytes.ContainsFunc(b, obeyed) && utf8.Valid(b) {
		return e.w.Write(b)
	}
	data, out := append(e.rest, b...), make([]byte, 0, len(b)+16)
	for len(data) > 0 && utf8.FullRune(data) {
		r, n := utf8.DecodeRune(data)
		if obeyed(r) && r <= 0xffff {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	e.rest = data
	if _, err := e.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func obeyed(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
