package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"bulwark"
)

// xzReader reads the blocks of an .xz file (https://tukaani.org/xz/xz-file-format.txt). It
// gives a block no more memory to look back to than is allowed: what wants more often needs
// less, as the strongest levels of xz ask for 64 MB whatever the file. Checksums are not verified.
type xzReader struct {
	w     *walker
	r     *bufio.Reader
	most  int64 // that a block may look back to
	wants int64 // what the block wants to
	check int   // bytes of a block's checksum

	in    *lzma.Reader2 // nil: between blocks
	began bool
	count counter
	err   error // the end, once it is reached
}

// counter counts the bytes of a block, which ends at a multiple of four.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (x *xzReader) Read(b []byte) (n int, err error) {
	if x.err == nil {
		n, x.err = x.read(b)
	}
	return n, x.err
}

func (x *xzReader) read(b []byte) (int, error) {
	if !x.began {
		x.began = true
		if err := x.head(); err != nil {
			return 0, whole(err)
		}
	}
	for {
		for x.in == nil {
			if err := x.block(); err != nil {
				return 0, err
			}
		}
		n, err := x.in.Read(b)
		switch {
		case errors.Is(err, io.EOF):
			x.in = nil
			err = x.skip((4-x.count.n%4)%4 + int64(x.check))
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && x.wants > x.most:
			err = fmt.Errorf("it looks back to %d bytes, at most %d are kept: %w", x.wants, x.most, bulwark.ErrLimit)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// whole: in the middle of a file there is no end.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (x *xzReader) skip(n int64) error {
	_, err := io.CopyN(io.Discard, x.r, n)
	return whole(err)
}

// head reads what a stream begins with.
func (x *xzReader) head() error {
	var b [12]byte
	if _, err := io.ReadFull(x.r, b[:]); err != nil {
		return err
	}
	x.check = []int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[b[7]&15]
	return nil
}

// block begins the next one; behind the last the reader is at its end.
func (x *xzReader) block() error {
	size, err := x.r.ReadByte()
	if err != nil {
		return whole(err)
	}
	if size == 0 {
		return x.tail()
	}
	b := make([]byte, 4*int(size)+3)
	if _, err := io.ReadFull(x.r, b); err != nil {
		return whole(err)
	}
	if x.wants, err = windowOf(b); err != nil {
		return err
	}
	window := min(x.wants, x.most)
	x.w.left -= window / startup
	x.count = counter{r: x.r}
	x.in, err = lzma.Reader2Config{DictCap: int(max(window, lzma.MinDictCap))}.NewReader2(&x.count)
	return whole(err)
}

var errXz = errors.New("no block of xz")

// windowOf reads a block's header behind its first byte.
func windowOf(b []byte) (int64, error) {
	flags := b[0]
	b = b[1:]
	for _, f := range []byte{0x40, 0x80} { // the sizes of the block
		if flags&f != 0 {
			if _, b = number(b); b == nil {
				return 0, errXz
			}
		}
	}
	id, b := number(b)
	if flags&3 != 0 || b == nil || id != 0x21 {
		return 0, fmt.Errorf("a filter of xz other than LZMA2: %w", bulwark.ErrUnsupported)
	}
	if len(b) < 2 || b[0] != 1 {
		return 0, errXz
	}
	return lzma.DecodeDictCap(b[1])
}

// number reads one of seven bits a byte; what is left is nil when it is none.
func number(b []byte) (uint64, []byte) {
	var v uint64
	for i := 0; i < len(b) && i < 9; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, b[i+1:]
		}
	}
	return 0, nil
}

// tail passes the index and the footer, and begins the stream behind them if there is one.
func (x *xzReader) tail() error {
	at := int64(1)
	n, err := x.number(&at)
	for i := uint64(0); i < 2*n && err == nil; i++ {
		_, err = x.number(&at)
	}
	if err != nil {
		return err
	}
	if err := x.skip((4-at%4)%4 + 4 + 12); err != nil { // checksum and footer
		return err
	}
	for {
		b, _ := x.r.Peek(6)
		switch {
		case Sniff(b) == Xz:
			return whole(x.head())
		case len(b) < 4 || !bytes.Equal(b[:4], make([]byte, 4)):
			return io.EOF
		}
		if _, err := x.r.Discard(4); err != nil {
			return err
		}
	}
}

func (x *xzReader) number(at *int64) (uint64, error) {
	var v uint64
	for i := range 9 {
		b, err := x.r.ReadByte()
		if err != nil {
			return 0, whole(err)
		}
		*at++
		v |= uint64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return v, nil
		}
	}
	return 0, errXz
}
