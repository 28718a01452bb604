package dpkg

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

const (
	maxStatus   = 128 << 20 // bytes of a status file; a large system has 5 MB
	maxPackages = 100_000   // in one status file; Debian has 70,000 in all
)

// installed are the states in which a package's files are there.
var installed = []string{"installed", "half-configured", "unpacked", "triggers-awaited", "triggers-pending"}

// stanza is what is kept of a paragraph; the rest of it costs no memory.
type stanza struct {
	name, version, arch, source, status string
}

// fields gives the place of a field that matters, nil for every other.
func (s *stanza) field(name []byte) *string {
	switch len(name) {
	case len("Package"):
		if bytes.EqualFold(name, []byte("Package")) {
			return &s.name
		}
		if bytes.EqualFold(name, []byte("Version")) {
			return &s.version
		}
	case len("Source"):
		if bytes.EqualFold(name, []byte("Source")) {
			return &s.source
		}
		if bytes.EqualFold(name, []byte("Status")) {
			return &s.status
		}
	case len("Architecture"):
		if bytes.EqualFold(name, []byte("Architecture")) {
			return &s.arch
		}
	}
	return nil
}

// parseStatus reads paragraphs of installed packages. A paragraph without Status, as in
// distroless images, is installed. What cannot be a package is left out, and told by an
// error wrapping ErrMalformed along with the others.
func parseStatus(ctx context.Context, f *bulwark.File) ([]bulwark.Package, error) {
	var packages []bulwark.Package
	var s stanza
	bad := 0
	end := func() {
		p, ok := s.pkg()
		if ok && p.Name != "" {
			packages = append(packages, p)
		}
		if !ok {
			bad++
		}
		s = stanza{}
	}
	lines := distro.NewLines(f.Reader(), f.Size, maxStatus, "package database")
	for n := 0; lines.Next(); n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			return packages, context.Cause(ctx)
		}
		if len(lines.Line) == 0 {
			end()
			if len(packages) > maxPackages {
				return packages, fmt.Errorf("more than %d packages: %w", maxPackages, bulwark.ErrLimit)
			}
			continue
		}
		if lines.Line[0] == ' ' || lines.Line[0] == '\t' {
			continue
		}
		name, value, ok := bytes.Cut(lines.Line, []byte{':'})
		if field := s.field(name); ok && field != nil {
			*field = string(bytes.TrimSpace(value[:min(len(value), 2048)]))
		}
	}
	end()
	if lines.Err != nil {
		return packages, lines.Err
	}
	if bad > 0 {
		return packages, fmt.Errorf("%d paragraphs without the name or version of a package: %w", bad, bulwark.ErrMalformed)
	}
	return packages, nil
}

// pkg makes a package of the paragraph: one without name when it is empty or not
// installed; not ok when it cannot be understood.
func (s *stanza) pkg() (p bulwark.Package, ok bool) {
	if *s == (stanza{}) {
		return p, true
	}
	if want := strings.Fields(s.status); s.status != "" && (len(want) == 0 || !slices.Contains(installed, want[len(want)-1])) {
		return p, true
	}
	if !distro.Token(s.name) || !distro.Token(s.version) || s.arch != "" && !distro.Token(s.arch) {
		return p, false
	}
	return bulwark.Package{Name: s.name, Version: s.version, Arch: s.arch, Format: "deb", Source: s.sourcePackage()}, true
}

// sourcePackage reads "Source: glibc (2.36-9)". Without a version it is the package's
// own, and without a source the package is its own; a binary-only rebuild (+b1) is of
// the same source.
func (s *stanza) sourcePackage() *bulwark.SourcePackage {
	name, rest, _ := strings.Cut(s.source, " ")
	version := strings.Trim(rest, " ()")
	if !distro.Token(name) {
		name = s.name
	}
	if !distro.Token(version) {
		version = withoutRebuild(s.version)
	}
	return &bulwark.SourcePackage{Name: name, Version: version}
}

func withoutRebuild(version string) string {
	i := strings.LastIndex(version, "+b")
	if i < 0 || i+2 == len(version) || strings.Trim(version[i+2:], "0123456789") != "" {
		return version
	}
	return version[:i]
}
