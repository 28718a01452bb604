package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"bulwark"
)

// zip follows the local headers, which come before each file, and never sees the directory
// at the end.
func (w *walker) zip(r *bufio.Reader, at string, d depth) error {
	for {
		b, _ := r.Peek(30)
		switch {
		case len(b) == 0: // behind the last file is a directory, always
			return io.ErrUnexpectedEOF
		case !isMember(b):
			return nil
		}
		h, err := readHeader(r)
		if err != nil {
			return err
		}
		if err := w.zipped(r, h, at, d); err != nil {
			return err
		}
	}
}

// header is a local header.
type header struct {
	name         string
	flags        uint16
	method       uint16
	stored, size int64
}

func (h *header) locked() bool { return h.flags&1 != 0 }

// later: the sizes follow the file.
func (h *header) later() bool { return h.flags&8 != 0 }

func readHeader(r *bufio.Reader) (*header, error) {
	var b [30]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	h := &header{flags: le.Uint16(b[6:]), method: le.Uint16(b[8:]), stored: int64(le.Uint32(b[18:])), size: int64(le.Uint32(b[22:]))}
	text := make([]byte, int(le.Uint16(b[26:]))+int(le.Uint16(b[28:])))
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	name, extra := text[:le.Uint16(b[26:])], text[le.Uint16(b[26:]):]
	h.name = string(name)
	h.wide(extra)
	return h, nil
}

// wide takes sizes of more than 32 bits from the extra fields.
func (h *header) wide(extra []byte) {
	const full = 1<<32 - 1
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			return
		}
		if id == 1 && n >= 16 && h.size == full && h.stored == full {
			h.size, h.stored = int64(le.Uint64(extra)&(1<<62-1)), int64(le.Uint64(extra[8:])&(1<<62-1))
		}
		extra = extra[n:]
	}
}

var errEndless = fmt.Errorf("a file of it does not say where it ends: %w", bulwark.ErrUnsupported)

// zipped reads the file behind a header.
func (w *walker) zipped(r *bufio.Reader, h *header, at string, d depth) error {
	if h.locked() {
		w.locked++
	}
	switch {
	case h.method == 8 && !h.locked() && (h.later() || worthReading(h.name)):
		return w.deflated(r, h, at, d)
	case h.later() && h.stored == 0 && h.method == 0 && !h.locked():
		if err := w.member(&untilSizes{r: r}, at, h.name, 0, d); err != nil {
			return err
		}
		return descriptor(r)
	case h.later() && h.stored == 0:
		return errEndless
	}
	if err := w.stored(r, h, at, d); err != nil || !h.later() {
		return err
	}
	return descriptor(r)
}

// stored reads a file whose end is known.
func (w *walker) stored(r *bufio.Reader, h *header, at string, d depth) error {
	body := &exactly{r: r, left: h.stored}
	switch {
	case h.locked() || !worthReading(h.name):
		return w.pass(body)
	case h.method != 0:
		w.note(fmt.Errorf("a file of it is compressed by method %d: %w", h.method, bulwark.ErrUnsupported))
		return w.pass(body)
	}
	return w.member(body, at, h.name, h.size, d)
}

// untilSizes reads a file that is stored as it is and whose sizes follow it: up to a
// descriptor that tells how many bytes there were.
type untilSizes struct {
	r *bufio.Reader
	n int64
}

func (u *untilSizes) Read(p []byte) (int, error) {
	b, _ := u.r.Peek(max(16, u.r.Buffered()))
	if len(b) < 16 {
		return 0, io.ErrUnexpectedEOF
	}
	n := bytes.Index(b, []byte("PK\x07\x08"))
	switch {
	case n == 0 && binary.LittleEndian.Uint32(b[8:]) == uint32(u.n):
		return 0, io.EOF
	case n == 0:
		n = 1
	case n < 0:
		n = len(b) - 3
	}
	n = copy(p, b[:n])
	u.n += int64(n)
	return u.r.Discard(n)
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

func (w *walker) deflated(r *bufio.Reader, h *header, at string, d depth) error {
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return err
	}
	if err := w.member(&budgeted{w, z}, at, h.name, h.size, d); err != nil || !h.later() {
		return err
	}
	return descriptor(r)
}

// descriptor passes the sizes that follow a file: with or without a signature, of 32 bits or of 64.
func descriptor(r *bufio.Reader) error {
	b, err := r.Peek(28)
	if err != nil && len(b) < 20 {
		return err
	}
	for _, n := range []int{16, 12, 24, 20} {
		if len(b) >= n+4 && b[n] == 'P' && b[n+1] == 'K' {
			_, err := r.Discard(n)
			return err
		}
	}
	return errors.New("nothing follows a file of it")
}

// exactly reads so many bytes; fewer are an error.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(b[:min(int64(len(b)), e.left)])
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
