package gobinary

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/extract/internal/inspecttest"
)

// legacyBinary lays out an ELF file as Go 1.16 did: a page with headers and the note, a
// segment of constants, one of data at dataAt, mapped at the same addresses.
func legacyBinary(order binary.AppendByteOrder, class byte, dataAt int, version, modules string) []byte {
	const constants = 0x200
	wide := class == 2
	word := func(b []byte, v int) []byte {
		if wide {
			return order.AppendUint64(b, uint64(v))
		}
		return order.AppendUint32(b, uint32(v))
	}
	data := byte(1)
	if order == binary.AppendByteOrder(binary.BigEndian) {
		data = 2
	}
	b := []byte{0x7f, 'E', 'L', 'F', class, data, 1, 15: 0}
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 2), 62), 1)
	b = word(b, 0x1000) // entry
	header, size := 52, 32
	if wide {
		header, size = 64, 56
	}
	b = word(word(b, header), 0)
	b = order.AppendUint32(b, 0)
	for _, n := range []int{header, size, 2, 0, 0, 0} {
		b = order.AppendUint16(b, uint16(n))
	}
	for _, s := range []struct{ at, size, flags int }{{constants, dataAt - constants, 4}, {dataAt, 0x200, 6}} {
		b = order.AppendUint32(b, 1)
		if wide {
			b = order.AppendUint32(b, uint32(s.flags))
		}
		b = word(word(word(word(word(b, s.at), s.at), s.at), s.size), s.size)
		if !wide {
			b = order.AppendUint32(b, uint32(s.flags))
		}
		b = word(b, 0x1000)
	}
	b = append(b, order.AppendUint32(order.AppendUint32(order.AppendUint32(nil, 4), 8), 4)...)
	b = append(b, "Go\x00\x00build-id"...)
	pad := func(n int) { b = append(b, make([]byte, n-len(b))...) }
	pad(constants)
	b = append(b, "go1.99 is another string; sorted next to: "...)
	versionAt := len(b)
	b = append(b, version+"1234"...)
	pad(dataAt/2 - 8) // across the boundary of pieces
	modulesAt := len(b)
	b = append(b, modulesStart+modules+modulesEnd...)
	pad(dataAt)
	b = append(b, infoMagic...)
	b = append(b, byte(4*int(class)), data-1)
	b = word(word(b, dataAt+0x100), dataAt+0x140)
	pad(dataAt + 0x100)
	b = word(word(b, versionAt), len(version))
	pad(dataAt + 0x140)
	b = word(word(b, modulesAt), len(modules)+32)
	pad(dataAt + 0x200)
	return b
}

func TestLegacy(t *testing.T) {
	modules := "path\texample.test/a/cmd\nmod\texample.test/a\tv1.4.0\t\ndep\texample.test/b\tv0.1.0\th1:x=\n=>\texample.test/c\tv0.2.0\th1:y=\n"
	want := []string{"pkg:golang/stdlib@1.16.5", "pkg:golang/example.test/a@v1.4.0", "pkg:golang/example.test/c@v0.2.0"}
	for _, tt := range []struct {
		name  string
		order binary.AppendByteOrder
		class byte
	}{{"64 bits", binary.LittleEndian, 2}, {"32 bits", binary.LittleEndian, 1}, {"big endian", binary.BigEndian, 2}} {
		content := legacyBinary(tt.order, tt.class, 0x20000, "go1.16.5", modules)
		for _, piece := range []int{1, 13, 4096, 64 << 10, 256 << 10} {
			facts, err := inspecttest.Feed(t, New(), "old", content, piece)
			if err != nil {
				t.Fatalf("%s, pieces of %d: %v", tt.name, piece, err)
			}
			if diff := cmp.Diff(want, purls(facts)); diff != "" {
				t.Errorf("%s, pieces of %d (-want +got):\n%s", tt.name, piece, diff)
			}
		}
	}
}

func FuzzInspector(f *testing.F) {
	const dataAt = 0x800
	old := legacyBinary(binary.LittleEndian, 2, dataAt, "go1.16.5", "path\tx\n")
	f.Add(old, 4096)
	modern := append(bytes.Clone(old[:dataAt]), infoMagic...)
	modern = append(append(modern, 8, 2), make([]byte, 16)...)
	modern = append(append(modern, 8), "go1.22.3"...)
	f.Add(append(modern, 0xff, 0xff, 0xff, 0xff, 1), 100)
	table := bytes.Clone(old)
	n := copy(table[0x400:], "\xf1\xff\xff\xff\x00\x00\x01\x08")
	for _, v := range []uint64{9, 9, 0, 72, 90, 100, 200, 300} {
		n += copy(table[0x400+n:], binary.LittleEndian.AppendUint64(nil, v))
	}
	copy(table[0x400+n:], "net/http.Get\x00main.x\x00")
	f.Add(table, 33)
	f.Fuzz(func(t *testing.T, content []byte, piece int) {
		content = append(content, make([]byte, max(0, 64<<10-len(content)))...)
		facts, _ := inspecttest.Feed(t, New(), "x", content, min(max(piece, 1), 256<<10))
		for _, p := range facts.Packages {
			if p.Name == "" || !printable(p.Name) || !printable(p.Version) {
				t.Errorf("package %q %q", p.Name, p.Version)
			}
		}
	})
}

// TestTables reads function names from tables as Go 1.16, 1.18 and 1.20 lay them out.
func TestTables(t *testing.T) {
	for _, tt := range []struct {
		name  string
		order binary.AppendByteOrder
		magic uint32
		ptr   int
		text  bool // the header has textStart
	}{
		{"1.16", binary.LittleEndian, 0xfffffffa, 8, false},
		{"1.16, 32 bits", binary.LittleEndian, 0xfffffffa, 4, false},
		{"1.18", binary.LittleEndian, 0xfffffff0, 8, true},
		{"1.20, big endian", binary.BigEndian, 0xfffffff1, 8, true},
	} {
		b := append(tt.order.AppendUint32(nil, tt.magic), 0, 0, 1, byte(tt.ptr))
		word := func(v int) {
			if tt.ptr == 8 {
				b = tt.order.AppendUint64(b, uint64(v))
			} else {
				b = tt.order.AppendUint32(b, uint32(v))
			}
		}
		text := "net/http.Get\x00main.run.func1\x00"
		start := 8 + 7*tt.ptr
		word(3)
		word(1)
		if tt.text {
			start += tt.ptr
			word(0x1000)
		}
		for _, v := range []int{start, start + len(text), start + 200, start + 300, start + 400} {
			word(v)
		}
		content := legacyBinary(tt.order, byte(tt.ptr/4), 0x20000, "go1.17", "path\ta.test/m\n")
		copy(content[0x408:], append(b, text...))
		for _, piece := range []int{1, 1000, 256 << 10} {
			facts, err := inspecttest.Feed(t, New(), "x", content, piece)
			if err != nil || len(facts.Packages) != 1 || facts.Packages[0].Symbols == nil {
				t.Errorf("%s, pieces of %d: %+v, %v", tt.name, piece, facts.Packages, err)
				continue
			}
			for _, name := range []string{"net/http", "net/http.Get", "main.run", "a.test/m.run"} {
				if !facts.Packages[0].Symbols.Has(name) {
					t.Errorf("%s, pieces of %d: %s is not linked", tt.name, piece, name)
				}
			}
		}
	}
}
