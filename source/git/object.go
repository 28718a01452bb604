package git

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/klauspost/compress/zlib"

	"bulwark"
)

// object is one that is open: its bytes are all there, or to be read.
type object struct {
	kind kind
	size int64
	data []byte
	body io.Reader // nil: data has it all
	sum  hash.Hash
	id   id
	left int64
	bad  error // what reading ended in, or io.EOF
}

// verify makes reading the object end in an error if it is not the one of that id.
func (x *object) verify(o id) {
	if x.body == nil {
		x.body = bytes.NewReader(x.data)
	}
	x.id, x.left, x.sum = o, x.size, sha1.New()
	fmt.Fprintf(x.sum, "%s %d\x00", x.kind, x.size) // never fails
}

// Read gives the object's bytes, as many as its header says.
func (x *object) Read(p []byte) (int, error) {
	if x.bad != nil {
		return 0, x.bad
	}
	if x.left == 0 {
		x.bad = x.end()
		return 0, x.bad
	}
	n, err := x.body.Read(p[:min(int64(len(p)), x.left)])
	x.left -= int64(n)
	if x.sum != nil {
		x.sum.Write(p[:n])
	}
	switch {
	case err == nil || errors.Is(err, io.EOF) && x.left == 0:
		return n, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%w: it is shorter than it says", bulwark.ErrMalformed)
	default:
		err = damaged(err)
	}
	x.bad = err
	return n, err
}

// end tells whether what was read is what was asked for.
func (x *object) end() error {
	if x.sum != nil && id(x.sum.Sum(nil)) != x.id {
		return fmt.Errorf("its bytes are not those of its id: %w", bulwark.ErrUntrusted)
	}
	return io.EOF
}

// all reads the object as a whole.
func (x *object) all() ([]byte, error) {
	if x.size > maxWhole {
		return nil, fmt.Errorf("%s of %d bytes, at most %d are read: %w", x.kind, x.size, maxWhole, bulwark.ErrLimit)
	}
	if x.data != nil {
		if x.sum != nil {
			x.sum.Write(x.data)
		}
		return x.data, atEnd(x.end())
	}
	if x.sum == nil {
		x.left = x.size
	}
	b := make([]byte, x.size)
	if _, err := io.ReadFull(x, b); err != nil {
		return nil, err
	}
	return b, atEnd(x.end())
}

// atEnd makes nothing of the end.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// damaged says that bytes cannot be inflated.
func damaged(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("inflating it: %w: %w", bulwark.ErrMalformed, err)
}

// inflater reads deflated bytes of one object after the other.
type inflater struct {
	part part
	buf  *bufio.Reader
	z    io.ReadCloser
}

// open begins at an offset of a file; the object ends before another, and inflates to so many
// bytes.
func (f *inflater) open(at io.ReaderAt, off, end, size int64) (io.Reader, error) {
	// Most objects are far smaller than the buffer: it is not filled for their sake.
	f.part = part{at: at, off: off, end: end, first: int(min(size+size/64+64, bufferSize))}
	if f.buf == nil {
		f.buf = bufio.NewReaderSize(&f.part, bufferSize)
	}
	f.buf.Reset(&f.part)
	if f.z == nil {
		z, err := zlib.NewReader(f.buf)
		if err != nil {
			return nil, damaged(err)
		}
		f.z = z
		return z, nil
	}
	if err := f.z.(zlib.Resetter).Reset(f.buf, nil); err != nil {
		return nil, damaged(err)
	}
	return f.z, nil
}

const bufferSize = 32 << 10

// all inflates an object into memory, into that of scratch where it fits.
func (f *inflater) all(at io.ReaderAt, off, end, size int64, scratch []byte) ([]byte, error) {
	if size > maxWhole {
		return nil, tooLarge(size)
	}
	r, err := f.open(at, off, end, size)
	if err != nil {
		return nil, err
	}
	b := scratch[:0]
	if int64(cap(b)) < size {
		b = make([]byte, size)
	}
	b = b[:size]
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

// loose opens an object that has a file of its own: "blob 12", a zero, the bytes, all
// deflated.
func (f *inflater) loose(at io.ReaderAt, size int64) (*object, error) {
	r, err := f.open(at, 0, size, size)
	if err != nil {
		return nil, err
	}
	var head [32]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, damaged(err)
	}
	text, rest, ok := bytes.Cut(head[:n], []byte{0})
	word, digits, ok2 := bytes.Cut(text, []byte{' '})
	k, ok3 := kindOf(string(word))
	length, err := strconv.ParseInt(string(digits), 10, 64)
	if !ok || !ok2 || !ok3 || err != nil || length < 0 {
		return nil, fmt.Errorf("the head of a loose object: %w", bulwark.ErrMalformed)
	}
	return &object{kind: k, size: length, body: io.MultiReader(bytes.NewReader(bytes.Clone(rest)), r)}, nil
}

// part is a part of a file that is read once.
type part struct {
	at       io.ReaderAt
	off, end int64
	first    int // most that the first reading gets; 0: whatever there is room for
}

// Read reads on.
func (p *part) Read(b []byte) (int, error) {
	if p.first > 0 {
		b, p.first = b[:min(len(b), p.first)], 0
	}
	b = b[:max(0, min(int64(len(b)), p.end-p.off))]
	if len(b) == 0 {
		return 0, io.EOF
	}
	n, err := p.at.ReadAt(b, p.off)
	p.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// idOf is the id of an object of so many bytes.
func idOf(k kind, data []byte) id {
	x := &object{kind: k, size: int64(len(data)), data: data}
	x.verify(id{})
	x.sum.Write(data)
	return id(x.sum.Sum(nil))
}
