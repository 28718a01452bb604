package object

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulwark"
)

const (
	ptLoad   = 1
	ptInterp = 3
	ptNote   = 4
	pfExec   = 1
	pfWrite  = 2
)

// parseELF reads the program headers alone: the section headers stand at the end of
// the file, which has not streamed by yet.
func parseELF(head []byte) (File, error) {
	v := &view{b: head, order: binary.LittleEndian}
	ident := v.at(0, 16)
	if ident[5] == 2 {
		v.order = binary.BigEndian
	}
	wide := ident[4] == 2
	f := File{Kind: ELF, Order: v.order, Word: wordSize(wide), GoNote: goNote(head)}
	phoff, sizeAt, least := v.u32(28), uint64(42), uint64(32)
	f.Entry = v.u32(24)
	if wide {
		phoff, sizeAt, least = v.u64(32), 54, 56
		f.Entry = v.u64(24)
	}
	size, count := v.u16(sizeAt), v.u16(sizeAt+2)
	if count > maxRegions || count > 0 && size < least {
		return File{}, fmt.Errorf("ELF header claims %d program headers of %d bytes: %w", count, size, bulwark.ErrMalformed)
	}
	for i := range count {
		f.segment(v, phoff+i*size, wide)
	}
	return f, v.err(ELF)
}

func (f *File) segment(v *view, at uint64, wide bool) {
	var off, addr, size, flags uint64
	if wide {
		flags, off, addr, size = v.u32(at+4), v.u64(at+8), v.u64(at+16), v.u64(at+32)
	} else {
		off, addr, size, flags = v.u32(at+4), v.u32(at+8), v.u32(at+16), v.u32(at+24)
	}
	switch v.u32(at) {
	case ptInterp:
		f.Interpreter = true
	case ptNote:
		f.GNUNote = f.GNUNote || gnuNote(v, off)
	case ptLoad:
		f.add(Region{Off: int64(off), Size: int64(size), Addr: addr, Writable: flags&pfWrite != 0, Exec: flags&pfExec != 0})
	}
}

// gnuNote tells whether the note at an offset, if that is in the head, has the owner
// "GNU".
func gnuNote(v *view, off uint64) bool {
	if off > uint64(len(v.b)) || uint64(len(v.b))-off < 16 {
		return false
	}
	return v.u32(off) == 4 && string(v.at(off+12, 4)) == "GNU\x00"
}

// goNote looks for the note with the build id that Go's linker writes: name size 4,
// any size, type 4, name "Go".
func goNote(head []byte) bool {
	for _, mark := range []string{"\x04\x00\x00\x00Go\x00\x00", "\x00\x00\x00\x04Go\x00\x00"} {
		if bytes.Contains(head, []byte(mark)) {
			return true
		}
	}
	return false
}
