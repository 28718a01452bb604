package unzip

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"bulwark"
)

// maxRatio is more than deflate can reach.
const maxRatio = 1032

// Budget bounds what reading an archive and all archives in it may cost.
type Budget struct {
	Entries int   // entries that may still be looked at
	Bytes   int64 // bytes that may still be inflated
}

// Entry takes one entry.
func (b *Budget) Entry() error {
	if b.Entries--; b.Entries < 0 {
		return fmt.Errorf("the archive has too many entries: %w", bulwark.ErrLimit)
	}
	return nil
}

// Take takes n inflated bytes.
func (b *Budget) Take(n int) error {
	if b.Bytes -= int64(n); b.Bytes < 0 {
		return fmt.Errorf("the archive unpacks to too much: %w", bulwark.ErrLimit)
	}
	return nil
}

// Section gives the bytes of an entry that is stored as it is, without copying; nil
// when the entry is compressed.
func (a *Archive) Section(e *Entry) (*io.SectionReader, error) {
	if e.Method != Store || e.flags&1 != 0 {
		return nil, nil
	}
	at, err := a.locate(e)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(a.r, at, e.Packed), nil
}

// Read unpacks a whole entry of at most limit bytes and checks its sum. The size that
// the entry claims is charged to the budget before anything is allocated.
func (a *Archive) Read(e *Entry, limit int64) ([]byte, error) { return a.ReadInto(nil, e, limit) }

// ReadInto is Read into the memory of buf where that is enough.
func (a *Archive) ReadInto(buf []byte, e *Entry, limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, fmt.Errorf("a zip entry of %d bytes, more than %d: %w", e.Size, limit, bulwark.ErrLimit)
	}
	if e.Size < 0 || e.Packed < 0 || e.Packed > a.size || e.Size > e.Packed*maxRatio {
		return nil, malformed("a zip entry of %d bytes claims to unpack to %d", e.Packed, e.Size)
	}
	if err := a.budget.Take(int(e.Size)); err != nil {
		return nil, err
	}
	if int64(cap(buf)) < e.Size {
		buf = make([]byte, e.Size)
	}
	out := buf[:e.Size]
	err := a.open(e, func(r io.Reader) error {
		_, err := io.ReadFull(r, out)
		return err
	})
	if err == nil && crc32.ChecksumIEEE(out) != e.crc {
		err = malformed("a zip entry does not fit its checksum")
	}
	return out, err
}

// Stream gives the unpacked bytes of the entry to use, which may stop early. Reading
// more than the budget allows ends as an error wrapping [bulwark.ErrLimit].
func (a *Archive) Stream(e *Entry, use func(io.Reader) error) error {
	return a.open(e, func(r io.Reader) error { return use(&spender{r: r, budget: a.budget}) })
}

func (a *Archive) open(e *Entry, use func(io.Reader) error) error {
	if e.flags&1 != 0 {
		return fmt.Errorf("a zip entry is encrypted: %w", bulwark.ErrUnsupported)
	}
	at, err := a.locate(e)
	if err != nil {
		return err
	}
	return unpack(io.NewSectionReader(a.r, at, e.Packed), e.Method, use)
}

// Unpack gives the unpacked bytes of packed ones to use, which may stop early. Reading
// more than the budget allows ends as an error wrapping [bulwark.ErrLimit].
func Unpack(packed io.Reader, method uint16, budget *Budget, use func(io.Reader) error) error {
	return unpack(packed, method, func(r io.Reader) error { return use(&spender{r: r, budget: budget}) })
}

func unpack(packed io.Reader, method uint16, use func(io.Reader) error) error {
	switch method {
	case Store:
		return named(use(packed))
	case Deflate:
		in := inflaters.Get().(*inflater)
		defer inflaters.Put(in)
		in.buf.Reset(packed)
		if err := in.z.(flate.Resetter).Reset(in.buf, nil); err != nil {
			return fmt.Errorf("inflating: %w", err)
		}
		return named(use(in.z))
	}
	return fmt.Errorf("a zip entry is compressed by method %d: %w", method, bulwark.ErrUnsupported)
}

// named says of an error of inflate that the bytes are to blame.
func named(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return fmt.Errorf("inflating a zip entry: %w: %w", bulwark.ErrMalformed, err)
	}
	return err
}

// spender charges what is read to the budget.
type spender struct {
	r      io.Reader
	budget *Budget
}

func (s *spender) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if over := s.budget.Take(n); over != nil {
		return 0, over
	}
	return n, err
}

type inflater struct {
	buf *bufio.Reader
	z   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	buf := bufio.NewReaderSize(nil, 16<<10)
	return &inflater{buf: buf, z: flate.NewReader(buf)}
}}
