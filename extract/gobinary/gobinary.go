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
	"strings"

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

// leastSize is smaller than any Go program.
const leastSize = 64 << 10

// passed are endings of files that are large, many, and never a Go binary's.
var passed = []string{".js", ".json", ".html", ".txt", ".gz", ".a", ".go", ".h", ".jar", ".py", ".mo", ".xz", ".map", ".ts"}

// Begin wants every file that is large enough, whatever its name and mode: an image
// may keep its programs anywhere.
func (*Inspector) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if f.Size < leastSize {
		return nil
	}
	for _, end := range passed {
		if strings.HasSuffix(f.Base, end) {
			return nil
		}
	}
	return &sink{size: f.Size}
}

// sink collects the head of the file, then hands everything to its scanner.
type sink struct {
	size int64
	head []byte
	scan *scanner
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.scan != nil {
		return len(p), s.scan.feed(p)
	}
	if len(s.head) == 0 && len(p) >= 4 && !object.Is(p) {
		return len(p), bulwark.ErrSkip
	}
	want := int(min(s.size, object.HeadSize))
	n := min(len(p), want-len(s.head))
	s.head = append(s.head, p[:n]...)
	if len(s.head) < want {
		return len(p), nil
	}
	f, err := object.Parse(s.head)
	if err != nil || len(f.Regions) == 0 {
		return len(p), bulwark.ErrSkip // a damaged executable is no Go binary
	}
	s.scan = newScanner(f)
	head := s.head
	s.head = nil
	if err := s.scan.feed(head); err != nil {
		return len(p), err
	}
	return len(p), s.scan.feed(p[n:])
}

// Close gives the packages.
func (s *sink) Close() (bulwark.Facts, error) {
	if s.scan == nil {
		return bulwark.Facts{}, nil
	}
	return s.scan.facts()
}
