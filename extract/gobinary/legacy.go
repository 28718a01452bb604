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
	tail       []byte // the last bytes of the piece before
	at         int64  // offset after tail
	candidates []candidate
	modules    []byte // from the first mark on, while it is open and then whole
	state      int    // of modules: 0 not met, 1 open, 2 whole or given up
}

type candidate struct {
	off  int64
	data []byte
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
	for i := range l.candidates {
		c := &l.candidates[i]
		if len(c.data) < candidateSize && c.off+int64(len(c.data)) == off {
			c.data = append(c.data, p[:min(len(p), candidateSize-len(c.data))]...)
		}
	}
	opened := l.state == 1
	if off == l.at && len(l.tail) > 0 {
		joint := append(l.tail, p[:min(len(p), candidateSize+overlap)]...)
		l.search(off-int64(len(l.tail)), joint, len(l.tail))
		if l.state == 1 && !opened {
			l.modules = append(l.modules, p[len(joint)-len(l.tail):]...)
		}
	}
	if l.state == 1 {
		if opened {
			l.modules = append(l.modules, p...)
		}
		l.close()
	}
	l.search(off, p, len(p))
	l.tail = append([]byte(nil), p[max(0, len(p)-overlap+1):]...)
	l.at = off + int64(len(p))
}

// search looks in b for marks that start before the limit.
func (l *legacy) search(off int64, b []byte, limit int) {
	for _, mark := range []string{"go1.", "devel "} {
		for i := 0; len(l.candidates) < maxCandidates; i++ {
			j := bytes.Index(b[i:], []byte(mark))
			if j < 0 || i+j >= limit {
				break
			}
			i += j
			l.candidates = append(l.candidates, candidate{off + int64(i), bytes.Clone(b[i:min(len(b), i+candidateSize)])})
		}
	}
	if i := bytes.Index(b, []byte(modulesStart)); l.state == 0 && i >= 0 && i < limit {
		l.state, l.modules = 1, bytes.Clone(b[i:])
		l.close()
	}
}

// close ends the list of modules when its second mark has come.
func (l *legacy) close() {
	if i := bytes.Index(l.modules, []byte(modulesEnd)); i >= 0 {
		l.state, l.modules = 2, l.modules[:i+len(modulesEnd)]
		return
	}
	if len(l.modules) > maxModules {
		l.state, l.modules = 2, nil
	}
}

// text is the string of a length at an offset, if it was a candidate.
func (l *legacy) text(off int64, n uint64) string {
	for _, c := range l.candidates {
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
	if s.old != nil {
		s.info.modules = trimModules(s.old.modules)
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
