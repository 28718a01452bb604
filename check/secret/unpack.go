package secret

import (
	"fmt"
	"io"
	"runtime"
	"sync"

	"bulwark"
	"bulwark/check/secret/internal/archive"
)

// unpacker looks at what an archive holds as its bytes stream by. The archive is read by a
// goroutine of its own, which lives until close, or until the unpacker is forgotten.
type unpacker struct {
	pipe *pipe
	job  *unpackJob
}

type unpackJob struct {
	engine *engine
	path   string
	size   int64
	tar    bool // every byte comes from here: the sink does not search the archive itself
	facts  bulwark.Facts
	seen   map[seen]bool // values that files of it hold
	scan   *scan
	unseen error // of what was searched, the first
	err    error
	done   chan struct{}
	panic  any
}

// seen names a value that was found.
type seen struct{ rule, value string }

var scans = sync.Pool{New: func() any { return new(scan) }}

func newUnpacker(kind archive.Kind, e *engine, path string, size int64) *unpacker {
	u := &unpacker{pipe: newPipe(), job: &unpackJob{engine: e, path: path, size: size, tar: kind == archive.Tar, done: make(chan struct{})}}
	go u.job.run(u.pipe)
	runtime.AddCleanup(u, func(p *pipe) { p.end() }, u.pipe)
	return u
}

func (u *unpacker) write(piece []byte) { u.pipe.write(piece) }

// close gives what was found, and an error of one line that says what was not looked at.
func (u *unpacker) close() (bulwark.Facts, error) {
	u.pipe.end()
	<-u.job.done
	if u.job.panic != nil {
		panic(u.job.panic) // whoever feeds the sink recovers
	}
	return u.job.facts, inOne(u.job.err, u.job.unseen)
}

// inOne makes one error of two, on one line.
func inOne(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return fmt.Errorf("%w; %w", a, b)
}

func (j *unpackJob) run(p *pipe) {
	defer close(j.done)
	defer p.stop()
	defer func() { j.panic = recover() }()
	j.scan, j.seen = scans.Get().(*scan), map[seen]bool{}
	j.err = archive.Walk(p, j.path, j.size, j.text)
	scans.Put(j.scan)
}

// text searches a file in the archive, and what is left of an archive.
func (j *unpackJob) text(t *archive.Text) error {
	outer := t.Path == j.path
	if outer && !j.tar {
		return nil // the sink searches it
	}
	j.scan.begin(j.engine, t.Path, t.Size)
	j.scan.inner, j.scan.rest, j.scan.tell = !outer, t.Rest, j.seen
	io.Copy(j.scan, t.Reader) // the archive tells of errors
	facts, unseen := j.scan.close()
	if j.unseen == nil {
		j.unseen = unseen
	}
	j.facts.Findings = append(j.facts.Findings, facts.Findings...)
	if len(j.facts.Documents) < mostDocuments {
		j.facts.Documents = append(j.facts.Documents, facts.Documents...)
	}
	if n := len(j.facts.Findings); n >= mostOfFile {
		return fmt.Errorf("%d places hold secrets: %w", n, bulwark.ErrLimit)
	}
	return nil
}

// Write makes a scan what files of archives are copied to.
func (s *scan) Write(b []byte) (int, error) {
	s.write(b)
	return len(b), nil
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
