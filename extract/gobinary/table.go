package gobinary

import (
	"bytes"
	"encoding/binary"
	"slices"

	"bulwark"
)

const (
	// maxNames is the size of a table of function names that is believed, in bytes; a
	// Kubernetes server has 6 MB.
	maxNames = 128 << 20
	// maxHashes bounds what is remembered of them.
	maxHashes = 4 << 20
	// maxName bounds one name; longer ones are left out.
	maxName = 16 << 10
	// maxMain bounds the names of package main that wait for its import path, in bytes.
	maxMain = 256 << 10
)

// names are the hashes of what is linked.
type names struct {
	end    int64 // of the table that is being read
	hashes []uint32
	found  bool // a table was read to its end
	full   bool // a bound was met: what is linked is not known
	last   []byte
	main   []byte // names of package main without the package, NUL separated
}

// tableHeader is the length of the header of a pclntab of Go 1.16 or later, 0 for
// what is none. (Go 1.15 and earlier mix the names with other data.)
func tableHeader(b []byte) int {
	words := 8 // nfunc nfiles textStart funcname cu filetab pctab functab
	switch binary.LittleEndian.Uint32(b) {
	case 0xfffffff0, 0xfffffff1, 0xf0ffffff, 0xf1ffffff:
	case 0xfffffffa, 0xfaffffff:
		words = 7 // no textStart
	default:
		return 0
	}
	quantum, ptr := b[6], b[7]
	if b[4] != 0 || b[5] != 0 || quantum != 1 && quantum != 2 && quantum != 4 || ptr != 4 && ptr != 8 {
		return 0
	}
	return 8 + words*int(ptr)
}

// table reads the header of a pclntab, and goes on to its names when it is one.
func (s *scanner) table() {
	b, ptr := s.buf, int(s.buf[7])
	order := binary.ByteOrder(binary.LittleEndian)
	if b[0] == 0xff {
		order = binary.BigEndian
	}
	fields := (len(b) - 8) / ptr
	word := func(i int) uint64 { // counted from the last, which all versions share
		at := b[8+(fields+i)*ptr:]
		if ptr == 4 {
			return uint64(order.Uint32(at))
		}
		return order.Uint64(at)
	}
	start, end := word(-5), word(-4)
	if start < uint64(len(b)) || start > uint64(len(b))+64 || end <= start || end-start > maxNames ||
		word(-3) < end || word(-2) < word(-3) || word(-1) < word(-2) {
		s.resume()
		return
	}
	s.names.end = s.base + int64(end)
	s.skipTo(s.base+int64(start), (*scanner).startNames)
}

func (s *scanner) startNames() { s.buf, s.next, s.mode = nil, nil, (*scanner).readNames }

// readNames takes NUL-terminated names up to the end of the table.
func (s *scanner) readNames(p []byte) int {
	p = p[:min(int64(len(p)), s.names.end-s.off)]
	n := len(p)
	for {
		i := bytes.IndexByte(p, 0)
		if i < 0 {
			break
		}
		name := p[:i]
		if len(s.buf) > 0 || bytes.ContainsAny(name, "[%") { // split changes such names, and the piece is only lent
			s.buf = append(s.buf, name...)
			name = s.buf
		}
		s.names.add(name)
		s.buf, p = s.buf[:0], p[i+1:]
	}
	if len(s.buf) < maxName {
		s.buf = append(s.buf, p...)
	}
	if s.off+int64(n) >= s.names.end {
		s.names.found = true
		s.resume()
	}
	return n
}

// add remembers a function and the package that it is of.
func (n *names) add(name []byte) {
	if len(name) == 0 || len(name) > maxName || n.full {
		return
	}
	path, fn, ok := split(name)
	if !ok {
		return
	}
	if string(path) != string(n.last) {
		n.hash(path, nil)
		n.last = append(n.last[:0], path...)
	}
	if len(fn) == 0 {
		return
	}
	n.hash(path, fn)
	if string(path) == "main" && len(n.main)+len(fn) < maxMain {
		n.main = append(append(n.main, fn...), 0)
	}
}

// hash adds the hash of an import path, with a dot and a function's name when there is
// one.
func (n *names) hash(path, fn []byte) {
	if len(n.hashes) >= maxHashes {
		n.full, n.hashes = true, nil
		return
	}
	h := fnv1a(fnvOffset, path)
	if len(fn) > 0 {
		h = fnv1a(fnv1a(h, []byte{'.'}), fn)
	}
	n.hashes = append(n.hashes, h)
}

// fnvOffset is where FNV-1a starts.
const fnvOffset = 2166136261

// fnv1a is [bulwark.SymbolHash] in pieces and without allocation.
func fnv1a(h uint32, b []byte) uint32 {
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// symbols is the finished set; path is the import path of package main. It is nil when no
// table was read whole.
func (n *names) symbols(path string) *bulwark.Symbols {
	if !n.found || n.full {
		return nil
	}
	if path != "" {
		n.hash([]byte(path), nil)
		for fn := range bytes.SplitSeq(n.main, []byte{0}) {
			n.hash([]byte(path), fn)
		}
	}
	if n.full {
		return nil
	}
	return bulwark.NewSymbols(slices.Clip(n.hashes))
}
