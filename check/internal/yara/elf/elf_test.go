package elf

import (
	"encoding/binary"
	"os"
	"testing"
)

// program is a small program with one segment and two sections.
func program() []byte {
	le := binary.LittleEndian
	b := make([]byte, 64, 512)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 2)        // executable
	le.PutUint16(b[18:], 62)       // amd64
	le.PutUint64(b[24:], 0x400100) // entry point
	le.PutUint64(b[32:], 64)       // segments
	le.PutUint64(b[40:], 120)      // sections
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	le.PutUint16(b[58:], 64)
	le.PutUint16(b[60:], 2)
	le.PutUint16(b[62:], 1)
	segment := make([]byte, 56)
	le.PutUint32(segment, 1)
	le.PutUint32(segment[4:], 5)
	le.PutUint64(segment[16:], 0x400000)
	le.PutUint64(segment[32:], 0x1000)
	le.PutUint64(segment[40:], 0x1000)
	b = append(b, segment...)
	b = append(b, make([]byte, 64)...)
	names := make([]byte, 64)
	le.PutUint32(names, 1)
	le.PutUint32(names[4:], 3)
	le.PutUint64(names[24:], 248)
	le.PutUint64(names[32:], 11)
	b = append(b, names...)
	return append(b, "\x00.shstrtab\x00"...)
}

func TestParse(t *testing.T) {
	f, ok := Parse(program())
	if !ok {
		t.Fatal("not taken for a program")
	}
	for name, want := range map[string]int64{"type": 2, "machine": 62, "entry_point": 0x100, "number_of_sections": 2, "number_of_segments": 1, "sh_offset": 120, "ph_entry_size": 56} {
		if got := f.Numbers[name]; got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	if s := f.Tables["sections"]; len(s) != 2 || s[1].Name != ".shstrtab" || s[1].Numbers["size"] != 11 {
		t.Errorf("sections: %+v", s)
	}
	if s := f.Tables["segments"]; len(s) != 1 || s[0].Numbers["virtual_address"] != 0x400000 || s[0].Numbers["flags"] != 5 {
		t.Errorf("segments: %+v", s)
	}
	if off, ok := Entry(program()); !ok || off != 0x100 {
		t.Errorf("entry at %d, %v", off, ok)
	}
	if _, ok := Parse([]byte("\x7fELF")); ok {
		t.Error("a stub is taken for a program")
	}
}

// FuzzParse reads arbitrary bytes as a program: no panic, and bounded tables.
func FuzzParse(f *testing.F) {
	f.Add(program())
	if b, err := os.ReadFile("/bin/true"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		PEEntry(b)
		Entry(b)
		p, ok := Parse(b)
		if !ok {
			return
		}
		for name, rows := range p.Tables {
			if len(rows) > len(b) {
				t.Errorf("%d %s in %d bytes", len(rows), name, len(b))
			}
		}
	})
}
