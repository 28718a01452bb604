package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"

	"bulwark"
)

// What Git keeps (gitformat-pack(5)): objects that lie alone, each compressed by zlib behind
// the name of its kind, and packs of them. Of an object that is stored as the difference to
// another one, what it adds is given out: a text that the other has the half of is missed.

func isPack(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PACK\x00\x00\x00")) && len(b) >= 12 && (b[7] == 2 || b[7] == 3)
}

// isZlib tells the head of a stream: deflate with a window of 32 KB and no dictionary.
func isZlib(b []byte) bool {
	return len(b) >= 2 && b[0] == 0x78 && b[1]&0x20 == 0 && binary.BigEndian.Uint16(b)%31 == 0
}

// isLoose tells an object that lies alone by what it inflates to first.
func isLoose(b []byte) bool {
	if !isZlib(b) {
		return false
	}
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if z.(flate.Resetter).Reset(bytes.NewReader(b[2:]), nil) != nil {
		return false
	}
	head := make([]byte, len("commit 0"))
	n, _ := io.ReadFull(z, head)
	kind, rest, ok := strings.Cut(string(head[:n]), " ")
	return ok && objectKinds[kind] && (rest == "" || rest[0] >= '0' && rest[0] <= '9')
}

var objectKinds = map[string]bool{"blob": true, "commit": true, "tag": true, "tree": true}

// loose gives out an object that lies alone.
func (w *walker) loose(r *bufio.Reader, at string, d depth) error {
	return w.zlib(r, func(z io.Reader) error {
		br := readers.Get().(*bufio.Reader)
		defer readers.Put(br)
		defer br.Reset(nil)
		br.Reset(z)
		head, err := br.Peek(32)
		kind, size, ok := strings.Cut(string(head[:max(0, bytes.IndexByte(head, 0))]), " ")
		n, bad := strconv.ParseInt(size, 10, 64)
		if !ok || bad != nil {
			return fmt.Errorf("an object of Git without a head: %w", errors.Join(err, bulwark.ErrMalformed))
		}
		if _, err := br.Discard(len(kind) + len(size) + 2); err != nil {
			return err
		}
		return w.gitObject(br, at, kind, kind, n, d)
	})
}

// gitObject gives out an object, unless it is a list of names.
func (w *walker) gitObject(r io.Reader, at, kind, name string, size int64, d depth) error {
	if kind == "tree" {
		return w.pass(r)
	}
	return w.member(r, at, name, size, d)
}

// zlib lets read what a stream inflates to, and goes to its end.
func (w *walker) zlib(r *bufio.Reader, read func(io.Reader) error) error {
	head, _ := r.Peek(2)
	if !isZlib(head) {
		return fmt.Errorf("an object of Git that is not compressed: %w", bulwark.ErrMalformed)
	}
	r.Discard(2)
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return err
	}
	body := &budgeted{w, z}
	if err := read(body); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	_, err := r.Discard(4) // the checksum
	return err
}

// The kinds of objects in a pack.
var packKinds = map[byte]string{1: "commit", 2: "tree", 3: "blob", 4: "tag", byOffset: "change", byName: "change"}

const byOffset, byName = 6, 7 // differences to an object that is told so

// pack gives out the objects of a pack, in the order in which they lie.
func (w *walker) pack(r *bufio.Reader, at string, d depth) error {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	for n := range binary.BigEndian.Uint32(head[8:]) {
		if err := w.packed(r, at, int(n)+1, d); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	r.Discard(20) // the checksum
	return nil
}

// packed gives out the n-th object.
func (w *walker) packed(r *bufio.Reader, at string, n int, d depth) error {
	code, size, err := packHead(r)
	if err != nil {
		return err
	}
	kind, ok := packKinds[code]
	if !ok {
		return fmt.Errorf("an object of kind %d in a pack: %w", code, bulwark.ErrMalformed)
	}
	name := fmt.Sprintf("%s-%d", kind, n)
	return w.zlib(r, func(z io.Reader) error {
		if kind != "change" {
			return w.gitObject(z, at, kind, name, size, d)
		}
		br := readers.Get().(*bufio.Reader)
		defer readers.Put(br)
		defer br.Reset(nil)
		br.Reset(z)
		return w.member(&added{r: br}, at, name, size, d)
	})
}

// packHead reads what stands before an object's bytes.
func packHead(r *bufio.Reader) (code byte, size int64, err error) {
	b, err := r.ReadByte()
	code, size = b>>4&7, int64(b&15)
	for shift := 4; err == nil && b&0x80 != 0; shift += 7 {
		if shift > 53 {
			return 0, 0, fmt.Errorf("the size of an object in a pack: %w", bulwark.ErrMalformed)
		}
		b, err = r.ReadByte()
		size |= int64(b&0x7f) << shift
	}
	switch {
	case err != nil:
	case code == byName:
		_, err = r.Discard(20)
	case code == byOffset:
		for b = 0x80; err == nil && b&0x80 != 0; {
			b, err = r.ReadByte()
		}
	}
	return code, size, err
}

// added reads what a difference adds, a line feed wherever it goes on with what the other
// object has.
type added struct {
	r     *bufio.Reader
	begun bool
	gap   bool
	left  int // of what is added in a piece
}

func (a *added) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !a.begun {
		a.begun = true
		for range 2 { // the sizes of both objects
			if _, err := binary.ReadUvarint(a.r); err != nil {
				return 0, fmt.Errorf("a difference in a pack: %w", bulwark.ErrMalformed)
			}
		}
	}
	for a.left == 0 {
		op, err := a.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case op == 0:
			return 0, fmt.Errorf("a difference in a pack: %w", bulwark.ErrMalformed)
		case op&0x80 == 0:
			a.left = int(op)
		default:
			a.gap = true
			if _, err := a.r.Discard(bits.OnesCount8(op & 0x7f)); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
		}
	}
	if a.gap {
		a.gap = false
		p[0] = '\n'
		return 1, nil
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
