package layer

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"bulwark"
)

const (
	chunkSize = 256 << 10
	poolSize  = 6 // chunks in flight for each stage
)

// chunk is a piece of a stream that is shared by its hash and its reader.
type chunk struct {
	data []byte // filled part of buf
	buf  [chunkSize]byte
	refs atomic.Int32
}

// spare keeps chunks between layers.
var spare = sync.Pool{New: func() any { return new(chunk) }}

// spread reads a stream once, in a goroutine of its own, and hands the same bytes to a
// hash (in another) and to Read, which runs behind by a few chunks at most.
type spread struct {
	ctx    context.Context
	free   chan *chunk
	reads  chan *chunk
	hashes chan *chunk
	hashed chan struct{}
	done   chan struct{} // the producer has ended
	err    error         // why the stream ended, after reads is closed

	current *chunk
	rest    []byte
	pos     int64 // bytes that Read and Seek have passed
}

// newSpread starts reading r. h may be nil. When ctx ends, Read fails with its error;
// wait returns once the goroutines have ended.
func newSpread(ctx context.Context, r io.Reader, h hash.Hash) *spread {
	s := &spread{
		ctx:    ctx,
		free:   make(chan *chunk, poolSize),
		reads:  make(chan *chunk, poolSize),
		hashed: make(chan struct{}),
		done:   make(chan struct{}),
	}
	for range poolSize {
		s.free <- spare.Get().(*chunk)
	}
	if h == nil {
		close(s.hashed)
	} else {
		s.hashes = make(chan *chunk, poolSize)
		go s.hash(h)
	}
	go s.produce(r)
	return s
}

func (s *spread) produce(r io.Reader) {
	defer close(s.done)
	s.err = s.fill(r)
	close(s.reads)
	if s.hashes != nil {
		close(s.hashes)
	}
}

// fill reads r to its end. A decoder that panics on foreign bytes must not end the
// process.
func (s *spread) fill(r io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading panicked: %v: %w\n%s", p, bulwark.ErrMalformed, debug.Stack())
		}
	}()
	for {
		var c *chunk
		select {
		case c = <-s.free:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
		n, err := readFull(r, c.buf[:])
		c.data = c.buf[:n]
		s.share(c)
		if err != nil {
			return err
		}
	}
}

func (s *spread) share(c *chunk) {
	// The channels hold as many chunks as there are, so sending never blocks.
	if s.hashes == nil {
		c.refs.Store(1)
	} else {
		c.refs.Store(2)
		s.hashes <- c
	}
	s.reads <- c
}

func (s *spread) hash(h hash.Hash) {
	defer close(s.hashed)
	for c := range s.hashes {
		if s.ctx.Err() == nil {
			h.Write(c.data)
		}
		s.release(c)
	}
}

func (s *spread) release(c *chunk) {
	if c.refs.Add(-1) == 0 {
		s.free <- c
	}
}

// next makes rest hold bytes, or says why there are none.
func (s *spread) next() error {
	for len(s.rest) == 0 {
		if s.current != nil {
			s.release(s.current)
			s.current = nil
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		select {
		case c, ok := <-s.reads:
			if !ok {
				return s.err
			}
			s.current, s.rest = c, c.data
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	return nil
}

func (s *spread) Read(p []byte) (int, error) {
	if err := s.next(); err != nil {
		return 0, err
	}
	n := copy(p, s.rest)
	s.skip(n)
	return n, nil
}

var errSeek = errors.New("a stream goes forward only")

// Seek skips bytes without copying them: it is what archive/tar asks for to pass by
// the body of a file. It goes forward from the current place only.
func (s *spread) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errSeek
	}
	for offset > 0 {
		if err := s.next(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return s.pos, err
		}
		n := int(min(offset, int64(len(s.rest))))
		s.skip(n)
		offset -= int64(n)
	}
	return s.pos, nil
}

func (s *spread) skip(n int) {
	s.rest = s.rest[n:]
	s.pos += int64(n)
}

// drain passes the rest of the stream by.
func (s *spread) drain() error {
	for {
		if err := s.next(); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		s.skip(len(s.rest))
	}
}

// wait returns when the goroutines have ended: after the end of the stream or of ctx.
// Read must not be called after it.
func (s *spread) wait() {
	<-s.done
	<-s.hashed
	if s.current != nil {
		s.release(s.current)
	}
	for c := range s.reads {
		s.release(c)
	}
	for len(s.free) > 0 {
		spare.Put(<-s.free)
	}
}

// readFull fills p as far as r goes. Unlike io.ReadFull it returns the error of r along
// with what came before it.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}
