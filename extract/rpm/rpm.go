// Package rpm reads the databases of installed rpm packages: SQLite, ndb and Berkeley
// DB, straight from the file that the scan offers, and the list that images without a
// database carry instead.
package rpm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
	"bulwark/extract/rpm/bdb"
	"bulwark/extract/rpm/header"
	"bulwark/extract/rpm/ndb"
	"bulwark/extract/rpm/sqlite"
)

var (
	_ bulwark.Extractor = (*Extractor)(nil)
	_ bulwark.Resolver  = (*Extractor)(nil)
)

// Extractor reads rpm's databases.
type Extractor struct{}

// New returns an extractor of rpm's databases.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/rpm", Summary: "Packages that rpm installed, their files, digests and licences.", Version: 2}
}

const (
	sqliteFile   = "rpmdb.sqlite"
	sqliteWAL    = "rpmdb.sqlite-wal"
	ndbFile      = "Packages.db"
	bdbFile      = "Packages"
	manifestFile = "container-manifest-2"

	manifestDir = "var/lib/rpmmanifest"
	walHeader   = 32
)

// folders are where rpm keeps its database: of old, of SUSE and Fedora, of images
// made by ostree.
var folders = []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"}

// Wants takes the databases, and a journal that holds changes.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	switch f.Base {
	case sqliteFile, ndbFile, bdbFile:
		return f.Size > 0 && slices.Contains(folders, path.Dir(f.Path))
	case sqliteWAL:
		return f.Size > walHeader && slices.Contains(folders, path.Dir(f.Path))
	case manifestFile:
		return path.Dir(f.Path) == manifestDir
	}
	return false
}

// Extract reads a database. A package whose header cannot be understood is left out and
// told by an error wrapping ErrMalformed along with the others.
func (*Extractor) Extract(ctx context.Context, f *bulwark.File) (bulwark.Facts, error) {
	c := collector{ctx: ctx, left: maxPaths}
	var err error
	switch f.Base {
	case sqliteFile:
		var db *sqlite.DB
		if db, err = sqlite.Open(f, f.Size); err == nil {
			err = db.Blobs("Packages", c.add)
		}
	case ndbFile:
		err = ndb.Blobs(f, f.Size, c.add)
	case bdbFile:
		err = bdb.Values(f, f.Size, c.add)
	case manifestFile:
		err = c.manifest(f)
	case sqliteWAL:
		err = fmt.Errorf("journal of %d bytes, whose changes the database may not have yet: %w", f.Size, bulwark.ErrUnsupported)
	}
	if err == nil && c.bad != nil {
		err = fmt.Errorf("%d packages could not be read: %w", c.badCount, c.bad)
	}
	return c.facts, err
}

// Resolve fills in package URL and ecosystem.
func (*Extractor) Resolve(_ context.Context, inv *bulwark.Inventory) error {
	distro.Resolve(inv, "rpm")
	return nil
}

const (
	maxPackages = 100_000
	maxPaths    = 96 << 20 // bytes of all paths together; a full desktop has 40 MB
	pathCost    = 32       // bytes that a path costs besides its own
)

var (
	errPackages = fmt.Errorf("more than %d packages: %w", maxPackages, bulwark.ErrLimit)
	errPaths    = fmt.Errorf("paths of more than %d bytes: %w", maxPaths, bulwark.ErrLimit)
)

// collector turns headers into facts.
type collector struct {
	ctx      context.Context
	facts    bulwark.Facts
	seen     int   // headers so far
	left     int   // bytes of paths that may still come
	bad      error // of the first header that could not be understood
	badCount int
}

// add takes one header. It keeps nothing of blob.
func (c *collector) add(blob []byte) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.seen++; c.seen > maxPackages {
		return errPackages
	}
	if len(blob) < 16 { // Berkeley DB's counter of packages
		return nil
	}
	h, err := header.Parse(blob)
	if err == nil {
		err = c.header(h)
	}
	if errors.Is(err, bulwark.ErrMalformed) {
		c.bad, c.badCount = errors.Join(c.bad, err), c.badCount+1
		if c.badCount > 1 {
			c.bad = err
		}
		return nil
	}
	return err
}

func (c *collector) header(h *header.Header) error {
	name := h.String(header.Name)
	if name == "gpg-pubkey" {
		return nil // a key in the guise of a package
	}
	p, err := describe(h, name)
	if err != nil {
		return err
	}
	c.facts.Packages = append(c.facts.Packages, p)
	paths, err := c.files(h)
	if len(paths) > 0 {
		c.facts.Owned = append(c.facts.Owned, bulwark.Owned{Package: name, Paths: paths})
	}
	if r := recorded(h, name); len(r.Paths) > 0 && err == nil {
		c.facts.Recorded = append(c.facts.Recorded, r)
	}
	return err
}

func describe(h *header.Header, name string) (bulwark.Package, error) {
	version, release := h.String(header.Version), h.String(header.Release)
	arch := h.String(header.Arch)
	if !distro.Token(name) || !distro.Token(version) || !distro.Token(release) || arch != "" && !distro.Token(arch) {
		return bulwark.Package{}, fmt.Errorf("rpm header without name, version or release: %w", bulwark.ErrMalformed)
	}
	epoch := ""
	if n := h.Ints(header.Epoch); len(n) > 0 && n[0] > 0 {
		epoch = fmt.Sprint(n[0], ":")
	}
	p := bulwark.Package{Name: name, Version: epoch + version + "-" + release, Arch: arch, Format: "rpm",
		Source: source(h.String(header.SourceRPM), epoch)}
	if l := distro.Text(h.String(header.License)); l != "" {
		p.Licenses = []string{l}
	}
	if label := h.String(header.ModularityLabel); distro.Token(label) {
		p.PURL = "?rpmmod=" + label
	}
	return p, nil
}

// source reads "bash-5.1.8-9.el9.src.rpm". The name does not tell the epoch: it is the
// package's own.
func source(file, epoch string) *bulwark.SourcePackage {
	if !distro.Token(file) {
		return nil
	}
	nvr := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	r := strings.LastIndexByte(nvr, '-')
	v := strings.LastIndexByte(nvr[:max(r, 0)], '-')
	if v <= 0 {
		return nil
	}
	return &bulwark.SourcePackage{Name: nvr[:v], Version: epoch + nvr[v+1:]}
}

// files joins the paths of the package's files; folders are left out where the header
// tells them.
func (c *collector) files(h *header.Header) ([]string, error) {
	bases, dirs, of := h.Strings(header.BaseNames), h.Strings(header.DirNames), h.Ints(header.DirIndexes)
	modes := h.Ints(header.FileModes)
	if len(bases) != len(of) {
		return nil, nil
	}
	for i, d := range dirs {
		dirs[i] = distro.Clean(d)
	}
	paths := make([]string, 0, len(bases))
	for i, base := range bases {
		if of[i] >= uint32(len(dirs)) || base == "" || len(modes) == len(bases) && modes[i]&0xf000 == 0x4000 {
			continue
		}
		if c.left -= len(dirs[of[i]]) + len(base) + pathCost; c.left < 0 {
			return paths, errPaths
		}
		if p := distro.Clean(dirs[of[i]] + "/" + base); p != "" {
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// manifest reads the list of packages that distroless images of Azure Linux keep:
// name, version-release, install time, build time, vendor, epoch, size, architecture,
// epoch number and source package, divided by tabs.
func (c *collector) manifest(f *bulwark.File) error {
	lines := distro.NewLines(f.Reader(), f.Size, 16<<20, "list of packages")
	for lines.Next() {
		if c.seen++; c.seen > maxPackages {
			return errPackages
		}
		field := strings.Split(string(lines.Line), "\t")
		if len(field) < 10 || !distro.Token(field[0]) || !distro.Token(field[1]) || !distro.Token(field[7]) {
			c.bad, c.badCount = fmt.Errorf("line of %d fields: %w", len(field), bulwark.ErrMalformed), c.badCount+1
			continue
		}
		epoch := ""
		if e := field[8]; e != "0" && e != "" && strings.Trim(e, "0123456789") == "" {
			epoch = e + ":"
		}
		c.facts.Packages = append(c.facts.Packages, bulwark.Package{Name: field[0], Version: epoch + field[1], Arch: field[7],
			Format: "rpm", Source: source(field[9], epoch)})
	}
	return lines.Err
}
