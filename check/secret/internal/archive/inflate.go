package archive

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"bulwark"
)

// budgeted is what comes out of a decoder.
type budgeted struct {
	w *walker
	r io.Reader
}

func (b *budgeted) Read(p []byte) (int, error) {
	if b.w.left <= 0 && b.w.ended == nil {
		b.w.end(fmt.Errorf("it inflates to too much: %w", bulwark.ErrLimit))
	}
	if b.w.ended != nil {
		return 0, b.w.ended
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.w.left)])
	b.w.left -= int64(n)
	return n, err
}

// guess is how many times larger than what is stored a text is taken for.
const guess = 4

// inflate follows what is compressed: a tar by the same path, everything else as a file in it.
func (w *walker) inflate(kind Kind, r *bufio.Reader, at string, size int64, d depth) error {
	z, free, err := w.decoder(kind, r, d)
	switch {
	case errors.Is(err, gzip.ErrHeader):
		return nil // it is something else
	case err != nil:
		return err
	}
	defer free()
	src := &source{r: &budgeted{w, z}}
	br := readers.Get().(*bufio.Reader)
	defer readers.Put(br)
	defer br.Reset(nil)
	br.Reset(src)
	head, _ := br.Peek(Head)
	empty := len(head) == 0
	if Sniff(head) == Tar {
		w.buffered(br, at, size, d)
	} else {
		w.buffered(br, at+"!"+inflatedName(at), min(size, 1<<50)*guess, d)
	}
	switch {
	case w.ended != nil:
		return w.ended
	case empty && !errors.Is(src.err, io.ErrUnexpectedEOF) && kind != Xz && kind != Zstd:
		return nil // nothing but how it begins was right
	case errors.Is(src.err, zstd.ErrWindowSizeExceeded), errors.Is(src.err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("%w: %w", bulwark.ErrLimit, src.err)
	}
	return src.err
}

// decoder makes one, at the cost of the memory that it needs.
func (w *walker) decoder(kind Kind, r *bufio.Reader, d depth) (z io.Reader, free func(), err error) {
	window := mostWindow >> (d.compressed - 1)
	switch kind {
	case Zstd:
		w.left -= 1 << 20 / startup
		dec, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
		if err != nil {
			return nil, nil, err
		}
		return dec, dec.Close, nil
	case Bzip2:
		w.left -= 4 << 20 / startup
		return bzip2.NewReader(r), func() {}, nil
	case Xz:
		return &xzReader{w: w, r: r, most: int64(window)}, func() {}, nil
	}
	g := gzips.Get().(*gzipReader)
	if err := g.begin(r); err != nil {
		gzips.Put(g)
		return nil, nil, err
	}
	return g, func() { g.r = nil; gzips.Put(g) }, nil
}

var gzips = sync.Pool{New: func() any { return new(gzipReader) }}

// gzipReader reads members of gzip one after the other, and stops before what is none.
type gzipReader struct {
	z gzip.Reader
	r *bufio.Reader
}

func (g *gzipReader) begin(r *bufio.Reader) error {
	g.r = r
	err := g.z.Reset(r)
	g.z.Multistream(false)
	return err
}

func (g *gzipReader) Read(b []byte) (int, error) {
	for {
		n, err := g.z.Read(b)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if head, _ := g.r.Peek(4); !isGzip(head) {
			return n, io.EOF
		}
		if err := g.begin(g.r); err != nil || n > 0 {
			return n, err
		}
	}
}

// inflatedName is what a file is called when it is no longer compressed.
func inflatedName(at string) string {
	name := path.Base(at[strings.LastIndexByte(at, '!')+1:])
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	switch strings.ToLower(ext) {
	case ".gz", ".gzip", ".z", ".zst", ".zstd", ".bz2", ".bz", ".xz":
		if stem != "" {
			return stem
		}
	case ".tgz", ".tbz", ".tbz2", ".txz", ".tzst":
		return stem + ".tar"
	case ".svgz":
		return stem + ".svg"
	}
	return name
}
