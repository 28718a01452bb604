package layer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"bulwark"
)

const (
	// readAhead is what the decoders are given to read from. The gzip reader takes its
	// fast path for a *bufio.Reader alone.
	readAhead = 1 << 20
	// maxWindow bounds the memory of a zstd decoder.
	maxWindow = 64 << 20
)

// encoding is how the bytes of a blob are stored.
type encoding int

const (
	plain encoding = iota
	gzipped
	zstandard
	foreign // known, and not read
)

var magics = []struct {
	magic string
	encoding
}{
	{"\x1f\x8b", gzipped}, {"\x28\xb5\x2f\xfd", zstandard},
	{"\xfd7zXZ\x00", foreign}, {"BZh", foreign}, {"\x04\x22\x4d\x18", foreign},
}

// sniff tells the encoding by the first bytes: media types are often wrong.
func sniff(head []byte) encoding {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.encoding
		}
	}
	// A zstd stream may start with a skippable frame.
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte("\x2a\x4d\x18")) {
		return zstandard
	}
	return plain
}

// IsPlain tells by its first six bytes that a stream is not compressed in any way that
// [Inflate] knows.
func IsPlain(head []byte) bool { return sniff(head) == plain }

// Inflate returns the plain bytes of r, and whether they were compressed at all. What
// follows is bounded as [Budget] says. Errors of a decoder wrap ErrMalformed or
// ErrLimit, those of r are passed on. It is closed by the caller.
func Inflate(r io.Reader, b Budget) (_ io.ReadCloser, compressed bool, err error) {
	f, compressed, err := inflate(r, b)
	if err != nil {
		return nil, false, err
	}
	return f, compressed, nil
}

func inflate(r io.Reader, b Budget) (_ *inflated, compressed bool, err error) {
	c := &counter{r: r}
	br := bufio.NewReaderSize(c, readAhead)
	head, err := br.Peek(6)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	d, enc, err := decoder(br, head)
	if err != nil {
		return nil, false, err
	}
	b = b.withDefaults()
	return &inflated{src: d, in: c, budget: b, compressed: enc != plain}, enc != plain, nil
}

func decoder(br *bufio.Reader, head []byte) (io.ReadCloser, encoding, error) {
	enc := sniff(head)
	switch enc {
	case gzipped:
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, enc, decodeError(err)
		}
		return z, enc, nil
	case zstandard:
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, enc, decodeError(err)
		}
		return z.IOReadCloser(), enc, nil
	case foreign:
		return nil, enc, fmt.Errorf("neither gzip, zstd nor plain tar: %w", bulwark.ErrUnsupported)
	}
	return io.NopCloser(br), enc, nil
}

// Budget says how much a blob may become when it is inflated.
type Budget struct {
	Ratio   int64 // plain bytes for each stored one; 0 means 200
	Grace   int64 // plain bytes that are allowed beyond the ratio; 0 means 1 GiB
	Shared  *Pool // where the grace is taken from; nil: Grace for this blob alone
	Total   int64 // plain bytes in all; 0 means 256 GiB
	Entries int   // entries of a tar; 0 means 5 million
}

func (b Budget) withDefaults() Budget {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&b.Ratio, 200)
	set(&b.Grace, 1<<30)
	set(&b.Total, 256<<30)
	if b.Entries == 0 {
		b.Entries = 5_000_000
	}
	if b.Shared == nil {
		b.Shared = &Pool{}
	}
	return b
}

// Pool is a grace that the blobs of an image share: many bombs are no better than one.
// Its zero value is the grace of one budget.
type Pool struct{ taken atomic.Int64 }

// inflated counts what comes out against what went in.
type inflated struct {
	src        io.ReadCloser
	in         *counter
	budget     Budget
	compressed bool
	out        int64
	taken      int64 // of the grace
}

// excessive tells whether what came out is more than the ratio and the grace allow.
func (f *inflated) excessive() bool {
	more := f.out - f.in.n*f.budget.Ratio - f.taken
	if !f.compressed || more <= 0 {
		return false
	}
	f.taken += more
	return f.budget.Shared.taken.Add(more) > f.budget.Grace
}

func (f *inflated) Read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	f.out += int64(n)
	if f.out > f.budget.Total {
		return 0, fmt.Errorf("more than %d bytes: %w", f.budget.Total, bulwark.ErrLimit)
	}
	if f.excessive() {
		return 0, fmt.Errorf("%d bytes inflate to more than %d: %w", f.in.n, f.out, bulwark.ErrLimit)
	}
	if err != nil && err != io.EOF && f.in.err == nil && f.compressed {
		err = decodeError(err)
	}
	return n, err
}

func (f *inflated) Close() error { return f.src.Close() }

func decodeError(err error) error {
	switch {
	case IsNamed(err):
		return err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("inflating: %w: %w", bulwark.ErrLimit, err)
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("inflating: %w: %w", bulwark.ErrMalformed, err)
}

// counter counts what is read, and keeps the error that ended it.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// IsNamed tells whether an error wraps one of the sentinels that callers branch on, or
// the end of a context.
func IsNamed(err error) bool {
	for _, s := range []error{
		bulwark.ErrNotFound, bulwark.ErrUnsupported, bulwark.ErrMalformed, bulwark.ErrLimit, bulwark.ErrUntrusted,
		bulwark.ErrUnavailable, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}
