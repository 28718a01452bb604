// Package layer walks the stored bytes of an image's layer once: they are read, checked
// against the digest of the blob, inflated, checked against the diffID and taken apart as
// a tar, each in a goroutine of its own, with a few chunks of memory between them.
package layer

import (
	"context"
	"fmt"
	"hash"
	"io"
	"sync/atomic"

	"bulwark"
	"bulwark/source/image/internal/digest"
)

// Blob is a layer as it is stored: a tar, plain or compressed with gzip or zstd, which
// its first bytes tell. It is a [bulwark.Tree].
type Blob struct {
	// Name is what errors call the layer.
	Name string
	// Digest is checked against the stored bytes, DiffID against the tar; empty ones
	// are not checked.
	Digest, DiffID string
	// Size is how many bytes must be stored; -1 when nobody claims it.
	Size int64
	// Open gives the stored bytes from their start. Reading ends with an error wrapping
	// a sentinel when they cannot be had; closing unblocks a read. Where the reader is a
	// [Local], the files of a plain tar can be read anywhere.
	Open   func(context.Context) (io.ReadCloser, error)
	Budget Budget
	// Read counts the stored bytes that walks read; nil: nobody asks.
	Read *atomic.Int64
}

// Local is stored bytes that lie on this machine.
type Local interface {
	io.ReaderAt
	// Unchanged fails with ErrUntrusted when the bytes may have changed since they were
	// opened: what ReadAt gives is not what is checked.
	Unchanged() error
}

var (
	_ bulwark.Tree  = (*Blob)(nil)
	_ bulwark.Meter = (*Blob)(nil)
)

// BytesRead implements [bulwark.Meter].
func (b *Blob) BytesRead() int64 {
	if b.Read == nil {
		return 0
	}
	return b.Read.Load()
}

// Walk calls visit for every entry. See [bulwark.Tree].
func (b *Blob) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var left error // the error of visit is returned as it is
	err := b.walk(ctx, cancel, func(e *bulwark.Entry) error {
		left = visit(e)
		return left
	})
	if left != nil {
		return left
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", b.Name, err)
	}
	return nil
}

func (b *Blob) walk(ctx context.Context, cancel func(), visit func(*bulwark.Entry) error) error {
	rc, err := b.Open(ctx)
	if err != nil {
		return err
	}
	head, src, err := peek(rc)
	if err != nil {
		rc.Close()
		return named(err)
	}
	if b.Read != nil {
		src = &metered{src, b.Read}
	}
	if b.Size >= 0 {
		src = &sized{r: src, left: b.Size, size: b.Size}
	}
	p := &pipeline{blob: b, cancel: func() { cancel(); rc.Close() }}
	p.local, _ = rc.(Local)
	defer p.end()
	if sniff(head) == plain {
		err = p.plain(ctx, src)
	} else {
		err = p.compressed(ctx, src)
	}
	if err != nil {
		return err
	}
	return p.run(visit)
}

// peek reads the magic of a stream and puts it back.
func peek(r io.Reader) ([]byte, io.Reader, error) {
	head := make([]byte, 6)
	n, err := readFull(r, head)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	return head[:n], &rejoined{head[:n], r}, nil
}

type rejoined struct {
	head []byte
	r    io.Reader
}

func (j *rejoined) Read(p []byte) (int, error) {
	if len(j.head) > 0 {
		n := copy(p, j.head)
		j.head = j.head[n:]
		return n, nil
	}
	return j.r.Read(p)
}

// pipeline is one walk under way. last is the stage that gives the tar.
type pipeline struct {
	blob         *Blob
	cancel       func()
	stored, last *spread
	inflated     *inflated
	checks       []check
	local        Local // nil unless the tar lies plain on this machine
}

type check struct {
	hash    hash.Hash
	claimed string
	what    string
}

// hash returns what a stage has to feed for the digest; nil for none.
func (p *pipeline) hash(claimed, what string) (hash.Hash, error) {
	if claimed == "" {
		return nil, nil
	}
	h, err := digest.New(claimed)
	if err != nil {
		return nil, err
	}
	p.checks = append(p.checks, check{h, claimed, what})
	return h, nil
}

func (p *pipeline) plain(ctx context.Context, src io.Reader) error {
	h, err := p.hash(p.blob.DiffID, "the layer")
	if err != nil {
		return err
	}
	if d := p.blob.Digest; d != "" && d != p.blob.DiffID {
		// Both cover the same bytes, so they may differ in their algorithm at most.
		second, err := p.hash(d, "the blob")
		if err != nil {
			return err
		}
		h = both(h, second)
	}
	b := p.blob.Budget.withDefaults()
	p.last = newSpread(ctx, &inflated{src: io.NopCloser(src), in: &counter{}, budget: b}, h)
	return nil
}

func (p *pipeline) compressed(ctx context.Context, src io.Reader) error {
	h, err := p.hash(p.blob.Digest, "the blob")
	if err != nil {
		return err
	}
	diff, err := p.hash(p.blob.DiffID, "the layer")
	if err != nil {
		return err
	}
	p.local = nil
	p.stored = newSpread(ctx, src, h)
	if p.inflated, _, err = inflate(p.stored, p.blob.Budget); err != nil {
		return err
	}
	p.last = newSpread(ctx, p.inflated, diff)
	return nil
}

// run walks the tar, reads what follows it, and checks the digests.
func (p *pipeline) run(visit func(*bulwark.Entry) error) error {
	w := &walker{src: p.last, at: p.local, most: p.blob.Budget.withDefaults().Entries, visit: visit}
	if err := w.walk(); err != nil {
		return named(err)
	}
	if err := p.last.drain(); err != nil {
		return named(err)
	}
	<-p.last.hashed
	if p.stored != nil {
		<-p.last.done
		if err := p.stored.drain(); err != nil {
			return named(err)
		}
		<-p.stored.hashed
	}
	for _, c := range p.checks {
		if err := digest.Verify(c.hash, c.claimed, c.what); err != nil {
			return err
		}
	}
	if p.local != nil {
		return p.local.Unchanged()
	}
	return nil
}

// end stops the goroutines and waits for them.
func (p *pipeline) end() {
	p.cancel()
	if p.last != nil {
		p.last.wait()
	}
	if p.inflated != nil {
		p.inflated.Close()
	}
	if p.stored != nil {
		p.stored.wait()
	}
}

// named makes an error that nobody has named yet ErrMalformed.
func named(err error) error {
	if err == nil || IsNamed(err) {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
}

// both feeds two hashes.
func both(a, b hash.Hash) hash.Hash {
	if a == nil {
		return b
	}
	return &pair{a, b}
}

type pair struct {
	hash.Hash
	second hash.Hash
}

func (p *pair) Write(b []byte) (int, error) {
	p.second.Write(b)
	return p.Hash.Write(b)
}

// metered counts what is read of a stream.
type metered struct {
	r io.Reader
	n *atomic.Int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n.Add(int64(n))
	return n, err
}

// sized holds a stream to the size that was claimed for it.
type sized struct {
	r          io.Reader
	left, size int64
}

func (s *sized) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.left -= int64(n)
	if s.left < 0 || err == io.EOF && s.left > 0 {
		return n, fmt.Errorf("%d bytes instead of %d: %w", s.size-s.left, s.size, bulwark.ErrUntrusted)
	}
	return n, err
}
