package gobinary

import (
	"encoding/binary"
	"slices"

	"bulwark"
	"bulwark/extract/internal/object"
)

// window is how many bytes tell whether a magic starts there.
const window = 16

// scanner walks the mapped regions of one file until it has met the
// build information and the table of function names.
type scanner struct {
	file    object.File
	regions []object.Region // those to search, by offset
	off     int64           // of the next byte
	mode    func(*scanner, []byte) int
	step    int    // alignment of what is looked for, in memory and so in the file
	tail    []byte // the last bytes of the piece before, from the first place not yet looked at

	// While mode is collect: buf is filled up to need bytes, then next is called.
	buf  []byte
	base int64 // offset of buf
	need int
	next func(*scanner)

	info  buildInfo
	names names
	old   *legacy // for Go 1.13 to 1.17; nil when the file does not look like it
}

func newScanner(f object.File) *scanner {
	s := &scanner{file: f, regions: regions(&f), mode: (*scanner).hunt, step: f.Word}
	if f.GoNote {
		s.old = &legacy{}
	}
	return s
}

// regions are where the scanner has to look. What GNU's linker wrote, and Go's had no
// part in, is mostly no Go program: its many constants are not searched for functions.
// Its data still is for the build information, since Go's note can be left out; for such
// a program it is not known what is linked.
func regions(f *object.File) []object.Region {
	all := f.Constants()
	if f.GNUNote && !f.GoNote {
		return slices.DeleteFunc(all, func(r object.Region) bool { return !r.Writable })
	}
	return all
}

// feed takes the next bytes of the file.
func (s *scanner) feed(p []byte) error {
	s.feedLegacy(p)
	for len(p) > 0 {
		n := s.mode(s, p)
		s.off += int64(n)
		p = p[n:]
		if len(s.regions) == 0 || s.info.found && s.names.found && s.next == nil {
			return bulwark.ErrSkip
		}
	}
	return nil
}

// hunt looks for the two magics in the first of the regions left. It returns how many
// bytes it is done with.
func (s *scanner) hunt(p []byte) int {
	for len(s.regions) > 0 && s.off >= s.regions[0].End() {
		s.regions, s.tail = s.regions[1:], nil
	}
	if len(s.regions) == 0 {
		return 0
	}
	r := s.regions[0]
	if r.Off > s.off {
		return int(min(r.Off-s.off, int64(len(p))))
	}
	p = p[:min(int64(len(p)), r.End()-s.off)]
	if len(s.tail) > 0 {
		return s.huntJoint(p)
	}
	at, found := s.search(p, s.off)
	if !found {
		s.tail = append(s.tail, p[at:]...)
		return len(p)
	}
	return at
}

// huntJoint searches where two pieces meet.
func (s *scanner) huntJoint(p []byte) int {
	n := min(len(p), window-1)
	joint := append(s.tail, p[:n]...)
	start := s.off - int64(len(s.tail))
	at, found := s.search(joint, start)
	switch {
	case found:
		s.tail, s.buf, s.base = nil, joint[at:], start+int64(at)
		return n
	case n == window-1: // all places in the tail were looked at
		s.tail = nil
		return 0
	}
	s.tail = joint[at:]
	return n
}

// search looks for a magic in b, which stands at an offset of the file. It sets out to
// collect what the magic starts and gives its place; or else gives the first place that
// needs more bytes to tell.
func (s *scanner) search(b []byte, off int64) (at int, found bool) {
	at = int(-off & int64(s.step-1))
	for ; at+window <= len(b); at += s.step {
		if maybe(binary.LittleEndian.Uint64(b[at:])) && s.match(b[at:at+window]) {
			return at, true
		}
	}
	return min(at, len(b)), false
}

// maybe tells whether what starts so may be either magic.
func maybe(w uint64) bool {
	return w&0x0000_ffff_ffff_ff00 == 0xffff_ff00 || w == infoWord || w&0x0000_ffff_00ff_ffff == 0x00ff_ffff
}

// match tells whether a window starts one of the two, and sets out to collect it.
func (s *scanner) match(b []byte) bool {
	switch {
	case !s.info.found && s.regions[0].Writable && string(b[:len(infoMagic)]) == infoMagic:
		s.collect(infoHead, (*scanner).infoHeader)
	case tableHeader(b) > 0:
		s.collect(tableHeader(b), (*scanner).table)
	default:
		return false
	}
	return true
}

// collect fills buf with the next need bytes and calls next then.
func (s *scanner) collect(need int, next func(*scanner)) {
	s.buf, s.need, s.next, s.mode = nil, need, next, (*scanner).fill
}

// fill is the mode of collect.
func (s *scanner) fill(p []byte) int {
	if len(s.buf) == 0 {
		s.base = s.off
	}
	n := min(len(p), s.need-len(s.buf))
	s.buf = append(s.buf, p[:n]...)
	if len(s.buf) == s.need {
		s.next(s)
	}
	return n
}

// more goes on collecting: need bytes in all.
func (s *scanner) more(need int, next func(*scanner)) { s.need, s.next = need, next }

// resume goes back to the hunt.
func (s *scanner) resume() { s.buf, s.next, s.mode = nil, nil, (*scanner).hunt }

// skipTo passes over bytes up to an offset, then calls next.
func (s *scanner) skipTo(off int64, next func(*scanner)) {
	s.buf, s.next = nil, next
	s.mode = func(s *scanner, p []byte) int {
		n := min(max(off-s.off, 0), int64(len(p)))
		if s.off+n >= off {
			next(s)
		}
		return int(n)
	}
}
