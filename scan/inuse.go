package scan

import (
	"path"
	"slices"
	"strings"

	"bulwark"
)

// Loaded are the files of a target that were executed or loaded where it runs.
type Loaded struct {
	// Files are their paths, links resolved: "/usr/lib/x86_64-linux-gnu/libssl.so.3".
	Files []string
	// Enough tells that what is not among them was hardly missed: packages none of whose files was loaded are not in use then. Else
	// nothing is known of them.
	Enough bool
	// For is the image that they are of: a digest of its configuration, manifest or index; empty: whichever is looked at.
	For []string
	// By says what saw them, for evidence: "a profile of 2 h".
	By string
}

// loadedOf is what was loaded of a target, or nil.
func (s *Scanner) loadedOf(t *bulwark.Target) *Loaded {
	for _, l := range s.Loaded {
		if l.of(t) {
			return l
		}
	}
	return nil
}

// of tells whether what was loaded was loaded of the target.
func (l *Loaded) of(t *bulwark.Target) bool {
	if len(l.For) == 0 {
		return true
	}
	ids := []string{string(t.Asset.ID)}
	if t.Image != nil {
		ids = append(ids, t.Image.ConfigDigest, t.Image.ManifestDigest, t.Image.IndexDigest)
	}
	return slices.ContainsFunc(l.For, func(digest string) bool {
		return slices.Contains(ids, digest) || slices.Contains(ids, "image:"+digest)
	})
}

// running finds what of a target was loaded.
type running struct {
	*Loaded
	files   map[string]bool // real paths, relative
	sorted  []string        // the same, to find what is below a folder
	owners  map[string]string
	listing map[string]bool // packages whose files are listed
}

// use marks the packages of which files were loaded.
func (m *merger) use(l *Loaded) {
	if l == nil {
		return
	}
	u := &running{Loaded: l, files: map[string]bool{}, owners: map[string]string{}, listing: map[string]bool{}}
	for _, p := range l.Files {
		if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" {
			continue
		}
		u.files[m.links.real(p)] = true
		if source, ok := compiledOf(p); ok {
			u.files[m.links.real(source)] = true
		}
	}
	for p := range u.files {
		u.sorted = append(u.sorted, p)
	}
	slices.Sort(u.sorted)
	m.ownersOf(u)
	for i := range m.inv.Packages {
		p := &m.inv.Packages[i]
		file, known := u.by(p, m.paths[i])
		switch {
		case file != "":
			yes := true
			p.InUse, p.Use = &yes, "in use: "+m.shown(file)+" was loaded ("+l.By+")"
		case known && l.Enough:
			p.InUse, p.Use = new(bool), "not in use: no file of the package was loaded ("+l.By+")"
		}
	}
}

// compiledOf is the source of what Python compiled: a/__pycache__/m.cpython-311.pyc is of a/m.py.
func compiledOf(p string) (string, bool) {
	dir, base := path.Split(p)
	outer, ok := strings.CutSuffix(dir, "__pycache__/")
	name, _, dotted := strings.Cut(base, ".")
	return outer + name + ".py", ok && dotted && strings.HasSuffix(base, ".pyc")
}

// ownersOf finds the packages that list a loaded file.
func (m *merger) ownersOf(u *running) {
	f := newFiles(len(u.sorted))
	for i, p := range u.sorted {
		f.add(p, i)
	}
	mark := func(pkg string, names []name) {
		u.listing[pkg] = u.listing[pkg] || len(names) > 0
		for _, n := range names {
			if w := f.find(n); w != 0 && u.owners[pkg] == "" {
				u.owners[pkg] = u.sorted[f.wants[w].of]
			}
		}
	}
	for _, v := range m.owners {
		for _, o := range v.owned {
			mark(o.pkg, o.names)
		}
		for _, r := range v.recorded {
			if r.format == "pypi" {
				mark("pypi:"+strings.ToLower(r.pkg), r.names)
			}
		}
	}
}

// by gives a loaded file of a package, "" where none was, and whether the package's files are known.
func (u *running) by(p *bulwark.Package, real string) (file string, known bool) {
	real, _, _ = strings.Cut(real, "!")
	switch p.Format {
	case "deb", "apk", "rpm":
		return u.owners[p.Name], u.listing[p.Name]
	case "pypi":
		name := "pypi:" + strings.ToLower(p.Name)
		if file, known = u.owners[name], u.listing[name]; file == "" && p.OwnedBy != "" {
			// The files of the distribution's package hold more than this one.
			return u.module(p, real), known
		}
		return file, known
	case "npm":
		dir, base := path.Split(real)
		if base != "package.json" || !strings.Contains(dir, "node_modules/") {
			return "", false
		}
		return u.below(dir, "node_modules/"), true
	case "gem":
		specs, base := path.Split(real)
		home, ok := strings.CutSuffix(strings.TrimSuffix(specs, "default/"), "specifications/")
		if !ok {
			return "", false
		}
		return u.below(home+"gems/"+strings.TrimSuffix(base, ".gemspec")+"/", ""), true
	case "composer":
		home, ok := strings.CutSuffix(real, "composer/installed.json")
		if !ok {
			return "", false
		}
		return u.below(home+p.Name+"/", ""), true
	case "golang", "cargo", "maven", "generic":
		if p.Declared || real == "" || p.Format == "maven" && !strings.HasSuffix(real, ".jar") && !strings.HasSuffix(real, ".war") && !strings.HasSuffix(real, ".ear") {
			return "", false
		}
		if u.files[real] {
			return real, true
		}
		return "", true
	}
	return "", false
}

// module finds a loaded file of a Python package by the name that its folder mostly has.
func (u *running) module(p *bulwark.Package, real string) string {
	site := path.Dir(path.Dir(real))
	return u.below(site+"/"+strings.ReplaceAll(strings.ToLower(p.Name), "-", "_")+"/", "")
}

// below is the first loaded file in a folder, and not in folders of that name in it; "" where there is none.
func (u *running) below(dir, not string) string {
	i, _ := slices.BinarySearch(u.sorted, dir)
	for ; i < len(u.sorted) && strings.HasPrefix(u.sorted[i], dir); i++ {
		if not == "" || !strings.Contains(u.sorted[i][len(dir):], not) {
			return u.sorted[i]
		}
	}
	return ""
}

// markLoaded marks findings about packages and files that were loaded, where their checks did not.
func (s *Scanner) markLoaded(t *bulwark.Target, inv *bulwark.Inventory, o *output) {
	if len(s.Loaded) == 0 {
		return
	}
	packages, mixed, any := map[string]*bulwark.Package{}, map[string]bool{}, false
	for i := range inv.Packages {
		p := &inv.Packages[i]
		any = any || p.InUse != nil
		if p.PURL == "" {
			continue
		}
		mixed[p.PURL] = mixed[p.PURL] || p.InUse == nil
		if old := packages[p.PURL]; old == nil || old.InUse == nil || !*old.InUse {
			packages[p.PURL] = p
		}
	}
	switch {
	case o.loaded == nil:
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/in-use", Text: "what was loaded is that of other images: nothing is marked as in use"})
		return
	case !any:
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/in-use", Text: "no package has a file that was loaded: nothing is marked as in use"})
		return
	case !o.loaded.Enough:
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan/in-use", Text: "what was loaded was observed for too short a time (" + o.loaded.By + "): packages are marked as in use, and none as not in use"})
	}
	for i := range o.findings {
		f := &o.findings[i]
		p := packages[f.Subject]
		if f.InUse != nil || p == nil || p.InUse == nil || !*p.InUse && mixed[p.PURL] {
			continue
		}
		f.InUse, f.Evidence = p.InUse, append(slices.Clip(f.Evidence), p.Use)
	}
}
