package gobinary

import (
	"encoding/binary"
	"fmt"

	"bulwark"
)

const (
	infoMagic = "\xff Go buildinf:"
	infoWord  = 0x697562206f4720ff // its first eight bytes
	// infoHead is the length of the blob's header.
	infoHead = 32

	maxVersion = 4 << 10
	// maxModules is the size of the list of modules that is read, in bytes; the largest
	// known has some 100 KB.
	maxModules = 4 << 20
)

// buildInfo is what the linker wrote about the build.
type buildInfo struct {
	found   bool
	version string // of Go: "go1.22.3"
	modules string // as runtime/debug.ParseBuildInfo reads it
	err     error  // of what looked like build information and was none

	order binary.ByteOrder // of pointers, before Go 1.18
	ptr   int              // their size
}

// infoHeader reads the blob's header: from Go 1.18 on two strings follow, before that
// it points to two variables.
func (s *scanner) infoHeader() {
	b := s.buf
	ptr, flags := int(b[14]), b[15]
	if flags&2 != 0 {
		s.more(infoHead+1, (*scanner).versionLength)
		return
	}
	if ptr != 4 && ptr != 8 {
		s.resume()
		return
	}
	s.info.order, s.info.ptr = binary.LittleEndian, ptr
	if flags&1 != 0 {
		s.info.order = binary.BigEndian
	}
	s.legacyInfo(s.info.word(b[16:]))
}

func (i *buildInfo) word(b []byte) uint64 {
	if i.ptr == 4 {
		return uint64(i.order.Uint32(b))
	}
	return i.order.Uint64(b)
}

// versionLength reads the length of the first string, a varint.
func (s *scanner) versionLength() {
	s.length(infoHead, maxVersion, "Go version", (*scanner).infoVersion)
}

func (s *scanner) infoVersion() {
	n, used := binary.Uvarint(s.buf[infoHead:])
	start := infoHead + used
	s.info.version = string(s.buf[start : start+int(n)])
	s.more(len(s.buf)+1, (*scanner).modulesLength)
}

// modulesLength reads the length of the second string, which starts after the first.
func (s *scanner) modulesLength() {
	s.length(s.modulesAt(), maxModules, "list of modules", (*scanner).infoModules)
}

func (s *scanner) modulesAt() int {
	n, used := binary.Uvarint(s.buf[infoHead:])
	return infoHead + used + int(n)
}

func (s *scanner) infoModules() {
	at := s.modulesAt()
	_, used := binary.Uvarint(s.buf[at:])
	s.info.modules = trimModules(s.buf[at+used:])
	s.info.found = true
	s.resume()
}

// length reads a varint at an offset of buf, a byte more each time until it is whole, then
// collects as many bytes and calls next.
func (s *scanner) length(at int, most uint64, what string, next func(*scanner)) {
	n, used := binary.Uvarint(s.buf[at:])
	switch {
	case used == 0:
		s.more(len(s.buf)+1, s.next)
	case used < 0:
		s.refuse(fmt.Errorf("length of %s: %w", what, bulwark.ErrMalformed))
	case n > most:
		s.refuse(fmt.Errorf("%s of %d bytes: %w", what, n, bulwark.ErrLimit))
	case n == 0:
		next(s)
	default:
		s.more(at+used+int(n), next)
	}
}

// refuse remembers why this was no build information, and goes on: programs that read
// Go binaries hold the magic as well.
func (s *scanner) refuse(err error) {
	s.info.err = err
	s.resume()
}

// trimModules takes off the two marks of 16 bytes that the linker puts around the list.
func trimModules(b []byte) string {
	if len(b) >= 33 && b[len(b)-17] == '\n' {
		return string(b[16 : len(b)-16])
	}
	return ""
}
