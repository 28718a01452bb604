// Package gobinary tells what Go programs and libraries were built from: their
// modules, their standard library, and the functions that are linked into them.
//
// It watches the file stream by. The header says which parts of the file are mapped;
// in the writable ones it looks for the build information, in all of them for the
// table of function names (pclntab), which stripped binaries keep. Go 1.13 and later
// is read, 32 and 64 bits, ELF, PE and thin Mach-O; linked functions from Go 1.16 on.
// What a packer has compressed is not seen.
package gobinary

import (
	"bulwark"
	"bulwark/extract/internal/object"
)

var _ bulwark.Inspector = (*Inspector)(nil)

// Inspector finds Go binaries.
type Inspector struct{}

// New returns an inspector of Go binaries.
func New() *Inspector { return &Inspector{} }

// Info names the plugin.
func (*Inspector) Info() bulwark.Info {
	return bulwark.Info{
		Name:    "extract/gobinary",
		Summary: "Modules, standard library and linked functions of Go binaries.",
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

// sink scans one executable.
type sink struct {
	*object.Head
	scan *scanner
}

func (s *sink) start(f object.File, _ []byte) func([]byte) error {
	s.scan = newScanner(f)
	return s.scan.feed
}

// Close gives the packages.
func (s *sink) Close() (bulwark.Facts, error) {
	if s.scan == nil {
		return bulwark.Facts{}, nil
	}
	return s.scan.facts()
}
