// Package archive follows archives in archives as their bytes stream by: ZIP by its local
// headers, tar, what Git keeps, and what gzip, zstd, bzip2 and xz have compressed.
//
// Nothing is kept of a file but a buffer for each level. What a file may become is bounded
// by its own size: the bytes that it inflates to, at all depths together, and the number of
// files in it. Every byte is given out once: as that of a file in an archive, or with what
// is left of an archive when nothing more in it can be followed.
package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"bulwark"
)

// Budgets of an outermost file. Each is a share of the bytes that the file has itself, and
// what is granted to the smallest.
const (
	leastInflated = 48 << 20
	smallRatio    = 64      // of what it inflates to, up to mostOfSmall
	mostOfSmall   = 1 << 30 // an archive larger than a 64th of it
	largeRatio    = 16      // inflates by this at most: a dump, a log, an image
	leastMembers  = 100_000
	perMember     = 1 << 10
	mostMembers   = 5_000_000
	// mostDepth is how many archives may lie in each other, and how many times what is
	// compressed may be compressed.
	mostDepth = 4
	// mostWindow is what a decoder may look back to; those inside it have half of that each.
	mostWindow = 32 << 20
	// startup is the share of its window that beginning a decoder costs of what may be inflated.
	startup = 64
	// mostName bounds the name of a file in an archive.
	mostName = 300
)

// Text is a file in an archive that is none itself.
type Text struct {
	Path string // "app.ear!web.war!WEB-INF/x.properties"; clean, fit to be shown
	Size int64  // as far as it is known, or a guess
	// Rest: what is left of the archive at Path, behind what could be followed of it.
	Rest bool
	io.Reader
}

// Walk gives the texts that are in an archive of the size given, which is one that [Sniff]
// has told. An error of visit ends it, and is part of what it returns. Its error says, in one
// line, what was not looked at: it wraps [bulwark.ErrLimit], [bulwark.ErrMalformed] and
// [bulwark.ErrUnsupported] as they apply. Name is the path of the file.
func Walk(r io.Reader, name string, size int64, visit func(*Text) error) error {
	size = max(size, 0)
	w := &walker{
		visit:   visit,
		left:    max(min(mostOfSmall, leastInflated+smallRatio*min(size, mostOfSmall)), largeRatio*min(size, 1<<50)),
		members: min(leastMembers+size/perMember, mostMembers),
	}
	w.stream(r, name, size, depth{})
	return w.unseen()
}

// walker is the state of one outermost file.
type walker struct {
	visit   func(*Text) error
	left    int64 // bytes that may still be inflated
	members int64 // files that may still be met
	ended   error // nothing more is to be read

	limit, malformed, unsupported error // the first of each
	locked                        int   // files that are encrypted
}

// depth is how far inside something is.
type depth struct{ archives, compressed int }

// readers are the buffers of levels that have been left.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// stream follows r to its end: what is an archive as one, everything else as a text.
func (w *walker) stream(r io.Reader, at string, size int64, d depth) {
	br := readers.Get().(*bufio.Reader)
	defer readers.Put(br)
	defer br.Reset(nil)
	br.Reset(r)
	w.buffered(br, at, size, d)
}

func (w *walker) buffered(r *bufio.Reader, at string, size int64, d depth) {
	head, _ := r.Peek(Head)
	kind := Sniff(head)
	if kind != None {
		w.follow(kind, r, at, size, d)
		head, _ = r.Peek(1)
	}
	if len(head) > 0 {
		w.text(&Text{Path: at, Size: size, Rest: kind != None, Reader: r})
	}
}

// follow reads an archive as far as it is one.
func (w *walker) follow(kind Kind, r *bufio.Reader, at string, size int64, d depth) {
	var err error
	switch {
	case kind.compressed() && d.compressed >= mostDepth, !kind.compressed() && d.archives >= mostDepth:
		err = fmt.Errorf("archives in archives, more than %d deep: %w", mostDepth, bulwark.ErrLimit)
	case kind == Zip:
		err = w.zip(r, at, depth{d.archives + 1, d.compressed})
	case kind == Tar:
		err = w.tar(r, at, depth{d.archives + 1, d.compressed})
	case kind == Pack:
		err = w.pack(r, at, depth{d.archives + 1, d.compressed})
	case kind == Loose:
		err = w.loose(r, at, depth{d.archives + 1, d.compressed})
	default:
		err = w.inflate(kind, r, at, size, depth{d.archives, d.compressed + 1})
	}
	w.note(err)
}

// text gives one out, and passes what nobody has read of it.
func (w *walker) text(t *Text) {
	if w.ended != nil {
		return
	}
	if err := w.visit(t); err != nil {
		w.end(err)
		return
	}
	io.Copy(io.Discard, t.Reader) // whoever owns the bytes below tells of an error
}

// member gives out a file of an archive. It returns the error that its bytes ended with.
func (w *walker) member(r io.Reader, at, name string, size int64, d depth) error {
	if !worthReading(name) {
		return w.pass(r)
	}
	if err := w.admit(); err != nil {
		return err
	}
	src := &source{r: r}
	w.stream(src, at+"!"+Clean(name), size, d)
	if w.ended != nil {
		return w.ended
	}
	return src.err
}

// pass reads over a file of an archive.
func (w *walker) pass(r io.Reader) error {
	if err := w.admit(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, r)
	return err
}

// admit counts a file.
func (w *walker) admit() error {
	if w.ended == nil && w.members <= 0 {
		w.end(fmt.Errorf("too many files in the archive: %w", bulwark.ErrLimit))
	}
	w.members--
	return w.ended
}

// end stops everything.
func (w *walker) end(err error) {
	w.note(err)
	w.ended = err
}

// note keeps the first error of each kind.
func (w *walker) note(err error) {
	first := func(kept *error) {
		if *kept == nil {
			*kept = err
		}
	}
	switch {
	case err == nil, w.ended != nil && !errors.Is(err, bulwark.ErrLimit):
	case errors.Is(err, bulwark.ErrLimit):
		first(&w.limit)
	case errors.Is(err, bulwark.ErrUnsupported):
		first(&w.unsupported)
	case errors.Is(err, bulwark.ErrMalformed):
		first(&w.malformed)
	default:
		err = fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
		first(&w.malformed)
	}
}

// unseen says what was not looked at.
func (w *walker) unseen() error {
	var why error
	for _, err := range []error{w.limit, w.malformed, w.unsupported} {
		switch {
		case err == nil:
		case why == nil:
			why = fmt.Errorf("the archive was not looked at to its end: %w", err)
		default:
			why = fmt.Errorf("%w; %w", why, err)
		}
	}
	if w.locked == 0 {
		return why
	}
	locked := fmt.Errorf("%d files in the archive are encrypted: %w", w.locked, bulwark.ErrUnsupported)
	if why == nil {
		return locked
	}
	return fmt.Errorf("%w; %w", why, locked)
}

// source remembers the error that a stream ended with.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// Clean makes a name fit to be shown and to be judged: relative, and the last of a long one.
func Clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, name)
	if len(name) > mostName {
		name = strings.ToValidUTF8(name[len(name)-mostName:], "")
	}
	return path.Clean("/" + name)[1:]
}

// worthReading leaves out what holds pictures, fonts and sounds.
func worthReading(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".ttf", ".otf", ".woff", ".woff2", ".mp3", ".mp4", ".ogg", ".wav", ".icc", ".pdf":
		return false
	}
	return true
}
