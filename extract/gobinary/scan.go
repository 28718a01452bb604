package gobinary

import (
	"encoding/binary"

	"bulwark"
	"bulwark/extract/internal/object"
)

// block is the alignment of what is looked for, in memory and so in the file.
const block = 16

// scanner walks the mapped regions of one file, block by block, until it has met the
// build information and the table of function names.
type scanner struct {
	file    object.File
	regions []object.Region // those to search, by offset
	off     int64           // of the next byte
	mode    func(*scanner, []byte) int

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
	s := &scanner{file: f, mode: (*scanner).hunt}
	code := f.GoNote && !hasPlain(f.Regions)
	for _, r := range f.Regions {
		if !r.Exec || code {
			s.regions = append(s.regions, r)
		}
	}
	if f.GoNote {
		s.old = &legacy{}
	}
	return s
}

// hasPlain tells whether constants have a region of their own; old linkers map them
// together with code.
func hasPlain(regions []object.Region) bool {
	for _, r := range regions {
		if !r.Exec && !r.Writable {
			return true
		}
	}
	return false
}

// feed takes the next bytes of the file.
func (s *scanner) feed(p []byte) error {
	s.feedLegacy(p)
	for len(p) > 0 {
		if s.info.found && s.names.found {
			return bulwark.ErrSkip
		}
		n := s.mode(s, p)
		s.off += int64(n)
		p = p[n:]
		if n == 0 && len(s.regions) == 0 {
			return bulwark.ErrSkip
		}
	}
	return nil
}

// hunt looks for the two magics in the first of the regions left. It returns how many
// bytes it is done with: all up to a magic, a whole block at least otherwise.
func (s *scanner) hunt(p []byte) int {
	for len(s.regions) > 0 && s.off >= s.regions[0].End() {
		s.regions = s.regions[1:]
	}
	if len(s.regions) == 0 {
		return 0
	}
	r := s.regions[0]
	if skip := max(r.Off-s.off, -s.off&(block-1)); skip > 0 {
		return int(min(skip, int64(len(p))))
	}
	if len(p) < block {
		s.collect(block, (*scanner).carried)
		return 0
	}
	p = p[:min(int64(len(p)), r.End()-s.off)]
	n := len(p) &^ (block - 1)
	for i := 0; i < n; i += block {
		if maybe(binary.LittleEndian.Uint64(p[i:])) && s.match(p[i:i+block]) {
			return i
		}
	}
	if n == 0 { // the region ends within a block: nothing of interest fits
		return len(p)
	}
	return n
}

// maybe tells whether a block that starts so may be either magic.
func maybe(w uint64) bool {
	return w == infoWord || w&0x0000_ffff_ffff_ff00 == 0xffff_ff00 || w&0x0000_ffff_00ff_ffff == 0x00ff_ffff
}

// match tells whether a block starts one of the two, and sets out to collect it.
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

// carried looks at a block that was collected from two pieces.
func (s *scanner) carried() {
	b := s.buf
	s.mode = (*scanner).hunt
	if maybe(binary.LittleEndian.Uint64(b)) && s.match(b) {
		s.buf = b // the collected block is the start of what match collects
	}
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
func (s *scanner) resume() { s.buf, s.mode = nil, (*scanner).hunt }

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
