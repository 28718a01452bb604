package java

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bulwark"
	"bulwark/extract/internal/unzip"
)

const (
	// maxWhole is the largest archive that is read by its directory; larger ones are
	// read as they stream by, so that they need no memory of their size.
	maxWhole = 100 << 20
	// maxPacked and maxUnpacked bound a compressed archive inside a streamed one.
	maxPacked   = 24 << 20
	maxUnpacked = 48 << 20
)

var _ bulwark.Inspector = (*Extractor)(nil)

// Begin takes the archives that are too large for Extract.
func (x *Extractor) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if f.Size <= maxWhole || !isArchive(f.Base) {
		return nil
	}
	return newSink(&x.large, f.Path)
}

// sink takes a large archive as it streams by, going by local headers. Archives stored
// in it (as Spring Boot does) stream through sinks of their own, compressed ones are
// collected.
type sink struct {
	w  *walker
	at string
	stream
}

func newSink(large *sync.Mutex, path string) *sink {
	w := newWalker(large, path)
	return &sink{w: w, at: path, stream: newStream(w, path, 0)}
}

// Write takes the next piece of the file.
func (s *sink) Write(p []byte) (int, error) {
	err := s.stream.push(p)
	if err != nil || s.stream.locals.Done {
		return len(p), bulwark.ErrSkip // Close tells of the error
	}
	return len(p), nil
}

// Close gives what was found.
func (s *sink) Close() (bulwark.Facts, error) {
	s.stream.close()
	return bulwark.Facts{Packages: s.w.packages}, s.w.err()
}

// stream is one archive of a sink: the file itself, or one stored in it.
type stream struct {
	w      *walker
	at     string
	depth  int
	locals *unzip.Locals
	content
	ended error // why nothing more is read

	// of the entry that streams by
	take   func() error // at its end; nil when the entry is of no interest
	method uint16
	size   int64 // unpacked, where the header tells
	limit  int   // bytes to collect
	packed []byte
	over   bool
	inner  *stream
}

func newStream(w *walker, at string, depth int) stream {
	return stream{w: w, at: at, depth: depth, locals: &unzip.Locals{}}
}

// push reads on. The error says that the walk must end.
func (s *stream) push(p []byte) error {
	if s.locals.Begin == nil {
		s.locals.Begin, s.locals.Body = s.begin, s.body
	}
	if s.ended == nil {
		s.ended = s.locals.Push(p)
	}
	return s.ended
}

// close reports the archive.
func (s *stream) close() error {
	err := s.ended
	if err == nil {
		err = s.locals.Close()
	}
	if s.inner != nil {
		s.inner.close()
	}
	s.w.report(s.at, s.content, err != nil && len(s.poms) == 0)
	return s.w.problem(s.at, err)
}

// begin decides what to do with an entry.
func (s *stream) begin(e *unzip.Local) error {
	if err := s.w.budget.Entry(); err != nil {
		return err
	}
	s.take, s.inner, s.over, s.packed = nil, nil, false, s.packed[:0]
	s.method, s.size = e.Method, e.Size
	switch {
	case bytes.HasPrefix(e.Name, []byte("META-INF/maven/")):
		if p, file, ok := pomDir(string(e.Name)); ok {
			s.limit, s.take = maxPOM, func() error { return s.pom(p, file) }
		}
	case !s.hasManifest && bytes.EqualFold(e.Name, []byte("META-INF/MANIFEST.MF")):
		s.hasManifest = true
		s.limit, s.take = maxManifest, s.readManifest
	case isArchiveEntry(e.Name):
		return s.nested(e)
	}
	if s.take != nil && e.Encrypted {
		s.take = nil
		return s.w.problem(s.at, fmt.Errorf("a zip entry is encrypted: %w", bulwark.ErrUnsupported))
	}
	return nil
}

// nested begins an archive in the archive.
func (s *stream) nested(e *unzip.Local) error {
	at := s.at + "!" + place(string(e.Name))
	switch {
	case s.depth == maxDepth:
		s.w.report(at, content{}, true)
		return s.w.problem(at, fmt.Errorf("archives nested deeper than %d: %w", maxDepth, bulwark.ErrLimit))
	case e.Encrypted:
		s.w.report(at, content{}, true)
		return s.w.problem(at, fmt.Errorf("a zip entry is encrypted: %w", bulwark.ErrUnsupported))
	case e.Method == unzip.Store && !e.Open:
		inner := newStream(s.w, at, s.depth+1)
		s.inner = &inner
		return nil
	}
	s.limit, s.take = maxPacked, func() error { return s.unpack(at) }
	return nil
}

// body takes the bytes of an entry.
func (s *stream) body(p []byte) error {
	switch {
	case s.inner != nil && p == nil:
		inner := s.inner
		s.inner = nil
		return inner.close()
	case s.inner != nil:
		s.inner.push(p) // its error is told when it is closed
	case s.take == nil:
	case p == nil:
		return s.w.problem(s.at, s.take())
	case len(s.packed)+len(p) > s.limit:
		s.packed = append(s.packed, p[:s.limit-len(s.packed)]...)
		s.over = true
	default:
		s.packed = append(s.packed, p...)
	}
	return nil
}

func (s *stream) readManifest() error {
	return unzip.Unpack(bytes.NewReader(s.packed), s.method, &s.w.budget, func(r io.Reader) (err error) {
		s.manifest, err = readManifest(r)
		if s.over && errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil // the checksums of a signed jar
		}
		return err
	})
}

// pom reads a collected pom.properties, or keeps what the path of a pom.xml tells.
func (s *stream) pom(p pom, file string) error {
	var data []byte
	if file == "pom.properties" {
		err := unzip.Unpack(bytes.NewReader(s.packed), s.method, &s.w.budget, func(r io.Reader) (err error) {
			data, err = io.ReadAll(io.LimitReader(r, maxPOM))
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.addPOM(p, file, data)
}

// unpack walks a collected archive.
func (s *stream) unpack(at string) error {
	fail := func(err error) error {
		s.w.report(at, content{}, true)
		return s.w.problem(at, err)
	}
	if s.over {
		return fail(fmt.Errorf("a compressed archive of more than %d bytes: %w", maxPacked, bulwark.ErrLimit))
	}
	if s.method == unzip.Store {
		return s.w.archive(context.Background(), bytes.NewReader(s.packed), int64(len(s.packed)), at, s.depth+1)
	}
	// Unlock before the next piece: a file that breaks off drops the sink as it is.
	s.w.large.Lock()
	defer s.w.large.Unlock()
	s.w.locked = true
	defer func() { s.w.locked = false }()
	var out bytes.Buffer
	out.Grow(int(max(0, min(s.size, maxUnpacked))))
	err := unzip.Unpack(bytes.NewReader(s.packed), s.method, &s.w.budget, func(r io.Reader) error {
		n, err := io.Copy(&out, io.LimitReader(r, maxUnpacked+1))
		if n > maxUnpacked {
			return fmt.Errorf("an archive that unpacks to more than %d bytes: %w", maxUnpacked, bulwark.ErrLimit)
		}
		return err
	})
	if err != nil {
		return fail(err)
	}
	s.w.held = int64(out.Len())
	defer func() { s.w.held = 0 }()
	return s.w.archive(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), at, s.depth+1)
}
