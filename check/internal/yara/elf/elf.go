// Package elf reads what YARA's module of that name tells of a program. The bytes are
// foreign: whatever a header claims, nothing is read outside of them, and tables are
// bounded.
package elf

import (
	"bytes"
	"encoding/binary"
)

const (
	maxSections = 32768
	maxSegments = 32768
	maxEntries  = 100_000 // of the dynamic section and of a symbol table
	maxName     = 1024
)

// File is what was read: numbers and tables by their names in the module.
type File struct {
	Numbers map[string]int64
	Tables  map[string][]Row
}

// Row is a row of a table.
type Row struct {
	Numbers map[string]int64
	Name    string
	Named   bool
}

type reader struct {
	b     []byte
	order binary.ByteOrder
	wide  bool // 64 bits
	out   *File
	// secs and segs are the tables in numbers.
	secs []section
	segs []segment
}

type section struct {
	name, kind, link              uint32
	flags, addr, off, size, entry uint64
}

type segment struct {
	kind, flags                         uint32
	off, vaddr, paddr, file, mem, align uint64
}

// Parse reads a program.
func Parse(b []byte) (*File, bool) {
	r, ok := open(b)
	if !ok {
		return nil, false
	}
	r.out = &File{Numbers: map[string]int64{}, Tables: map[string][]Row{}}
	r.header()
	r.sections()
	r.segments()
	return r.out, true
}

// Entry gives where in the file a program begins to run.
func Entry(b []byte) (int64, bool) {
	r, ok := open(b)
	if !ok {
		return 0, false
	}
	r.load()
	return r.entry()
}

func open(b []byte) (*reader, bool) {
	if len(b) < 52 || string(b[:4]) != "\x7fELF" || b[4] < 1 || b[4] > 2 || b[5] < 1 || b[5] > 2 {
		return nil, false
	}
	r := &reader{b: b, order: binary.LittleEndian, wide: b[4] == 2}
	if b[5] == 2 {
		r.order = binary.BigEndian
	}
	return r, !r.wide || len(b) >= 64
}

// at gives n bytes, or nil.
func (r *reader) at(off, n uint64) []byte {
	if off > uint64(len(r.b)) || n > uint64(len(r.b))-off {
		return nil
	}
	return r.b[off : off+n]
}

func (r *reader) u16(b []byte) uint64 { return uint64(r.order.Uint16(b)) }
func (r *reader) u32(b []byte) uint32 { return r.order.Uint32(b) }

// word reads an address at one offset or the other.
func (r *reader) word(b []byte, narrow, wide int) uint64 {
	if r.wide {
		return r.order.Uint64(b[wide:])
	}
	return uint64(r.order.Uint32(b[narrow:]))
}

// half picks an offset by the word's width.
func (r *reader) half(narrow, wide int) int {
	if r.wide {
		return wide
	}
	return narrow
}

func (r *reader) number(name string, n uint64) { r.out.Numbers[name] = int64(n) }

func (r *reader) header() {
	b := r.b
	r.number("type", r.u16(b[16:]))
	r.number("machine", r.u16(b[18:]))
	r.number("sh_offset", r.word(b, 32, 40))
	r.number("ph_offset", r.word(b, 28, 32))
	r.number("ph_entry_size", r.u16(b[r.half(42, 54):]))
	r.number("number_of_segments", r.u16(b[r.half(44, 56):]))
	r.number("sh_entry_size", r.u16(b[r.half(46, 58):]))
	r.number("number_of_sections", r.u16(b[r.half(48, 60):]))
	r.load()
	if off, ok := r.entry(); ok {
		r.number("entry_point", uint64(off))
	}
}

// load reads the tables of sections and segments, where they lie within the file.
func (r *reader) load() {
	if n, off := r.u16(r.b[r.half(48, 60):]), r.word(r.b, 32, 40); n < maxSections {
		size := uint64(r.half(40, 64))
		for i := range n {
			b := r.at(off+i*size, size)
			if b == nil || off > off+i*size {
				break
			}
			r.secs = append(r.secs, section{
				name: r.u32(b), kind: r.u32(b[4:]), link: r.u32(b[r.half(24, 40):]),
				flags: r.word(b, 8, 8), addr: r.word(b, 12, 16), off: r.word(b, 16, 24), size: r.word(b, 20, 32), entry: r.word(b, 36, 56),
			})
		}
		if uint64(len(r.secs)) != n {
			r.secs = nil
		}
	}
	if n, off := r.u16(r.b[r.half(44, 56):]), r.word(r.b, 28, 32); n < maxSegments {
		size := uint64(r.half(32, 56))
		for i := range n {
			b := r.at(off+i*size, size)
			if b == nil || off > off+i*size {
				break
			}
			r.segs = append(r.segs, segment{
				kind: r.u32(b), flags: r.u32(b[r.half(24, 4):]),
				off: r.word(b, 4, 8), vaddr: r.word(b, 8, 16), paddr: r.word(b, 12, 24),
				file: r.word(b, 16, 32), mem: r.word(b, 20, 40), align: r.word(b, 28, 48),
			})
		}
		if uint64(len(r.segs)) != n {
			r.segs = nil
		}
	}
}

const typeExec = 2

// entry gives the offset of the entry point: by segments in a program, by sections
// otherwise.
func (r *reader) entry() (int64, bool) {
	addr := r.word(r.b, 24, 24)
	if addr == 0 {
		return 0, false
	}
	if r.u16(r.b[16:]) == typeExec {
		for _, s := range r.segs {
			if addr >= s.vaddr && addr-s.vaddr < s.mem {
				return int64(s.off + addr - s.vaddr), true
			}
		}
		return 0, false
	}
	for _, s := range r.secs {
		if s.kind != 0 && s.kind != 8 && addr >= s.addr && addr-s.addr < s.size {
			return int64(s.off + addr - s.addr), true
		}
	}
	return 0, false
}

func (r *reader) sections() {
	if len(r.secs) == 0 {
		return
	}
	names := section{}
	if i := r.u16(r.b[r.half(50, 62):]); i < uint64(len(r.secs)) {
		names = r.secs[i]
	}
	rows := make([]Row, len(r.secs))
	for i, s := range r.secs {
		rows[i].Numbers = map[string]int64{"type": int64(s.kind), "flags": int64(s.flags), "address": int64(s.addr), "size": int64(s.size), "offset": int64(s.off)}
		rows[i].Name, rows[i].Named = r.text(names, s.name)
		switch s.kind {
		case 2:
			r.symbols("symtab", s)
		case 11:
			r.symbols("dynsym", s)
		}
	}
	r.out.Tables["sections"] = rows
}

// text reads a name from a table of strings.
func (r *reader) text(table section, off uint32) (string, bool) {
	b := r.at(table.off, table.size)
	if b == nil || uint64(off) >= uint64(len(b)) {
		return "", false
	}
	b = b[off:min(len(b), int(off)+maxName)]
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return "", false
	}
	return string(b[:n]), true
}

func (r *reader) symbols(name string, s section) {
	b := r.at(s.off, s.size)
	size := r.half(16, 24)
	if b == nil || s.link >= uint32(len(r.secs)) || r.out.Tables[name] != nil {
		return
	}
	names := r.secs[s.link]
	n := min(len(b)/size, maxEntries)
	rows := make([]Row, n)
	for i := range n {
		e := b[i*size:]
		info := e[r.half(12, 4)]
		rows[i].Numbers = map[string]int64{
			"value": int64(r.word(e, 4, 8)), "size": int64(r.word(e, 8, 16)),
			"type": int64(info & 15), "bind": int64(info >> 4), "shndx": int64(r.u16(e[r.half(14, 6):])),
		}
		rows[i].Name, rows[i].Named = r.text(names, r.u32(e))
	}
	r.out.Tables[name] = rows
	r.number(name+"_entries", uint64(n))
}

func (r *reader) segments() {
	if len(r.segs) == 0 {
		return
	}
	rows := make([]Row, len(r.segs))
	for i, s := range r.segs {
		rows[i].Numbers = map[string]int64{
			"type": int64(s.kind), "flags": int64(s.flags), "offset": int64(s.off), "virtual_address": int64(s.vaddr),
			"physical_address": int64(s.paddr), "file_size": int64(s.file), "memory_size": int64(s.mem), "alignment": int64(s.align),
		}
		if s.kind == 2 {
			r.dynamic(s)
		}
	}
	r.out.Tables["segments"] = rows
}

func (r *reader) dynamic(s segment) {
	b := r.at(s.off, s.file)
	size := r.half(8, 16)
	var rows []Row
	for ; len(b) >= size && len(rows) < maxEntries; b = b[size:] {
		tag := r.word(b, 0, 0)
		rows = append(rows, Row{Numbers: map[string]int64{"type": int64(tag), "val": int64(r.word(b, 4, 8))}})
		if tag == 0 {
			break
		}
	}
	r.out.Tables["dynamic"] = rows
	r.number("dynamic_section_entries", uint64(len(rows)))
}
