// Package object reads the headers of executables from the first bytes of a file,
// so that a file that streams by can be searched in the right places.
package object

import (
	"encoding/binary"
	"fmt"
	"slices"

	"bulwark"
)

// HeadSize is how many bytes from the start of a file Parse wants, when it has that many.
const HeadSize = 16 << 10

// maxRegions bounds what a header may name.
const maxRegions = 512

// File is what the header of an executable or shared library says.
type File struct {
	Kind    Kind
	Order   binary.ByteOrder
	Word    int      // bytes of an address: 4 or 8
	Regions []Region // sorted by offset
	// GoNote is true when the header's page holds the note that Go's linker writes.
	GoNote bool
	// GNUNote is true for an ELF file whose notes start with one of the GNU tools, as
	// those that their linkers wrote do.
	GNUNote bool
	// Interpreter is true for an ELF file that names its dynamic linker.
	Interpreter bool
	// Entry is the entry point; shared libraries mostly have none.
	Entry uint64
}

// Kind is a format of executables.
type Kind string

// The kinds that Parse knows.
const (
	ELF   Kind = "ELF"
	PE    Kind = "PE"
	MachO Kind = "Mach-O"
)

// Region is a piece of the file that is mapped when the program runs: a segment of
// an ELF file, a section of the others.
type Region struct {
	Name      string // empty in ELF
	Off, Size int64  // in the file; never negative, and their sum does not overflow
	Addr      uint64
	Writable  bool
	Exec      bool
}

// End is the offset after the region.
func (r Region) End() int64 { return r.Off + r.Size }

// Is tells whether a file that starts so may be an executable; four bytes are enough.
func Is(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch {
	case string(head[:4]) == "\x7fELF", string(head[:2]) == "MZ":
		return true
	}
	return isMachO(head)
}

// Parse reads the header. The error wraps [bulwark.ErrMalformed], or
// [bulwark.ErrUnsupported] for a kind that it does not know.
func Parse(head []byte) (File, error) {
	if !Is(head) {
		return File{}, fmt.Errorf("executable: %w", bulwark.ErrUnsupported)
	}
	var f File
	var err error
	switch {
	case head[0] == 0x7f:
		f, err = parseELF(head)
	case head[0] == 'M':
		f, err = parsePE(head)
	default:
		f, err = parseMachO(head)
	}
	if err != nil {
		return File{}, err
	}
	slices.SortStableFunc(f.Regions, byOffset)
	return f, nil
}

// Offset is where in the file a mapped address lies.
func (f *File) Offset(addr uint64) (int64, bool) {
	for _, r := range f.Regions {
		if addr >= r.Addr && addr-r.Addr < uint64(r.Size) {
			return r.Off + int64(addr-r.Addr), true
		}
	}
	return 0, false
}

// add keeps a region that has bytes in the file.
func (f *File) add(r Region) {
	if r.Off >= 0 && r.Size > 0 && r.Off+r.Size > r.Off && len(f.Regions) < maxRegions {
		f.Regions = append(f.Regions, r)
	}
}

// view reads numbers at offsets of the header; what lies outside it reads as zero
// and is remembered.
type view struct {
	b     []byte
	order binary.ByteOrder
	short bool
}

func (v *view) at(off, n uint64) []byte {
	if off > uint64(len(v.b)) || uint64(len(v.b))-off < n {
		v.short = true
		return make([]byte, n)
	}
	return v.b[off : off+n]
}

func (v *view) u16(off uint64) uint64 { return uint64(v.order.Uint16(v.at(off, 2))) }
func (v *view) u32(off uint64) uint64 { return uint64(v.order.Uint32(v.at(off, 4))) }
func (v *view) u64(off uint64) uint64 { return v.order.Uint64(v.at(off, 8)) }

// word is a number of the class's size.
func (v *view) word(off uint64, wide bool) uint64 {
	if wide {
		return v.u64(off)
	}
	return v.u32(off)
}

func wordSize(wide bool) int {
	if wide {
		return 8
	}
	return 4
}

func (v *view) err(kind Kind) error {
	if !v.short {
		return nil
	}
	return fmt.Errorf("%s header ends early: %w", kind, bulwark.ErrMalformed)
}
