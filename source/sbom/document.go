package sbom

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

// document collects what is read.
type document struct {
	packages  []bulwark.Package
	releases  []*bulwark.Release // of each package, as its package URL tells; nil: no distribution's, or settled
	systems   []*bulwark.Release // operating systems that the document names
	seen      map[identity]bool
	known     map[string]*bulwark.Release // by namespace and distro qualifier
	describes string
	unnamed   int        // components without package URL
	broken    int        // with one that cannot be read, or a field that is absurdly long
	kept      int        // bytes, about
	about     *component // what the document describes, when that may be a package
	wrong     misfits
}

// identity is what makes two packages the same.
type identity struct{ purl, path, layer string }

func newDocument() *document {
	return &document{seen: map[identity]bool{}, known: map[string]*bulwark.Release{}}
}

// describe keeps the first name of what the document is about.
func (d *document) describe(name, version string) {
	if d.describes != "" || name == "" || len(name)+len(version) > maxField {
		return
	}
	d.describes = name
	if version != "" {
		d.describes += " " + version
	}
}

// found is a package as a document tells of it.
type found struct {
	purl, group, name, version string
	path                       string
	source                     *bulwark.SourcePackage
	licenses                   []string
	props                      map[string]string
	dev                        bool
}

// maxField bounds each word that is kept, in bytes; maxKept all of them.
const (
	maxField = 8 << 10
	maxKept  = 64 << 20
)

// add takes a package unless it is there already.
func (d *document) add(f found) {
	pkg, release, err := d.convert(&f)
	if err != nil {
		d.broken++
		return
	}
	id := identity{pkg.PURL, pkg.Path, pkg.Layer}
	if d.seen[id] {
		return
	}
	d.seen[id] = true
	d.kept += 400 + len(pkg.PURL) + len(pkg.Name) + len(pkg.Version) + len(pkg.Path) + len(strings.Join(pkg.Licenses, ""))
	d.packages = append(d.packages, pkg)
	d.releases = append(d.releases, release)
}

// full is an error when the document holds more than is read.
func (d *document) full() error {
	if len(d.packages) > maxPackages || d.kept > maxKept {
		return fmt.Errorf("more than %d packages, or %d bytes of them: %w", maxPackages, maxKept, bulwark.ErrLimit)
	}
	return nil
}

func (d *document) convert(f *found) (bulwark.Package, *bulwark.Release, error) {
	get := func(names ...string) string { return cmp.Or(lookup(f.props, names)...) }
	pkg := bulwark.Package{
		PURL: f.purl, Licenses: f.licenses, Dev: f.dev,
		Path:  cmp.Or(get("bulwark:path", "syft:location:0:path", "aquasecurity:trivy:FilePath", "SrcFile"), f.path),
		Layer: get("bulwark:layer", "syft:location:0:layerID", "aquasecurity:trivy:LayerDiffID"),
	}
	for _, s := range []string{f.purl, f.group, f.name, f.version, pkg.Path, pkg.Layer} {
		if len(s) > maxField {
			return pkg, nil, fmt.Errorf("a field of %d bytes: %w", len(s), bulwark.ErrLimit)
		}
	}
	if get("bulwark:ecosystem") != "" {
		f.ours(&pkg)
		return pkg, nil, nil
	}
	u, err := purl.Parse(f.purl)
	if err != nil {
		return pkg, nil, err
	}
	pkg.Format, pkg.Arch = u.Type, u.Qualifiers["arch"]
	pkg.Name, pkg.Version = nameOf(u, f), versionOf(u, f)
	pkg.Source = cmp.Or(f.source, trivySource(f.props), upstream(u, pkg.Version), syftSource(u.Type, f.props, pkg.Name, pkg.Version))
	return pkg, d.release(u), nil
}

func lookup(props map[string]string, names []string) []string {
	values := make([]string, len(names))
	for i, n := range names {
		values[i] = props[n]
	}
	return values
}

// ours takes what our own format wrote, so that nothing has to be guessed.
func (f *found) ours(pkg *bulwark.Package) {
	prop := func(name string) string { return f.props["bulwark:"+name] }
	pkg.Name, pkg.Version = f.name, f.version
	if f.group != "" {
		pkg.Name = f.group + ":" + f.name
	}
	if e := prop("ecosystem"); e != "-" {
		pkg.Ecosystem = e
	}
	if s := prop("source"); s != "" {
		pkg.Source = &bulwark.SourcePackage{Name: s, Version: prop("source:version")}
	}
	pkg.OwnedBy, pkg.Format, pkg.Arch = prop("ownedBy"), prop("format"), prop("arch")
	if u, err := purl.Parse(f.purl); err == nil { // a converted report has lost them
		pkg.Format, pkg.Arch = cmp.Or(pkg.Format, u.Type), cmp.Or(pkg.Arch, u.Qualifiers["arch"])
	}
	pkg.FromBase, pkg.Declared, pkg.Dev = prop("fromBase") == "true", prop("declared") == "true", prop("dev") == "true"
}

// nameOf is the package's name as its manager shows it. Package URLs fold the case of
// some types, advisories do not: the component's own name or the package URL as it was
// written tells the rest.
func nameOf(u purl.PURL, f *found) string {
	full := u.FullName()
	if ecosystem.ReleaseOfPURL(u) != nil {
		return full
	}
	names := []string{f.name, f.group + "/" + f.name, f.group + ":" + f.name, written(f.purl)}
	if u.Subpath != "" && u.Type == "golang" {
		full, names = full+"/"+u.Subpath, append(names, written(f.purl)+"/"+u.Subpath)
		if !same(f.name, full) {
			full = u.FullName()
		}
	}
	for _, n := range names {
		if same(n, full) {
			return n
		}
	}
	return full
}

// same compares names as all package managers that fold them do.
func same(a, b string) bool {
	fold := strings.NewReplacer("_", "-", ".", "-").Replace
	return a == b || strings.EqualFold(fold(a), fold(b))
}

// written is namespace and name of a package URL, in the case that it has.
func written(s string) string {
	s = strings.TrimPrefix(s, "pkg:")
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	_, s, _ = strings.Cut(strings.TrimLeft(s, "/"), "/")
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		s = s[:i]
	}
	if name, err := url.PathUnescape(s); err == nil {
		return name
	}
	return s
}

// versionOf is the version as the package manager shows it, epoch included.
func versionOf(u purl.PURL, f *found) string {
	v := cmp.Or(u.Version, f.version)
	if e := u.Qualifiers["epoch"]; e != "" && e != "0" && !strings.Contains(v, ":") {
		v = e + ":" + v
	}
	if u.Type == "rpm" {
		v = strings.TrimPrefix(v, "0:")
	}
	if u.Type == "golang" && u.Namespace == "" && (u.Name == "stdlib" || u.Name == "toolchain") {
		v = strings.TrimPrefix(strings.TrimPrefix(v, "go"), "v")
	}
	return v
}

// release is the distribution that a package URL names; nil when it names none.
func (d *document) release(u purl.PURL) *bulwark.Release {
	key := u.Type + "/" + u.Namespace + "?" + u.Qualifiers["distro"]
	r, ok := d.known[key]
	if !ok {
		r = ecosystem.ReleaseOfPURL(u)
		d.known[key] = r
	}
	if r == nil { // no distribution's
		return nil
	}
	return r
}

// inventory settles what needs the whole document.
func (d *document) inventory() *bulwark.Inventory {
	inv := &bulwark.Inventory{Release: d.wholeRelease(), Packages: d.packages}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if r := d.releases[i]; r != nil {
			p.Ecosystem = ecosystem.OfPackage(ecosystem.OfRelease(settle(r, inv.Release)), p.Version)
		} else if p.Ecosystem == "" {
			p.Ecosystem = ecosystem.OfType(p.Format)
		}
	}
	return inv
}

// settle is the release of a package whose package URL says r, in a document of a
// whole operating system.
func settle(r, whole *bulwark.Release) *bulwark.Release {
	if whole == nil || r.ID != "" && r.ID != whole.ID {
		return r
	}
	if r.VersionID == "" || r.VersionID == whole.VersionID || r.VersionID == whole.Point {
		return whole
	}
	return r
}

// wholeRelease is the first operating system with a version; without one the release
// that all distribution packages name, if they agree.
func (d *document) wholeRelease() *bulwark.Release {
	for _, r := range d.systems {
		if r.VersionID != "" {
			return r
		}
	}
	var agreed *bulwark.Release
	for _, r := range d.releases {
		if r == nil || r.VersionID == "" {
			continue
		}
		if agreed != nil && (agreed.ID != r.ID || agreed.VersionID != r.VersionID) {
			agreed = nil
			break
		}
		agreed = r
	}
	if agreed == nil && len(d.systems) > 0 {
		return d.systems[0]
	}
	if agreed != nil {
		return point(*agreed)
	}
	return nil
}

// notes say what could not be taken.
func (d *document) notes() []bulwark.Note {
	var notes []bulwark.Note
	note := func(n int, one, many string) {
		switch n {
		case 0:
			return
		case 1:
			notes = append(notes, bulwark.Note{Plugin: "source/sbom", Text: "1 component " + one, Incomplete: true})
		default:
			notes = append(notes, bulwark.Note{Plugin: "source/sbom", Text: fmt.Sprintf("%d components %s", n, many), Incomplete: true})
		}
	}
	note(d.unnamed, "has no package URL, so no advisory can be matched with it", "have no package URL, so no advisory can be matched with them")
	note(d.broken, "has a package URL that cannot be read, or a field of more than 8 KB, and is left out",
		"have a package URL that cannot be read, or a field of more than 8 KB, and are left out")
	return append(notes, d.wrong.notes()...)
}
