package gobinary

import (
	"bytes"
)

// Go 1.13 to 1.17 keep version and modules as ordinary strings among the constants,
// which come before the data that points to them. So candidates are remembered: the
// places where "go1." or "devel" stands, and the list of modules by its marks.
const (
	modulesStart = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	modulesEnd   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"

	maxCandidates = 64
	candidateSize = 64
	// overlap of two pieces that is searched again; longer than any mark.
	overlap = 16
)

type legacy struct {
	tail     []byte // the last bytes of what was fed
	at       int64  // offset after tail
	versions []candidate
	modules  candidate
	whole    bool // modules has both marks
}

// candidate is a string that starts at an offset, read so far.
type candidate struct {
	off  int64
	data []byte
}

// grow adds what p, which stands at an offset of the file, has of the candidate, up to a
// size.
func (c *candidate) grow(off int64, p []byte, size int) {
	from := c.off + int64(len(c.data)) - off
	if from >= 0 && from < int64(len(p)) && len(c.data) < size {
		p = p[from:]
		c.data = append(c.data, p[:min(len(p), size-len(c.data))]...)
	}
}

// feedLegacy shows constants to the collector of candidates.
func (s *scanner) feedLegacy(p []byte) {
	if s.old == nil || s.info.found {
		return
	}
	end := s.off + int64(len(p))
	for _, r := range s.regions {
		if from, to := max(r.Off, s.off), min(r.End(), end); from < to && !r.Writable {
			s.old.feed(from, p[from-s.off:to-s.off])
		}
	}
}

// feed takes the next bytes of constants, which start at an offset of the file.
func (l *legacy) feed(off int64, p []byte) {
	if off != l.at {
		l.tail = nil
	}
	joint := append(l.tail, p[:min(len(p), overlap-1)]...)
	l.search(off-int64(len(l.tail)), joint, len(l.tail))
	l.search(off, p, 0)
	for i := range l.versions {
		l.versions[i].grow(off, p, candidateSize)
	}
	l.growModules(off, p)
	if len(p) >= overlap {
		joint = p
	}
	l.tail = bytes.Clone(joint[max(0, len(joint)-overlap+1):])
	l.at = off + int64(len(p))
}

// search looks in b for marks that end after its first old bytes, which were searched
// before.
func (l *legacy) search(off int64, b []byte, old int) {
	for _, mark := range []string{"go1.", "devel "} {
		for i := max(0, old-len(mark)+1); len(l.versions) < maxCandidates; i++ {
			j := bytes.Index(b[i:], []byte(mark))
			if j < 0 {
				break
			}
			i += j
			l.versions = append(l.versions, candidate{off + int64(i), bytes.Clone(b[i:min(len(b), i+candidateSize)])})
		}
	}
	if i := bytes.Index(b, []byte(modulesStart)); i >= 0 && l.modules.data == nil {
		l.modules = candidate{off + int64(i), []byte(modulesStart)}
	}
}

// growModules goes on reading the list of modules until its second mark.
func (l *legacy) growModules(off int64, p []byte) {
	had := len(l.modules.data)
	if l.whole || had == 0 {
		return
	}
	l.modules.grow(off, p, maxModules)
	from := max(0, had-len(modulesEnd))
	if i := bytes.Index(l.modules.data[from:], []byte(modulesEnd)); i >= 0 {
		l.whole, l.modules.data = true, l.modules.data[:from+i+len(modulesEnd)]
	}
}

// text is the string of a length at an offset, if it was a candidate.
func (l *legacy) text(off int64, n uint64) string {
	for _, c := range l.versions {
		if c.off == off && n <= uint64(len(c.data)) {
			return string(c.data[:n])
		}
	}
	return ""
}

// legacyInfo follows the pointer to the variable that holds the version: an address and
// a length.
func (s *scanner) legacyInfo(variable uint64) {
	s.info.found = true
	if s.old != nil && s.old.whole {
		s.info.modules = trimModules(s.old.modules.data)
	}
	off, ok := s.file.Offset(variable)
	if !ok || off < s.base+int64(len(s.buf)) {
		s.resume()
		return
	}
	s.skipTo(off, func(s *scanner) { s.collect(2*s.info.ptr, (*scanner).legacyVersion) })
}

func (s *scanner) legacyVersion() {
	addr, n := s.info.word(s.buf), s.info.word(s.buf[s.info.ptr:])
	if off, ok := s.file.Offset(addr); ok && s.old != nil {
		s.info.version = s.old.text(off, n)
	}
	s.resume()
}
