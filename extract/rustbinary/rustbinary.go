// Package rustbinary tells which crates a Rust program was built from, by the list that
// cargo-auditable puts into it: zlib-compressed JSON in a section named .dep-v0.
//
// It watches the file stream by. PE and Mach-O name their sections at the start of the
// file. ELF names them at its end, when the list has passed: there the mapped constants
// and data of what looks like Rust are searched for a zlib stream that inflates to the
// list's first words. An ELF file looks like Rust when its first 16 KB import the
// unwinder's functions that Rust's standard library calls, or when it is linked
// statically and not by Go. Not seen: lists over 1 MB compressed or 8 MB inflated,
// WebAssembly, fat Mach-O, what a packer has compressed.
package rustbinary

import (
	"bytes"
	"slices"

	"bulwark"
	"bulwark/extract/internal/object"
)

var _ bulwark.Inspector = (*Inspector)(nil)

// Inspector finds Rust binaries that carry their list of crates.
type Inspector struct{}

// New returns an inspector of Rust binaries.
func New() *Inspector { return &Inspector{} }

// Info names the plugin.
func (*Inspector) Info() bulwark.Info {
	return bulwark.Info{
		Name:    "extract/rustbinary",
		Summary: "Crates of Rust programs built with cargo-auditable.",
		Version: 1,
	}
}

// Begin wants every file that may be an executable.
func (*Inspector) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if !object.Maybe(f) {
		return nil
	}
	s := &sink{}
	s.Head = object.NewHead(f.Size, s.start)
	return s
}

// sink searches one executable.
type sink struct {
	*object.Head
	scan scanner
}

func (s *sink) start(f object.File, head []byte) func([]byte) error {
	if s.scan.regions = regions(&f, head); len(s.scan.regions) == 0 {
		return nil
	}
	return s.scan.feed
}

// Close gives the crates.
func (s *sink) Close() (bulwark.Facts, error) { return s.scan.facts() }

// section is where cargo-auditable puts the list.
const section = ".dep-v0"

// regions are the places to search: none for what is no Rust.
func regions(f *object.File, head []byte) []object.Region {
	switch {
	case f.Kind != object.ELF:
		i := slices.IndexFunc(f.Regions, func(r object.Region) bool { return r.Name == section })
		if i < 0 {
			return nil
		}
		return f.Regions[i : i+1]
	case f.GoNote || !looksLikeRust(f, head):
		return nil
	}
	return f.Constants()
}

// unwinder are functions that Rust's standard library imports, and C++ programs do not:
// their own library does it for them.
var unwinder = [][]byte{[]byte("_Unwind_GetLanguageSpecificData"), []byte("_Unwind_Backtrace"), []byte("rust_eh_personality")}

// looksLikeRust is a guess that errs towards yes for static programs.
func looksLikeRust(f *object.File, head []byte) bool {
	for _, name := range unwinder {
		if bytes.Contains(head, name) {
			return true
		}
	}
	return !f.Interpreter && f.Entry != 0 && !bytes.Contains(head, []byte(".so"))
}
