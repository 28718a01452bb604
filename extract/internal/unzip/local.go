package unzip

import (
	"bytes"
	"encoding/binary"
)

// Local is an entry as its local header tells: all that is known of it while an archive
// streams by.
type Local struct {
	Entry
	// Open is true when the sizes follow the bytes.
	Open      bool
	Encrypted bool
}

// Locals reads an archive that is pushed to it from its start, by local headers alone.
// An entry whose size is not told beforehand ends where a descriptor of that size stands.
// The zero value needs Begin and Body.
type Locals struct {
	// Begin is called at the start of each entry; Name is valid until it returns.
	Begin func(*Local) error
	// Body takes the packed bytes of the entry, piece by piece, and nil at its end.
	Body func([]byte) error
	// Done is true when the directory was reached: nothing more is to come.
	Done bool

	state  func(*Locals, []byte) ([]byte, error)
	buf    []byte // a header that is not whole yet, or bytes that may be a descriptor
	left   int64  // bytes of the entry still to come
	passed int64  // bytes of the open entry that went to Body

	described bool // a descriptor follows the entry
	found     bool // a header was seen
}

// Push takes the next piece. After Done it takes no notice of any.
func (l *Locals) Push(p []byte) error {
	if l.state == nil {
		l.state = (*Locals).seek
	}
	var err error
	for len(p) > 0 && err == nil && !l.Done {
		p, err = l.state(l, p)
	}
	return err
}

// Close tells whether the archive came to its end.
func (l *Locals) Close() error {
	switch {
	case !l.found:
		return malformed("no zip archive: it has no entry")
	case !l.Done:
		return malformed("the archive ends before its directory")
	}
	return nil
}

// seek looks for the next header: a program may stand before the first, a descriptor
// before others.
func (l *Locals) seek(p []byte) ([]byte, error) {
	window := l.window(p)
	for at := 0; ; at++ {
		i := bytes.Index(window[at:], []byte("PK"))
		if i < 0 || len(window)-at-i < 4 {
			l.keep(window[max(0, len(window)-3):])
			return nil, nil
		}
		at += i
		if magic := string(window[at:][:4]); magic == localMagic || magic == entryMagic && l.found {
			rest := l.rest(window[at:])
			l.start()
			return rest, nil
		}
	}
}

// window is the kept bytes with p behind them.
func (l *Locals) window(p []byte) []byte {
	if len(l.buf) == 0 {
		return p
	}
	l.buf = append(l.buf, p...)
	return l.buf
}

// rest makes the rest of a window outlive the kept bytes.
func (l *Locals) rest(of []byte) []byte {
	if len(l.buf) == 0 {
		return of
	}
	return bytes.Clone(of)
}

// keep keeps the end of a window for the next piece.
func (l *Locals) keep(end []byte) { l.buf = append(l.buf[:0], end...) }

// start expects a header next.
func (l *Locals) start() {
	l.buf = l.buf[:0]
	l.state = (*Locals).header
}

// fill moves bytes of p into the buffer until it has n.
func (l *Locals) fill(p []byte, n int) (rest []byte, full bool) {
	take := min(n-len(l.buf), len(p))
	if take > 0 {
		l.buf = append(l.buf, p[:take]...)
		p = p[take:]
	}
	return p, len(l.buf) >= n
}

// header reads a local header, or sees that the directory begins.
func (l *Locals) header(p []byte) ([]byte, error) {
	p, full := l.fill(p, localSize)
	if !full {
		return p, nil
	}
	if string(l.buf[:4]) != localMagic {
		l.Done = string(l.buf[:4]) == entryMagic
		if !l.Done {
			return nil, malformed("a zip entry has no header")
		}
		return nil, nil
	}
	names := int(binary.LittleEndian.Uint16(l.buf[26:])) + int(binary.LittleEndian.Uint16(l.buf[28:]))
	if p, full = l.fill(p, localSize+names); !full {
		return p, nil
	}
	l.found = true
	return p, l.entry()
}

// entry begins an entry whose header is whole.
func (l *Locals) entry() error {
	h := l.buf
	n := int(binary.LittleEndian.Uint16(h[26:]))
	e := Local{Entry: Entry{Name: h[localSize:][:n], flags: binary.LittleEndian.Uint16(h[6:]), Method: binary.LittleEndian.Uint16(h[8:]),
		crc: binary.LittleEndian.Uint32(h[14:]), Packed: int64(binary.LittleEndian.Uint32(h[18:])), Size: int64(binary.LittleEndian.Uint32(h[22:]))}}
	e.widen(h[localSize+n:])
	if e.Packed < 0 || e.Size < 0 {
		return malformed("a zip entry of negative size")
	}
	described := e.flags&8 != 0
	e.Open = described && e.Packed == 0
	e.Encrypted = e.flags&1 != 0
	if err := l.Begin(&e); err != nil {
		return err
	}
	l.left, l.passed, l.described, l.buf = e.Packed, 0, described, l.buf[:0]
	switch {
	case e.Open:
		l.state = (*Locals).open
	case l.left == 0:
		return l.end()
	default:
		l.state = (*Locals).sized
	}
	return nil
}

// end ends an entry. One whose size was told may still have a descriptor.
func (l *Locals) end() error {
	l.start()
	if l.described {
		l.state = (*Locals).seek
	}
	return l.Body(nil)
}

// sized passes on an entry whose size is known.
func (l *Locals) sized(p []byte) ([]byte, error) {
	n := min(l.left, int64(len(p)))
	if err := l.Body(p[:n]); err != nil {
		return nil, err
	}
	if l.left -= n; l.left == 0 {
		return p[n:], l.end()
	}
	return p[n:], nil
}

const (
	descriptorMagic = "PK\x07\x08"
	// descriptorSize is the longest descriptor and the magic of what follows it.
	descriptorSize = 24 + 2
)

// open passes on an entry of unknown size up to the descriptor whose size fits.
func (l *Locals) open(p []byte) ([]byte, error) {
	window := l.window(p)
	at := 0
	for {
		i := bytes.Index(window[at:], []byte(descriptorMagic))
		if i < 0 {
			return nil, l.pass(window, max(at, len(window)-len(descriptorMagic)+1))
		}
		at += i
		if len(window)-at < descriptorSize {
			return nil, l.pass(window, at)
		}
		if n := descriptor(window[at:], l.passed+int64(at)); n > 0 {
			if at > 0 {
				if err := l.Body(window[:at]); err != nil {
					return nil, err
				}
			}
			l.described = false
			rest := l.rest(window[at+n:])
			return rest, l.end()
		}
		at++
	}
}

// pass gives window[:n] to Body and keeps the rest for the next piece.
func (l *Locals) pass(window []byte, n int) error {
	n = max(n, 0)
	l.passed += int64(n)
	var err error
	if n > 0 {
		err = l.Body(window[:n])
	}
	l.keep(window[n:])
	return err
}

// descriptor gives the length of the descriptor at the start of b when it belongs to an
// entry of that many packed bytes, else 0.
func descriptor(b []byte, packed int64) int {
	if int64(binary.LittleEndian.Uint32(b[8:])) == packed && string(b[16:18]) == "PK" {
		return 16
	}
	if int64(binary.LittleEndian.Uint64(b[8:])) == packed && string(b[24:26]) == "PK" {
		return 24
	}
	return 0
}
