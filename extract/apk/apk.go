// Package apk reads the database of installed packages of Alpine and its relatives.
package apk

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

var (
	_ bulwark.Extractor = (*Extractor)(nil)
	_ bulwark.Resolver  = (*Extractor)(nil)
)

// Extractor reads lib/apk/db/installed, in the text format of apk 2 and 3
// (https://wiki.alpinelinux.org/wiki/Apk_spec).
type Extractor struct{}

// New returns an extractor of apk's database.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/apk", Summary: "Alpine packages that apk installed, their files, digests and licences.", Version: 2}
}

const (
	maxDatabase = 256 << 20 // bytes; a large system has 20 MB
	maxPackages = 100_000
	maxPaths    = 96 << 20 // bytes of all paths together
	pathCost    = 32       // bytes that a path costs besides its own
)

var databases = []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

// Wants takes the database, at its old and its new place.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Base == "installed" && f.Size > 0 && slices.Contains(databases, f.Path)
}

// Extract reads it.
func (*Extractor) Extract(ctx context.Context, f *bulwark.File) (bulwark.Facts, error) {
	p := parser{left: maxPaths}
	lines := distro.NewLines(f.Reader(), f.Size, maxDatabase, "package database")
	for n := 0; lines.Next(); n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			return p.facts, context.Cause(ctx)
		}
		if err := p.line(lines.Line); err != nil {
			return p.facts, err
		}
	}
	p.end()
	if lines.Err != nil {
		return p.facts, lines.Err
	}
	if p.bad > 0 {
		return p.facts, fmt.Errorf("%d records without the name or version of a package: %w", p.bad, bulwark.ErrMalformed)
	}
	return p.facts, nil
}

// Resolve fills in package URL and ecosystem.
func (*Extractor) Resolve(_ context.Context, inv *bulwark.Inventory) error {
	distro.Resolve(inv, "apk")
	return nil
}

// parser collects one record at a time: lines of a letter, ":" and a value, ended by
// an empty line.
type parser struct {
	facts bulwark.Facts
	bad   int // records that are no packages
	left  int // bytes of paths that may still come

	name, version, arch, origin, licence string

	folder string
	digest []bulwark.Digest // beside ends
	paths  strings.Builder  // one after the other: a package's paths are parts of one string
	ends   []int
}

func (p *parser) line(line []byte) error {
	if len(line) == 0 {
		p.end()
		if len(p.facts.Packages) > maxPackages {
			return fmt.Errorf("more than %d packages: %w", maxPackages, bulwark.ErrLimit)
		}
		return nil
	}
	if len(line) < 2 || line[1] != ':' {
		return nil
	}
	value := line[2:min(len(line), 4096)]
	switch line[0] {
	case 'P':
		p.name = string(value)
	case 'V':
		p.version = string(value)
	case 'A':
		p.arch = string(value)
	case 'o':
		p.origin = string(value)
	case 'L':
		p.licence = distro.Text(string(value))
	case 'F':
		p.folder = distro.Clean(string(value))
	case 'R':
		return p.file(value)
	case 'Z':
		if n := len(p.digest); n > 0 {
			p.digest[n-1] = digest(string(value))
		}
	}
	return nil
}

func (p *parser) file(name []byte) error {
	if p.left -= len(p.folder) + len(name) + pathCost; p.left < 0 {
		return fmt.Errorf("paths of more than %d bytes: %w", maxPaths, bulwark.ErrLimit)
	}
	if p.folder != "" {
		p.paths.WriteString(p.folder)
		p.paths.WriteByte('/')
	}
	p.paths.Write(name)
	p.ends = append(p.ends, p.paths.Len())
	p.digest = append(p.digest, bulwark.Digest{})
	return nil
}

// end closes a record.
func (p *parser) end() {
	defer func() {
		p.name, p.version, p.arch, p.origin, p.licence, p.folder = "", "", "", "", "", ""
		p.paths, p.ends, p.digest = strings.Builder{}, p.ends[:0], p.digest[:0]
	}()
	if p.name == "" && p.version == "" {
		return
	}
	if !distro.Token(p.name) || !distro.Token(p.version) || p.arch != "" && !distro.Token(p.arch) {
		p.bad++
		return
	}
	if !distro.Token(p.origin) {
		p.origin = p.name
	}
	pkg := bulwark.Package{Name: p.name, Version: p.version, Arch: p.arch, Format: "apk",
		Source: &bulwark.SourcePackage{Name: p.origin, Version: p.version}}
	if p.licence != "" {
		pkg.Licenses = []string{p.licence}
	}
	p.facts.Packages = append(p.facts.Packages, pkg)
	if len(p.ends) > 0 {
		p.facts.Owned = append(p.facts.Owned, bulwark.Owned{Package: p.name, Paths: p.owned()})
		p.record()
	}
}

// record keeps what the database says of the contents of files that may run.
func (p *parser) record() {
	r := bulwark.Recorded{Package: p.name, Format: "apk"}
	all, start := p.paths.String(), 0
	for i, end := range p.ends {
		if c := distro.Clean(all[start:end]); p.digest[i] != (bulwark.Digest{}) && bulwark.MayRun(c) {
			r.Paths, r.Digests = append(r.Paths, c), append(r.Digests, p.digest[i])
		}
		start = end
	}
	if len(r.Paths) > 0 {
		p.facts.Recorded = append(p.facts.Recorded, r)
	}
}

// digest reads "Q1" and a SHA-1 digest, or "Q2" and a SHA-256 digest, in base64.
func digest(s string) bulwark.Digest {
	a, size := bulwark.SHA1, 20
	if strings.HasPrefix(s, "Q2") {
		a, size = bulwark.SHA256, 32
	}
	if len(s) < 2 || s[0] != 'Q' || s[1] != '1' && s[1] != '2' {
		return bulwark.Digest{}
	}
	sum, err := base64.StdEncoding.DecodeString(s[2:])
	if err != nil || len(sum) != size {
		return bulwark.Digest{}
	}
	return bulwark.NewDigest(a, sum)
}

func (p *parser) owned() []string {
	all, start := p.paths.String(), 0
	paths := make([]string, 0, len(p.ends))
	for _, end := range p.ends {
		if c := distro.Clean(all[start:end]); c != "" {
			paths = append(paths, c)
		}
		start = end
	}
	return paths
}
