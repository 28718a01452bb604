// Package spool keeps messages on disk, in order, until they are taken out: over restarts, within a number of bytes, and in any state
// that a crash leaves.
package spool

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"bulwark"
)

// ErrFull says that there is no room for a message.
var ErrFull = fmt.Errorf("the buffer on disk is full: %w", bulwark.ErrLimit)

const (
	head       = 8        // of a message: length and checksum
	maxMessage = 1 << 20  // bytes
	ending     = ".queue" // of segments
)

var table = crc32.MakeTable(crc32.Castagnoli)

// Spool is a folder of segments: files of messages, numbered upwards. What is taken out is remembered in the file "taken", so that
// after a crash a message may come twice, and none is lost.
type Spool struct {
	dir     string
	max     int64
	segment int64

	mu       sync.Mutex
	lock     *os.File
	segments []segment // oldest first; the last one is written
	out      *os.File
	in       *os.File
	offset   int64 // of the oldest message in segments[0]
	waiting  int   // messages
	total    int64 // bytes of all segments
	broken   bool  // the last write was not whole
	cut      int64 // bytes that Open found damaged
}

type segment struct {
	number, size int64
}

// Open reads what is there. It makes the folder where there is none. The error wraps ErrUnavailable when another process has it, and max
// is how many bytes it may take.
func Open(dir string, max int64) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the buffer's folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the buffer: %w", err)
	}
	if err := alone(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("the buffer %s is another process's: %w", dir, bulwark.ErrUnavailable)
	}
	s := &Spool{dir: dir, max: max, segment: max/8 + 1, lock: lock}
	if err := s.load(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("reading the buffer %s: %w", dir, err)
	}
	return s, nil
}

func (s *Spool) file(number int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%016d%s", number, ending))
}

func (s *Spool) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	first, offset := s.taken()
	for _, e := range entries {
		n, err := strconv.ParseInt(strings.TrimSuffix(e.Name(), ending), 10, 64)
		if err != nil || s.file(n) != filepath.Join(s.dir, e.Name()) {
			continue
		}
		if n < first {
			os.Remove(s.file(n)) // it was taken out whole
			continue
		}
		s.segments = append(s.segments, segment{number: n})
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	for i := range s.segments {
		from := int64(0)
		if s.segments[i].number == first {
			from = offset
		}
		if err := s.check(&s.segments[i], from, i == 0); err != nil {
			return err
		}
		s.total += s.segments[i].size
	}
	return nil
}

// check counts a segment's messages and cuts off what is no message: the end that a crash left, or what is damaged, with all behind it.
func (s *Spool) check(g *segment, from int64, oldest bool) error {
	f, err := os.OpenFile(s.file(g.number), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: %w", f.Name(), errors.Join(err, bulwark.ErrMalformed))
	}
	if oldest && from <= st.Size() {
		s.offset = from
	}
	r := bufio.NewReader(f)
	good, start := int64(0), s.offset
	for {
		m, err := read(r)
		if err != nil {
			break
		}
		if !oldest || good >= start {
			s.waiting++
		}
		good += head + int64(len(m))
		if oldest && good > start && good-head-int64(len(m)) < start {
			s.offset, start = good, good // "taken" names a place within a message: that one is over
		}
	}
	g.size = good
	if oldest {
		s.offset = min(s.offset, good)
	}
	if good == st.Size() {
		return nil
	}
	s.cut += st.Size() - good
	return f.Truncate(good)
}

func read(r io.Reader) ([]byte, error) {
	var h [head]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(h[:])
	if n == 0 || n > maxMessage {
		return nil, bulwark.ErrMalformed
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if crc32.Checksum(b, table) != binary.LittleEndian.Uint32(h[4:]) {
		return nil, bulwark.ErrMalformed
	}
	return b, nil
}

// taken is what the file of that name says: everything before the segment's offset is taken out.
func (s *Spool) taken() (number, offset int64) {
	f, err := os.Open(filepath.Join(s.dir, "taken"))
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	if _, err := fmt.Fscanf(io.LimitReader(f, 64), "%d %d\n", &number, &offset); err != nil || number < 0 || offset < 0 {
		return 0, 0
	}
	return number, offset
}

// Add keeps a message. It returns [ErrFull] when that would take more than the bytes allowed, and other errors of the disk.
func (s *Spool) Add(m []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(head + len(m))
	if len(m) == 0 || len(m) > maxMessage || s.total+size > s.max {
		return ErrFull
	}
	if err := s.writable(); err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, size), uint32(len(m)))
	b = append(binary.LittleEndian.AppendUint32(b, crc32.Checksum(m, table)), m...)
	last := &s.segments[len(s.segments)-1]
	if _, err := s.out.WriteAt(b, last.size); err != nil {
		s.broken = true
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		return err
	}
	last.size += size
	s.total += size
	s.waiting++
	return nil
}

// writable opens the last segment, or begins one: the first, or when the last is long.
func (s *Spool) writable() error {
	if s.broken && s.out != nil {
		s.out.Truncate(s.segments[len(s.segments)-1].size)
		s.broken = false
	}
	n := len(s.segments)
	if n > 0 && s.segments[n-1].size < s.segment {
		if s.out != nil {
			return nil
		}
		f, err := os.OpenFile(s.file(s.segments[n-1].number), os.O_WRONLY, 0)
		s.out = f
		return err
	}
	number, _ := s.taken()
	if n > 0 {
		number = s.segments[n-1].number
	}
	f, err := os.OpenFile(s.file(number+1), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if s.out != nil {
		s.out.Close()
	}
	s.out = f
	s.segments = append(s.segments, segment{number: number + 1})
	return nil
}

// Oldest gives the oldest message, or nil when there is none.
func (s *Spool) Oldest() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.waiting > 0 {
		if s.offset >= s.segments[0].size {
			s.drop()
			continue
		}
		if s.in == nil {
			f, err := os.Open(s.file(s.segments[0].number))
			if err != nil {
				return nil, err
			}
			s.in = f
		}
		m, err := read(io.NewSectionReader(s.in, s.offset, s.segments[0].size-s.offset))
		if err != nil {
			return nil, fmt.Errorf("the buffer is damaged: %w", err)
		}
		return m, nil
	}
	return nil, nil
}

// Taken takes out the oldest message, which has n bytes.
func (s *Spool) Taken(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += int64(head + n)
	s.waiting--
	if s.offset >= s.segments[0].size && (len(s.segments) > 1 || s.waiting == 0) {
		return s.drop()
	}
	return s.remember(s.segments[0].number, s.offset)
}

// Skip gives up what is left of a segment that cannot be read, and tells how many messages that may be.
func (s *Spool) Skip() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.waiting
	s.drop()
	s.waiting = 0
	for i, g := range s.segments {
		f, err := os.Open(s.file(g.number))
		if err != nil {
			continue
		}
		for r := bufio.NewReader(io.LimitReader(f, s.segments[i].size)); ; s.waiting++ {
			if _, err := read(r); err != nil {
				break
			}
		}
		f.Close()
	}
	return max(before-s.waiting, 1)
}

// drop removes the oldest segment.
func (s *Spool) drop() error {
	g := s.segments[0]
	if s.in != nil {
		s.in.Close()
		s.in = nil
	}
	if len(s.segments) == 1 && s.out != nil {
		s.out.Close()
		s.out = nil
	}
	s.segments, s.offset = s.segments[1:], 0
	s.total -= g.size
	err := s.remember(g.number+1, 0)
	if gone := os.Remove(s.file(g.number)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// remember writes the file "taken" over: its text has one length, and is written by one call.
func (s *Spool) remember(number, offset int64) error {
	f, err := os.OpenFile(filepath.Join(s.dir, "taken"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%019d %019d\n", number, offset), 0)
	return errors.Join(err, f.Close())
}

// Len is how many messages wait, and how many bytes they and what was taken out since take on disk.
func (s *Spool) Len() (messages int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting, s.total
}

// Damaged is how many bytes Open found that are no messages, and cut off.
func (s *Spool) Damaged() int64 { return s.cut }

// Close lets go of the folder.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []*os.File{s.in, s.out} {
		if f != nil {
			f.Close()
		}
	}
	s.in, s.out = nil, nil
	return s.lock.Close()
}
