package scan

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"unsafe"

	"bulwark"
)

// codecVersion changes with the format of kept facts.
const codecVersion = "5"

// encode writes facts: counts and lengths as uvarints, strings as bytes, names and
// symbol hashes as they are, rare parts as JSON, and a CRC32C of all at the end:
// it is there against damage, and nobody else writes to the folder.
// decode is its inverse. JSON for everything costs a warm scan 25 ms more.
func encode(f *facts) []byte {
	e := &encoder{}
	e.uint(len(f.files))
	for i := range f.files {
		e.file(&f.files[i])
	}
	e.names(f.names)
	e.names(f.passed)
	for _, links := range []map[string]string{f.links, f.hard} {
		e.uint(len(links))
		for _, p := range slices.Sorted(maps.Keys(links)) {
			e.str(p)
			e.str(links[p])
		}
	}
	e.strs(slices.Sorted(maps.Keys(f.gone)))
	e.strs(slices.Sorted(maps.Keys(f.opaque)))
	e.json(f.notes)
	return binary.LittleEndian.AppendUint32(e.b, checksum(e.b))
}

const checksumSize = 4

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

type encoder struct {
	b       []byte
	symbols *bulwark.Symbols // of the last package: those of one binary share it
}

func (e *encoder) uint(n int) { e.b = binary.AppendUvarint(e.b, uint64(n)) }

func (e *encoder) str(s string) {
	e.uint(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) strs(list []string) {
	e.uint(len(list))
	for _, s := range list {
		e.str(s)
	}
}

func (e *encoder) names(s []name) {
	e.uint(len(s))
	for _, n := range s {
		e.b = append(e.b, n[:]...)
	}
}

func (e *encoder) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and structs of strings: cannot fail
	}
	e.uint(len(b))
	e.b = append(e.b, b...)
}

// rare is what few files tell.
type rare struct {
	Findings     []bulwark.Finding    `json:",omitempty"`
	Release      *bulwark.Release     `json:",omitempty"`
	Repositories []bulwark.Repository `json:",omitempty"`
	Documents    []bulwark.Document   `json:",omitempty"`
}

func (e *encoder) file(f *fileFacts) {
	e.str(f.path)
	e.uint(len(f.Packages))
	for i := range f.Packages {
		e.pkg(&f.Packages[i])
	}
	e.uint(len(f.owned))
	for _, o := range f.owned {
		e.str(o.pkg)
		e.names(o.names)
	}
	e.uint(len(f.recorded))
	for i := range f.recorded {
		e.recorded(&f.recorded[i])
	}
	e.uint(len(f.Executables))
	for i := range f.Executables {
		e.executable(&f.Executables[i])
	}
	e.uint(len(f.Licensed))
	for _, l := range f.Licensed {
		e.str(l.Package)
		e.strs(l.Licenses)
	}
	if len(f.Findings) == 0 && f.Release == nil && len(f.Repositories) == 0 && len(f.Documents) == 0 {
		e.uint(0)
		return
	}
	e.json(rare{f.Findings, f.Release, f.Repositories, f.Documents})
}

func (e *encoder) recorded(r *recorded) {
	e.str(r.pkg)
	e.str(r.format)
	e.names(r.names)
	e.digests(r.digests)
}

func (e *encoder) digests(list []bulwark.Digest) {
	e.uint(len(list))
	for _, d := range list {
		e.b = append(e.b, d[:]...)
	}
}

// executable writes what an inspector told; the rest is the merged image's.
func (e *encoder) executable(x *bulwark.Executable) {
	e.str(x.Path)
	for _, n := range []int{int(x.Mode), x.UID, int(x.Size)} {
		e.b = binary.AppendVarint(e.b, int64(n))
	}
	e.str(x.Format)
	e.digests(x.Digests)
	if len(x.Traits) == 0 {
		e.uint(0)
		return
	}
	e.json(x.Traits)
}

const (
	flagSource = 1 << iota
	flagDeclared
	flagDev
	flagSymbols
	flagSameSymbols
)

func (e *encoder) pkg(p *bulwark.Package) {
	flags := 0
	for _, f := range []struct {
		on   bool
		flag int
	}{
		{p.Source != nil, flagSource}, {p.Declared, flagDeclared}, {p.Dev, flagDev},
		{p.Symbols != nil && p.Symbols != e.symbols, flagSymbols},
		{p.Symbols != nil && p.Symbols == e.symbols, flagSameSymbols},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	e.uint(flags)
	for _, s := range []string{p.PURL, p.Name, p.Version, p.Ecosystem, p.Path, p.Format, p.Arch} {
		e.str(s)
	}
	e.strs(p.Licenses)
	if p.Source != nil {
		e.str(p.Source.Name)
		e.str(p.Source.Version)
	}
	if flags&flagSymbols != 0 {
		hashes := p.Symbols.Hashes()
		e.uint(len(hashes))
		for _, h := range hashes {
			e.b = binary.LittleEndian.AppendUint32(e.b, h)
		}
		e.symbols = p.Symbols
	}
}

// decode reads what encode wrote; any other bytes end in an error wrapping
// [bulwark.ErrMalformed]. Strings share the memory of data.
func decode(data []byte) (*facts, error) {
	if len(data) < checksumSize {
		return nil, fmt.Errorf("kept facts: %w", bulwark.ErrMalformed)
	}
	body, sum := data[:len(data)-checksumSize], data[len(data)-checksumSize:]
	if binary.LittleEndian.Uint32(sum) != checksum(body) {
		return nil, fmt.Errorf("kept facts: checksum: %w", bulwark.ErrMalformed)
	}
	d := &decoder{b: body, text: unsafe.String(unsafe.SliceData(body), len(body))} // nobody writes to body any more
	f := newFacts("")
	f.files = make([]fileFacts, d.count(4))
	for i := range f.files {
		d.file(&f.files[i])
	}
	f.names, f.passed = d.names(), d.names()
	for _, links := range []*map[string]string{&f.links, &f.hard} {
		n := d.count(2)
		*links = make(map[string]string, n)
		for range n {
			p := d.str()
			(*links)[p] = d.str()
		}
	}
	for _, p := range d.strs() {
		f.gone[p] = true
	}
	for _, p := range d.strs() {
		f.opaque[p] = true
	}
	d.json(&f.notes)
	if d.err != nil || d.at != len(d.b) {
		return nil, fmt.Errorf("kept facts: %w", bulwark.ErrMalformed)
	}
	return f, nil
}

// decoder reads until the first error; after it everything is empty.
type decoder struct {
	b       []byte
	text    string // the same memory, for strings to share
	at      int
	err     error
	symbols *bulwark.Symbols
}

func (d *decoder) uint() int {
	n, size := binary.Uvarint(d.b[d.at:])
	if size <= 0 || n > 1<<31 {
		d.fail()
		return 0
	}
	d.at += size
	return int(n)
}

func (d *decoder) fail() {
	d.err = bulwark.ErrMalformed
	d.at = len(d.b)
}

// count reads a number of things that take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > (len(d.b)-d.at)/size {
		d.fail()
		return 0
	}
	return n
}

func (d *decoder) str() string {
	n := d.count(1)
	s := d.text[d.at : d.at+n]
	d.at += n
	return s
}

func (d *decoder) strs() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.str()
	}
	return list
}

// names shares the memory of what is decoded: they are most of it.
func (d *decoder) names() []name {
	n := d.count(len(name{}))
	if n == 0 {
		return []name{}
	}
	list := unsafe.Slice((*name)(unsafe.Pointer(&d.b[d.at])), n)
	d.at += n * len(name{})
	return list
}

// digests shares the memory, too.
func (d *decoder) digests() []bulwark.Digest {
	n := d.count(len(bulwark.Digest{}))
	if n == 0 {
		return nil
	}
	list := unsafe.Slice((*bulwark.Digest)(unsafe.Pointer(&d.b[d.at])), n)
	d.at += n * len(bulwark.Digest{})
	return list
}

func (d *decoder) int() int {
	n, size := binary.Varint(d.b[d.at:])
	if size <= 0 {
		d.fail()
		return 0
	}
	d.at += size
	return int(n)
}

func (d *decoder) executable(x *bulwark.Executable) {
	x.Path = d.str()
	x.Mode, x.UID, x.Size = fs.FileMode(d.int()), d.int(), int64(d.int())
	x.Format, x.Digests = d.str(), d.digests()
	d.json(&x.Traits)
}

func (d *decoder) json(v any) {
	s := d.str()
	if s == "" || d.err != nil {
		return
	}
	if err := json.Unmarshal([]byte(s), v); err != nil {
		d.fail()
	}
}

func (d *decoder) file(f *fileFacts) {
	f.path = d.str()
	if n := d.count(8); n > 0 {
		f.Packages = make([]bulwark.Package, n)
	}
	for i := range f.Packages {
		d.pkg(&f.Packages[i])
	}
	if n := d.count(2); n > 0 {
		f.owned = make([]owned, n)
	}
	for i := range f.owned {
		f.owned[i] = owned{d.str(), d.names()}
	}
	if n := d.count(4); n > 0 {
		f.recorded = make([]recorded, n)
	}
	for i := range f.recorded {
		f.recorded[i] = recorded{d.str(), d.str(), d.names(), d.digests()}
	}
	if n := d.count(7); n > 0 {
		f.Executables = make([]bulwark.Executable, n)
	}
	for i := range f.Executables {
		d.executable(&f.Executables[i])
	}
	if n := d.count(2); n > 0 {
		f.Licensed = make([]bulwark.Licensed, n)
	}
	for i := range f.Licensed {
		f.Licensed[i] = bulwark.Licensed{Package: d.str(), Licenses: d.strs()}
	}
	var r rare
	d.json(&r)
	f.Findings, f.Release, f.Repositories, f.Documents = r.Findings, r.Release, r.Repositories, r.Documents
}

func (d *decoder) pkg(p *bulwark.Package) {
	flags := d.uint()
	for _, s := range []*string{&p.PURL, &p.Name, &p.Version, &p.Ecosystem, &p.Path, &p.Format, &p.Arch} {
		*s = d.str()
	}
	p.Licenses = d.strs()
	p.Declared, p.Dev = flags&flagDeclared != 0, flags&flagDev != 0
	if flags&flagSource != 0 {
		p.Source = &bulwark.SourcePackage{Name: d.str(), Version: d.str()}
	}
	if flags&flagSymbols != 0 {
		hashes := make([]uint32, d.count(4))
		for i := range hashes {
			hashes[i] = binary.LittleEndian.Uint32(d.b[d.at:])
			d.at += 4
		}
		d.symbols = bulwark.NewSymbols(hashes)
	}
	if flags&(flagSymbols|flagSameSymbols) != 0 {
		p.Symbols = d.symbols
	}
}
