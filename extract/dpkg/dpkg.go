// Package dpkg reads the package database of Debian and its relatives.
package dpkg

import (
	"context"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

var (
	_ bulwark.Extractor = (*Extractor)(nil)
	_ bulwark.Resolver  = (*Extractor)(nil)
)

// Extractor reads dpkg's status file and the files of distroless images in its stead,
// its lists of files and their digests, its diversions, and the copyright files of packages.
type Extractor struct{}

// New returns an extractor of dpkg's database.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/dpkg", Summary: "Debian packages that dpkg installed, their files, digests and licences.", Version: 2}
}

const (
	statusFile = "var/lib/dpkg/status"
	statusDir  = "var/lib/dpkg/status.d"
	infoDir    = "var/lib/dpkg/info/"
	docDir     = "usr/share/doc/"

	diversionsFile = "var/lib/dpkg/diversions"
)

// kind says what a file of dpkg's is.
type kind int

const (
	none kind = iota
	status
	list
	sums
	diversions
	copyright
)

func kindOf(p string) kind {
	switch {
	case p == statusFile:
		return status
	case strings.HasPrefix(p, infoDir) && strings.HasSuffix(p, ".list"):
		return list
	case strings.HasPrefix(p, docDir) && strings.HasSuffix(p, "/copyright") && strings.Count(p, "/") == 4:
		return copyright
	case strings.HasSuffix(p, ".md5sums") && (strings.HasPrefix(p, infoDir) || path.Dir(p) == statusDir):
		return sums
	case p == diversionsFile:
		return diversions
	case path.Dir(p) != statusDir:
		return none
	}
	return status
}

// Wants takes the files of dpkg's database and usr/share/doc/PACKAGE/copyright.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Size > 0 && kindOf(f.Path) != none
}

// Extract reads one of them.
func (*Extractor) Extract(ctx context.Context, f *bulwark.File) (bulwark.Facts, error) {
	switch kindOf(f.Path) {
	case status:
		packages, err := parseStatus(ctx, f)
		return bulwark.Facts{Packages: packages}, err
	case list:
		return owned(f)
	case sums:
		return recorded(f)
	case diversions:
		return diverted(f)
	case copyright:
		return licences(f)
	}
	return bulwark.Facts{}, nil
}

// Resolve fills in package URL and ecosystem, and the licences that copyright files
// told.
func (*Extractor) Resolve(_ context.Context, inv *bulwark.Inventory) error {
	distro.Resolve(inv, "deb")
	license(inv)
	return nil
}

// license gives packages the licences of their copyright file. Binary packages of one
// source share that file, often by a link to one of their folders.
func license(inv *bulwark.Inventory) {
	byName, bySource := map[string][]string{}, map[string][]string{}
	for _, l := range inv.Licensed {
		byName[l.Package] = l.Licenses
	}
	debs := func(visit func(*bulwark.Package)) {
		for i := range inv.Packages {
			if p := &inv.Packages[i]; p.Format == "deb" && len(p.Licenses) == 0 && p.Source != nil {
				visit(p)
			}
		}
	}
	debs(func(p *bulwark.Package) {
		if p.Licenses = byName[p.Name]; len(p.Licenses) > 0 {
			bySource[p.Source.Name] = p.Licenses
		}
	})
	debs(func(p *bulwark.Package) { p.Licenses = bySource[p.Source.Name] })
}
