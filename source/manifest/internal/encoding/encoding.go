// Package encoding gives texts in UTF-8 that are written in other ways, as editors and shells
// of other systems do.
package encoding

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// Reader gives a text in UTF-8; tell says, when it was read, what is wrong with how it is
// written.
func Reader(in io.Reader) (text io.Reader, tell func() string) {
	r := bufio.NewReaderSize(in, 4096)
	head, _ := r.Peek(4)
	e := of(head)
	if e.unit == 0 {
		r.Discard(e.mark)
		return r, func() string { return "" }
	}
	d := newDecoder(r, e)
	return d, func() string {
		if !d.odd {
			return ""
		}
		return "is " + e.name + " that is damaged: some of its letters could not be read"
	}
}

// Bytes gives a text in UTF-8, and what is wrong with how it is written. A text that is in
// UTF-8 is not copied.
func Bytes(text []byte) (out []byte, odd string) {
	e := of(text[:min(len(text), 4)])
	if e.unit == 0 {
		return text[e.mark:], ""
	}
	in, tell := Reader(bytes.NewReader(text))
	out, _ = io.ReadAll(in)
	return out, tell()
}

// encoding is how the letters of a text are written. The zero value is UTF-8.
type encoding struct {
	name string
	unit int // bytes of a unit: 2 or 4; 0 for UTF-8
	big  bool
	mark int // bytes of the mark that the text begins with
}

// of finds out how a text is written by its first four bytes, or as many as it has:
// by its mark, else as YAML does by where the zeros of a first letter of ASCII are.
func of(head []byte) encoding {
	little32, big32 := encoding{name: "UTF-32", unit: 4}, encoding{name: "UTF-32", unit: 4, big: true}
	little16, big16 := encoding{name: "UTF-16", unit: 2}, encoding{name: "UTF-16", unit: 2, big: true}
	marked := func(e encoding, n int) encoding { e.mark = n; return e }
	for _, m := range []struct {
		mark string
		e    encoding
	}{{"\xff\xfe\x00\x00", little32}, {"\x00\x00\xfe\xff", big32}, {"\xff\xfe", little16}, {"\xfe\xff", big16}, {"\xef\xbb\xbf", encoding{}}} {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return marked(m.e, len(m.mark))
		}
	}
	if len(head) < 4 {
		return encoding{}
	}
	zeros := [4]bool{head[0] == 0, head[1] == 0, head[2] == 0, head[3] == 0}
	switch zeros {
	case [4]bool{false, true, true, true}:
		return little32
	case [4]bool{true, true, true, false}:
		return big32
	case [4]bool{false, true, false, true}:
		return little16
	case [4]bool{true, false, true, false}:
		return big16
	}
	return encoding{}
}

// decoder gives a text in UTF-8. What is no letter becomes U+FFFD.
type decoder struct {
	in   *bufio.Reader
	e    encoding
	odd  bool // something was no letter
	rest []byte
}

// newDecoder leaves out the mark that the text begins with.
func newDecoder(in io.Reader, e encoding) *decoder {
	d := &decoder{in: bufio.NewReader(in), e: e}
	d.in.Discard(e.mark)
	return d
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (int, error) {
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	for n == 0 || n+utf8.UTFMax <= len(p) {
		r, err := d.letter()
		if err != nil {
			if n > 0 {
				return n, nil // it comes again
			}
			return 0, err
		}
		text := utf8.AppendRune(nil, r)
		took := copy(p[n:], text)
		d.rest = text[took:]
		if n += took; len(p) == 0 {
			break
		}
	}
	return n, nil
}

func (d *decoder) letter() (rune, error) {
	r, err := d.next()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	second, err := d.peek()
	if whole := utf16.DecodeRune(r, second); err == nil && d.e.unit == 2 && whole != utf8.RuneError {
		d.in.Discard(2)
		return whole, nil
	}
	d.odd = true
	return utf8.RuneError, nil
}

// next takes one unit.
func (d *decoder) next() (rune, error) {
	r, err := d.peek()
	if err != nil {
		return 0, err
	}
	n, _ := d.in.Discard(d.e.unit)
	if n < d.e.unit || r > utf8.MaxRune || r < 0 {
		d.odd = true
		return utf8.RuneError, nil
	}
	return r, nil
}

// peek looks at one unit. A part of one at the end is none that is a letter.
func (d *decoder) peek() (rune, error) {
	b, err := d.in.Peek(d.e.unit)
	switch {
	case len(b) == 0 || err != nil && err != io.EOF:
		return 0, err
	case len(b) < d.e.unit:
		return -1, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if d.e.big {
		order = binary.BigEndian
	}
	if d.e.unit == 4 {
		return rune(order.Uint32(b)), nil
	}
	return rune(order.Uint16(b)), nil
}

// Latin takes bytes of a text that are no UTF-8 for letters of Latin-1, in which they most
// often are written: a comment in an old editor's encoding must not hide what stands around it.
// Line is where the first of them stands, from 1; 0 when there is none.
func Latin(text []byte) (out []byte, line int) {
	if utf8.Valid(text) {
		return text, 0
	}
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			if line == 0 {
				line = 1 + bytes.Count(text[:at], []byte("\n"))
			}
			if r = rune(text[at]); r < 0xa0 {
				r = utf8.RuneError
			}
		}
		out = utf8.AppendRune(out, r)
		at += size
	}
	return out, line
}
