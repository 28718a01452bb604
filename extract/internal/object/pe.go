package object

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bulwark"
)

const (
	scnExec  = 0x20000000
	scnWrite = 0x80000000
)

func parsePE(head []byte) (File, error) {
	v := &view{b: head, order: binary.LittleEndian}
	coff := v.u32(0x3c)
	if string(v.at(coff, 4)) != "PE\x00\x00" {
		return File{}, fmt.Errorf("DOS program: %w", bulwark.ErrUnsupported)
	}
	count, optional := v.u16(coff+6), v.u16(coff+20)
	if count > maxRegions {
		return File{}, fmt.Errorf("PE header claims %d sections: %w", count, bulwark.ErrMalformed)
	}
	wide := v.u16(coff+24) == 0x20b
	f := File{Kind: PE, Order: v.order, Word: wordSize(wide)}
	base := v.u32(coff + 24 + 28)
	if wide {
		base = v.u64(coff + 24 + 24)
	}
	for i := range count {
		at := coff + 24 + optional + i*40
		flags, size, mapped := v.u32(at+36), v.u32(at+16), v.u32(at+8)
		if mapped > 0 { // the rest is padding
			size = min(size, mapped)
		}
		f.add(Region{
			Name: string(bytes.TrimRight(v.at(at, 8), "\x00")),
			Off:  int64(v.u32(at + 20)), Size: int64(size),
			Addr:     base + v.u32(at+12),
			Writable: flags&scnWrite != 0, Exec: flags&scnExec != 0,
		})
	}
	return f, v.err(PE)
}
