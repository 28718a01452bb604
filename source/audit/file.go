package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
)

// File follows an audit log that an API server writes to a file. Fields are set before Run.
type File struct {
	Path string
	// Begin has the events given that the file has at the start; without it only those that are added.
	Begin bool
	// Every is how often is looked for more; 0: 25 ms.
	Every time.Duration
	// Note is told what cannot be read, from Run's goroutine; nil: nobody is.
	Note func(bulwark.Note)
	Now  func() time.Time // dates events without a time; nil: time.Now

	counter
	noter noter
}

var _ bulwark.Sensor = (*File)(nil)

// Info describes the sensor.
func (*File) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "The audit log of a Kubernetes API server, from its file.", Version: 1}
}

// Abilities are requests to the API server, if the file can be read.
func (s *File) Abilities() []bulwark.Ability {
	a := bulwark.Ability{Name: "see requests to the API server", By: "audit log " + s.Path}
	f, err := s.open()
	if err != nil {
		a.Why = err.Error()
		return []bulwark.Ability{a}
	}
	f.Close()
	return []bulwark.Ability{a}
}

// Counts tells what became of lines. Those dropped are longer than a megabyte, or no events.
func (s *File) Counts() []bulwark.Count { return s.count("k8s_audit file") }

// Run follows the file: through rotation by renaming (what is left of the old file comes first) and by truncation. A file that is not
// there yet is waited for. Files that came and went within one look are read where they are named as API servers name them,
// audit-TIME.log; those of other names are missed.
func (s *File) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	s.noter.note = s.Note
	if s.Now == nil {
		s.Now = time.Now
	}
	if !wanted(want) {
		ready()
		<-ctx.Done()
		return nil
	}
	f := &following{File: s, emit: emit}
	defer f.close()
	err := f.start()
	ready()
	tick := time.NewTicker(cmp.Or(s.Every, 25*time.Millisecond))
	defer tick.Stop()
	for err == nil {
		if err = f.look(ctx); err != nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// open refuses what would block, or is no log.
func (s *File) open() (*os.File, error) {
	st, err := os.Stat(s.Path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file: %w", s.Path, bulwark.ErrUnsupported)
	}
	return os.Open(s.Path)
}

// following is where the reading stands.
type following struct {
	*File
	emit   func([]bulwark.Event) error
	file   *os.File
	offset int64
	head   []byte // how the file begins: another beginning is another log
	lines  lines
	past   map[string]bool // names of the files that the log was rotated into before
	began  bool            // the file was opened once, or was not there at the start: what it has from then on is new
	buf    []byte
}

const maxHead = 256

func (f *following) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// start opens the file, at its end unless its beginning is wanted. It is no error that there is none yet.
func (f *following) start() error {
	if f.buf == nil {
		f.buf = make([]byte, 64<<10)
		f.rotatedInto(nil) // what is there is not new
	}
	file, err := f.open()
	if errors.Is(err, bulwark.ErrUnsupported) {
		return err
	}
	if err != nil {
		f.began = errors.Is(err, fs.ErrNotExist)
		f.noter.tell("open", fmt.Sprintf("the audit log cannot be read, and is waited for: %v", err))
		return nil
	}
	f.noter.over("open", "the audit log is read")
	f.file, f.began = file, true
	if f.Begin {
		return nil
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.Path, err)
	}
	f.offset = end
	var last [1]byte
	if end > 0 {
		if _, err := file.ReadAt(last[:], end-1); err == nil && last[0] != '\n' {
			f.lines.skip = true // the rest of a line whose beginning was there before
		}
	}
	f.remember()
	return nil
}

// remember keeps how the file begins, as far as it has been read.
func (f *following) remember() {
	n := min(f.offset, maxHead)
	if int64(len(f.head)) >= n {
		return
	}
	b := make([]byte, n)
	if _, err := f.file.ReadAt(b, 0); err == nil {
		f.head = b
	}
}

// look reads what there is.
func (f *following) look(ctx context.Context) error {
	if f.file == nil && !f.began {
		if err := f.start(); err != nil {
			return err
		}
	}
	if f.file == nil && (!f.began || !f.reopen()) {
		return nil
	}
	for {
		if f.truncated() {
			f.again()
		}
		if err := f.read(ctx); err != nil {
			return err
		}
		if !f.rotated() {
			return nil
		}
		if err := f.read(ctx); err != nil { // what came between reading and renaming
			return err
		}
		if err := f.finish(); err != nil {
			return err
		}
		old, err := f.file.Stat()
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.Path, err)
		}
		f.close()
		f.head, f.offset = nil, 0
		if err := f.next(ctx, old); err != nil || f.file == nil {
			return err
		}
	}
}

// next opens the log that follows old, and reads first what came and went in between.
func (f *following) next(ctx context.Context, old os.FileInfo) error {
	for f.reopen() {
		between := f.rotatedInto(old)
		if len(between) == 0 {
			return nil
		}
		f.close() // it may be one of those by now
		for _, name := range between {
			if err := f.whole(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// whole reads a file from its beginning to its end.
func (f *following) whole(ctx context.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		f.noter.tell("open", fmt.Sprintf("part of the audit log is missed: %v", err))
		return nil
	}
	f.file, f.offset, f.head, f.lines = file, 0, nil, lines{}
	defer f.close()
	if err := f.read(ctx); err != nil {
		return err
	}
	return f.finish()
}

// mostPast is how many files beside the log are looked at.
const mostPast = 10_000

// rotatedInto are the files that the log was rotated into since it was last asked, the oldest first, without old and the one that is open.
func (f *following) rotatedInto(old os.FileInfo) (between []string) {
	dir, base := filepath.Split(f.Path)
	ext := filepath.Ext(base)
	list, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	now := map[string]bool{}
	for _, e := range list[:min(len(list), mostPast)] {
		stamp, ok := strings.CutPrefix(e.Name(), strings.TrimSuffix(base, ext)+"-")
		if !ok || !stamped(strings.TrimSuffix(stamp, ext)) || !strings.HasSuffix(stamp, ext) || !e.Type().IsRegular() {
			continue
		}
		now[e.Name()] = true
		st, err := e.Info()
		if err != nil || f.past[e.Name()] || old != nil && os.SameFile(st, old) || f.same(st) {
			continue
		}
		between = append(between, dir+e.Name())
	}
	f.past = now
	return between
}

// same tells whether st is of the file that is open.
func (f *following) same(st os.FileInfo) bool {
	if f.file == nil {
		return false
	}
	mine, err := f.file.Stat()
	return err == nil && os.SameFile(st, mine)
}

// stamped tells whether s is the time that API servers put into names of files.
func stamped(s string) bool {
	_, err := time.Parse("2006-01-02T15-04-05.000", s)
	return err == nil
}

func (f *following) reopen() bool {
	file, err := f.open()
	if err != nil {
		f.noter.tell("open", fmt.Sprintf("the audit log cannot be read, and is waited for: %v", err))
		return false
	}
	f.noter.over("open", "the audit log is read again")
	f.file, f.offset, f.head, f.lines = file, 0, nil, lines{}
	return true
}

// rotated tells whether the path names another file now. None yet is no other.
func (f *following) rotated() bool {
	st, err := os.Stat(f.Path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			f.noter.tell("open", fmt.Sprintf("the audit log cannot be looked at: %v", err))
		}
		return false
	}
	mine, err := f.file.Stat()
	return err == nil && st.Mode().IsRegular() && !os.SameFile(st, mine)
}

// truncated tells whether the file is shorter than what was read, or begins otherwise.
func (f *following) truncated() bool {
	st, err := f.file.Stat()
	if err != nil || st.Size() < f.offset {
		return err == nil
	}
	if len(f.head) == 0 {
		return false
	}
	var b [maxHead]byte
	n, err := f.file.ReadAt(b[:len(f.head)], 0)
	return err == nil && !bytes.Equal(b[:n], f.head)
}

// again begins the file anew. A line that was not whole is lost.
func (f *following) again() {
	if len(f.lines.part) > 0 {
		f.seen.Add(1)
		f.dropped.Add(1)
	}
	f.offset, f.head, f.lines = 0, nil, lines{}
}

// finish gives a last line that has no end.
func (f *following) finish() error {
	part := f.lines.part
	f.lines = lines{}
	if len(part) == 0 {
		return nil
	}
	return f.give([][]byte{part})
}

// read reads to the end.
func (f *following) read(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := f.file.ReadAt(f.buf, f.offset)
		f.offset += int64(n)
		if n > 0 {
			f.remember()
			whole, long := f.lines.add(f.buf[:n])
			if long > 0 {
				f.seen.Add(uint64(long))
				f.dropped.Add(uint64(long))
				f.noter.tell("long", fmt.Sprintf("%s has a line of more than %d bytes: such lines are dropped", f.Path, maxEvent))
			}
			if err := f.give(whole); err != nil {
				return err
			}
		}
		if err == io.EOF || n == 0 && err == nil {
			return nil
		}
		if err != nil {
			f.noter.tell("read", fmt.Sprintf("reading the audit log: %v", err))
			return nil
		}
	}
	return ctx.Err()
}

// give emits the events of lines.
func (f *following) give(list [][]byte) error {
	var events []bulwark.Event
	for _, line := range list {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		some, bad := parse(line, f.Now())
		f.seen.Add(uint64(len(some) + bad))
		f.dropped.Add(uint64(bad))
		if bad > 0 {
			f.noter.tell("bad", fmt.Sprintf("%s has lines that are no events of an audit log: they are dropped", f.Path))
		}
		events = append(events, some...)
	}
	if len(events) == 0 {
		return nil
	}
	if err := f.emit(events); err != nil {
		return err
	}
	f.sent.Add(uint64(len(events)))
	return nil
}

// lines makes lines of pieces.
type lines struct {
	part []byte // of a line that has no end yet
	skip bool   // until the end of a line that is too long, or began before
}

// add gives the lines that are whole with b; they are valid until the next call. long is how many lines became too long.
func (l *lines) add(b []byte) (whole [][]byte, long int) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		piece, rest := b, []byte(nil)
		if i >= 0 {
			piece, rest = b[:i], b[i+1:]
		}
		if !l.skip && len(l.part)+len(piece) > maxEvent {
			l.skip, l.part = true, nil
			long++
		}
		switch {
		case l.skip:
			l.skip = i < 0
		case i < 0:
			l.part = append(l.part, piece...)
		case len(l.part) > 0:
			whole = append(whole, append(l.part, piece...))
			l.part = nil
		default:
			whole = append(whole, piece)
		}
		b = rest
	}
	return whole, long
}
