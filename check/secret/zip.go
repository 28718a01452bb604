package secret

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"

	"bulwark"
)

// Budgets of an archive: what its members give, at most and in proportion to what they are
// stored in, and how many are looked at.
const (
	mostInflated  = 1 << 30
	leastInflated = 32 << 20
	mostRatio     = 64
	mostMembers   = 100_000
)

func isZip(b []byte) bool { return string(b[:4]) == "PK\x03\x04" }

// unzipper looks at the members of a ZIP archive as its bytes stream by: it follows the
// local headers, which come before each member, and never sees the directory at the end.
// The members are read by a goroutine of its own, which lives until close, or until the
// unzipper is forgotten.
type unzipper struct {
	pipe *pipe
	job  *unzipJob
}

type unzipJob struct {
	engine *engine
	path   string
	facts  bulwark.Facts
	done   chan struct{}
	*unzipBuffers
	left   int64
	locked int // members that are encrypted
	err    error
	panic  any
}

// unzipBuffers are what an archive needs and leaves to the next one: an application has
// hundreds of them.
type unzipBuffers struct {
	reader *bufio.Reader
	scan   scan
}

var unzipPool = sync.Pool{New: func() any { return &unzipBuffers{reader: bufio.NewReaderSize(nil, 64<<10)} }}

func newUnzipper(e *engine, path string, size int64) *unzipper {
	left := min(mostInflated, leastInflated+mostRatio*min(max(size, 0), mostInflated))
	u := &unzipper{pipe: newPipe(), job: &unzipJob{engine: e, path: path, done: make(chan struct{}), left: left}}
	go u.job.run(u.pipe)
	runtime.AddCleanup(u, func(p *pipe) { p.end() }, u.pipe)
	return u
}

func (u *unzipper) write(piece []byte) { u.pipe.write(piece) }

func (u *unzipper) close() (bulwark.Facts, error) {
	u.pipe.end()
	<-u.job.done
	if u.job.panic != nil {
		panic(u.job.panic) // whoever feeds the sink recovers
	}
	return u.job.facts, u.job.unseen()
}

// unseen says what of the archive was not looked at.
func (j *unzipJob) unseen() error {
	var locked error
	if j.locked > 0 {
		locked = fmt.Errorf("%d files in the archive are encrypted: %w", j.locked, bulwark.ErrUnsupported)
	}
	return errors.Join(j.err, locked)
}

// run reads member after member until something is no member any more.
func (j *unzipJob) run(p *pipe) {
	defer close(j.done)
	defer p.stop()
	defer func() { j.panic = recover() }()
	j.unzipBuffers = unzipPool.Get().(*unzipBuffers)
	j.reader.Reset(p)
	j.err = j.members(j.reader)
	j.reader.Reset(nil)
	unzipPool.Put(j.unzipBuffers)
}

func (j *unzipJob) members(r *bufio.Reader) error {
	for range mostMembers {
		if err := j.member(r); errors.Is(err, errNoMember) {
			return nil
		} else if err != nil {
			if !errors.Is(err, bulwark.ErrLimit) && !errors.Is(err, bulwark.ErrMalformed) {
				err = fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
			}
			return fmt.Errorf("the archive was not looked at to its end: %w", err)
		}
	}
	return fmt.Errorf("more than %d files in the archive: %w", mostMembers, bulwark.ErrLimit)
}

var errNoMember = errors.New("no member")

// member reads one, from its local header on.
func (j *unzipJob) member(r *bufio.Reader) error {
	var h [30]byte
	if _, err := io.ReadFull(r, h[:]); err != nil || !isZip(h[:]) {
		return errNoMember
	}
	le := binary.LittleEndian
	flags, method := le.Uint16(h[6:]), le.Uint16(h[8:])
	stored, size := int64(le.Uint32(h[18:])), int64(le.Uint32(h[22:]))
	name := make([]byte, le.Uint16(h[26:]))
	if _, err := io.ReadFull(r, name); err != nil {
		return err
	}
	if _, err := r.Discard(int(le.Uint16(h[28:]))); err != nil {
		return err
	}
	later := flags&8 != 0 // its sizes follow it
	if flags&1 != 0 {
		j.locked++
	}
	switch {
	case later && flags&1 != 0:
		return errNoMember
	case method == 8 && flags&1 == 0:
		return j.deflated(r, string(name), stored, size, later)
	case later:
		return errNoMember // nothing tells where it ends
	}
	return discard(r, stored) // what is stored as it is has been seen with the archive's own bytes
}

func discard(r *bufio.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

func (j *unzipJob) deflated(r *bufio.Reader, name string, stored, size int64, later bool) error {
	if !later && !worthReading(name) {
		return discard(r, stored)
	}
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return err
	}
	j.scan.inner = true
	j.scan.begin(j.engine, j.path+"!"+clean(name), size)
	n, err := io.Copy(&j.scan, io.LimitReader(z, j.left))
	facts, unseen := j.scan.close()
	j.facts.Findings = append(j.facts.Findings, facts.Findings...)
	if len(j.facts.Documents) < mostDocuments {
		j.facts.Documents = append(j.facts.Documents, facts.Documents...)
	}
	j.left -= n
	switch {
	case unseen != nil:
		return unseen
	case err != nil:
		return fmt.Errorf("%s: %w: %w", clean(name), bulwark.ErrMalformed, err)
	case j.left <= 0:
		return fmt.Errorf("it inflates to too much: %w", bulwark.ErrLimit)
	case len(j.facts.Findings) >= mostOfFile:
		return fmt.Errorf("%d places hold secrets: %w", len(j.facts.Findings), bulwark.ErrLimit)
	}
	if later {
		return descriptor(r)
	}
	return nil
}

// Write makes a scan what members are copied to.
func (s *scan) Write(b []byte) (int, error) {
	s.write(b)
	return len(b), nil
}

// descriptor passes the sizes that follow a member: with or without a signature, of 32 bits or of 64.
func descriptor(r *bufio.Reader) error {
	b, err := r.Peek(28)
	if err != nil && len(b) < 20 {
		return err
	}
	for _, n := range []int{16, 12, 24, 20} {
		if len(b) >= n+4 && b[n] == 'P' && b[n+1] == 'K' {
			_, err := r.Discard(n)
			return err
		}
	}
	return fmt.Errorf("nothing follows a file of it: %w", bulwark.ErrMalformed)
}

// pipe hands pieces to a goroutine, one at a time.
type pipe struct {
	pieces  chan []byte
	taken   chan struct{}
	stopped chan struct{}
	once    sync.Once
	rest    []byte
	busy    bool
}

func newPipe() *pipe {
	return &pipe{pieces: make(chan []byte), taken: make(chan struct{}), stopped: make(chan struct{})}
}

// write returns when the piece has been read, or nobody reads any more.
func (p *pipe) write(piece []byte) {
	select {
	case p.pieces <- piece:
	case <-p.stopped:
		return
	}
	select {
	case <-p.taken:
	case <-p.stopped:
	}
}

// end says that no piece will come.
func (p *pipe) end() { p.once.Do(func() { close(p.pieces) }) }

// stop says that no piece will be read.
func (p *pipe) stop() { close(p.stopped) }

// Read is called by the goroutine.
func (p *pipe) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		if p.busy {
			p.taken <- struct{}{}
			p.busy = false
		}
		piece, ok := <-p.pieces
		if !ok {
			return 0, io.EOF
		}
		p.rest, p.busy = piece, true
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// worthReading leaves out what holds pictures, fonts and sounds.
func worthReading(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".ttf", ".otf", ".woff", ".woff2", ".mp3", ".mp4", ".ogg", ".wav", ".icc", ".pdf":
		return false
	}
	return true
}
