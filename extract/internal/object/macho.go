package object

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulwark"
)

const (
	lcSegment   = 0x1
	lcSegment64 = 0x19
	protWrite   = 2
	// instructions are the section attributes that say it holds code.
	instructions = 0x80000400
)

// isMachO knows the thin files only: a fat one has the magic of a Java class.
func isMachO(head []byte) bool {
	switch binary.LittleEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	}
	return false
}

func parseMachO(head []byte) (File, error) {
	v := &view{b: head, order: binary.LittleEndian}
	if head[0] == 0xfe {
		v.order = binary.BigEndian
	}
	wide, at := v.u32(0) == 0xfeedfacf, uint64(28)
	if wide {
		at = 32
	}
	f := File{Kind: MachO, Order: v.order, Word: wordSize(wide)}
	count := v.u32(16)
	for range min(count, maxRegions) {
		cmd, size := v.u32(at), v.u32(at+4)
		if size < 8 {
			return File{}, fmt.Errorf("Mach-O load command of %d bytes: %w", size, bulwark.ErrMalformed)
		}
		if cmd == lcSegment || cmd == lcSegment64 {
			f.sections(v, at, cmd == lcSegment64)
		}
		at += size
	}
	return f, v.err(MachO)
}

// sections adds the sections of a segment, with the segment's protection.
func (f *File) sections(v *view, at uint64, wide bool) {
	prot, count, first, step := v.u32(at+44), v.u32(at+48), at+56, uint64(68)
	if wide {
		prot, count, first, step = v.u32(at+60), v.u32(at+64), at+72, 80
	}
	for i := range min(count, maxRegions) {
		f.section(v, first+i*step, wide, prot&protWrite != 0)
	}
}

func (f *File) section(v *view, at uint64, wide, writable bool) {
	rest := at + 40
	if wide {
		rest = at + 48
	}
	flags := v.u32(rest + 16)
	if kind := flags & 0xff; kind == 1 || kind == 0xc || kind == 0x12 {
		return // filled with zeros when mapped
	}
	word := uint64(4)
	if wide {
		word = 8
	}
	f.add(Region{
		Name: string(bytes.TrimRight(v.at(at, 16), "\x00")),
		Addr: v.word(at+32, wide), Size: int64(v.word(at+32+word, wide)), Off: int64(v.u32(rest)),
		Writable: writable, Exec: flags&instructions != 0,
	})
}
