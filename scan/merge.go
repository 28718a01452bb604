package scan

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"bulwark"
)

// merge lays the layers over each other and gives what is visible from above.
// A layer that could not be read is nil.
func merge(t *bulwark.Target, layers []*facts, o *output) *bulwark.Inventory {
	m := &merger{t: t, layers: layers, links: newLinks(layers), inv: &bulwark.Inventory{}, left: remembered / 4}
	m.index = newIndex(m.links.effort, layers)
	m.grow()
	for i, f := range layers {
		if f == nil {
			continue
		}
		m.links.enter(i)
		for j := range f.files {
			m.place(i, &f.files[j])
		}
		m.linked(i)
		for _, n := range f.notes {
			n.Path = m.shown(n.Path)
			o.addNotes(t.Asset.ID, n)
		}
	}
	m.see()
	if err := m.unfinished(); err != nil {
		o.addNotes(t.Asset.ID, failureNotes("scan", err)...)
	}
	m.inv.Release = m.release()
	m.own()
	m.use(o.loaded)
	m.inv.Executables = m.executables()
	// Programs are recognised by content for want of a package manager that knows them.
	m.inv.Packages = slices.DeleteFunc(m.inv.Packages, func(p bulwark.Package) bool { return p.Format == "generic" && p.OwnedBy != "" })
	o.findings = append(o.findings, gathered(m.findings)...)
	slices.SortFunc(m.inv.Documents, func(a, b bulwark.Document) int { return cmp.Compare(a.Path, b.Path) })
	return m.inv
}

type merger struct {
	t        *bulwark.Target
	layers   []*facts
	links    *links
	index    *index
	inv      *bulwark.Inventory
	findings []bulwark.Finding
	left     int // bytes that hard links into lower layers may add

	found []placed
	at    map[string][]int // places in found by real path, lowest layer first; nil without hard links
	paths []string         // of inv.Packages, relative and real
	// releases and owners hold what is visible.
	releases []placed
	owners   []placed
	programs []program
}

// grow makes room for the files of all layers.
func (m *merger) grow() {
	files := 0
	for _, f := range m.layers {
		if f == nil {
			continue
		}
		files += len(f.files)
		if len(f.hard) > 0 {
			m.at = map[string][]int{}
		}
	}
	m.found = make([]placed, 0, files)
}

// mostRoom is how much room is made before it is known that it is needed.
const mostRoom = 20_000

// placed is a file's facts and the layer that they are from.
type placed struct {
	layer int
	*fileFacts
	real string
}

// place files the facts under the path that the file has in the merged image: an
// upper layer may reach a folder by a symbolic link of a lower one.
func (m *merger) place(layer int, f *fileFacts) {
	p := m.links.real(f.path)
	if m.at != nil {
		m.at[p] = append(m.at[p], len(m.found))
	}
	m.found = append(m.found, placed{layer, f, p})
}

// linked files under each hard link of the layer what a file of a lower layer told.
func (m *merger) linked(layer int) {
	f := m.layers[layer]
	if len(f.hard) == 0 {
		return
	}
	byTarget := map[string][]string{}
	for _, p := range slices.Sorted(maps.Keys(f.hard)) {
		if t := f.hard[p]; !f.names.has(nameOf(t, false)) { // else its own bytes told nothing
			byTarget[t] = append(byTarget[t], p)
		}
	}
	below := newSight(m.index, layer, m.links.crossings)
	for _, t := range slices.Sorted(maps.Keys(byTarget)) {
		v, ok := m.lower(layer, m.links.real(t))
		if !ok || below.hides(v.layer, v.real) {
			continue
		}
		for _, p := range byTarget[t] {
			m.again(layer, v.fileFacts.at(p))
		}
	}
}

// lower is the file at a real path in the layers below one.
func (m *merger) lower(layer int, p string) (placed, bool) {
	for _, i := range slices.Backward(m.at[p]) {
		if m.found[i].layer < layer {
			return m.found[i], true
		}
	}
	return placed{}, false
}

// again files what a file told under one more path.
func (m *merger) again(layer int, f fileFacts) {
	if m.left -= f.cost(); m.left >= 0 {
		m.place(layer, &f)
	}
}

// unfinished is what was left undone because it would cost too much.
func (m *merger) unfinished() error {
	err := m.links.exhausted()
	if m.left < 0 {
		err = errors.Join(err, fmt.Errorf("hard links into lower layers tell too much again: %w", bulwark.ErrLimit))
	}
	return err
}

// see takes the files that are visible from above, in the order of their paths.
func (m *merger) see() {
	m.found = inOrder(m.found)
	m.growPackages()
	all := newSight(m.index, len(m.layers), m.links.crossings)
	for v := range versions(m.found) {
		m.take(all, v)
	}
}

// growPackages makes room for those of all topmost versions, so that none is moved later.
func (m *merger) growPackages() {
	n := 0
	for v := range versions(m.found) {
		n += len(v[len(v)-1].Packages)
	}
	m.inv.Packages, m.paths = make([]bulwark.Package, 0, n), make([]string, 0, n)
}

// versions gives those of each file in a list that is in order, the lowest layer's first.
func versions(list []placed) iter.Seq[[]placed] {
	return func(yield func([]placed) bool) {
		for first := 0; first < len(list); {
			next := first + 1
			for next < len(list) && list[next].real == list[first].real {
				next++
			}
			if !yield(list[first:next]) {
				return
			}
			first = next
		}
	}
}

// inOrder sorts by real path, and keeps the order of those that have the same. The files of a layer
// are mostly sorted, so that joining what is in order takes far fewer steps than sorting.
func inOrder(list []placed) []placed {
	starts := []int{0} // of the runs that are in order, and the end
	for i := 1; i < len(list); i++ {
		if list[i].real < list[i-1].real {
			starts = append(starts, i)
		}
	}
	starts = append(starts, len(list))
	for other := list[:0:0]; len(starts) > 2; other = other[:0] {
		next := []int{0}
		for i := 0; i+1 < len(starts); i += 2 {
			last := starts[min(i+2, len(starts)-1)]
			other = join(slices.Grow(other, len(list)-len(other)), list[starts[i]:starts[i+1]], list[starts[i+1]:last])
			next = append(next, last)
		}
		list, other, starts = other, list, next
	}
	return list
}

// join appends what is in two lists that are in order, the first before the second where
// they are equal.
func join(to, a, b []placed) []placed {
	for len(a) > 0 && len(b) > 0 {
		if b[0].real < a[0].real {
			to, b = append(to, b[0]), b[1:]
		} else {
			to, a = append(to, a[0]), a[1:]
		}
	}
	return append(append(to, a...), b...)
}

// take adds the topmost of the versions of a file to the inventory, if it is visible.
func (m *merger) take(all *sight, versions []placed) {
	top := versions[len(versions)-1]
	hidden := all.hides(top.layer, top.real)
	m.remains(versions, hidden)
	if hidden {
		return
	}
	for _, pkg := range top.Packages {
		layer := top.layer
		if databases[pkg.Format] {
			layer = origin(versions, &pkg)
		}
		m.add(top, layer, pkg)
	}
	for _, f := range top.Findings {
		m.findings = append(m.findings, m.finding(top, f))
	}
	m.inv.Repositories = append(m.inv.Repositories, top.Repositories...)
	m.inv.Licensed = append(m.inv.Licensed, top.Licensed...)
	for _, d := range top.Documents {
		d.Path, d.Layer = m.shown(top.moved(d.Path)), m.t.Layers[top.layer].DiffID
		m.inv.Documents = append(m.inv.Documents, d)
	}
	if top.Release != nil {
		m.releases = append(m.releases, top)
	}
	for _, x := range top.Executables {
		m.program(top, x)
	}
	if len(top.owned) > 0 || len(top.recorded) > 0 {
		m.owners = append(m.owners, top)
	}
}

// databases are the formats that keep all their packages in one file, which every
// layer that installs something stores anew.
var databases = map[string]bool{"deb": true, "apk": true, "rpm": true}

// origin is the layer that brought the package: the lowest from which on every
// version of its database has it.
func origin(versions []placed, pkg *bulwark.Package) int {
	layer := versions[len(versions)-1].layer
	for _, v := range slices.Backward(versions[:len(versions)-1]) {
		if !v.has(pkg) {
			break
		}
		layer = v.layer
	}
	return layer
}

type packageID struct{ name, version, arch string }

// has tells whether the facts hold the package in the same version.
func (f *fileFacts) has(p *bulwark.Package) bool {
	if f.index == nil {
		f.index = make(map[packageID]bool, len(f.Packages))
		for i := range f.Packages {
			q := &f.Packages[i]
			f.index[packageID{q.Name, q.Version, q.Arch}] = true
		}
	}
	return f.index[packageID{p.Name, p.Version, p.Arch}]
}

// moved replaces the path that a layer stored by the real one, for the file itself
// and for what lies inside it.
func (p placed) moved(inner string) string {
	if inner == "" {
		return p.real
	}
	if rest, ok := strings.CutPrefix(inner, p.path); ok {
		return p.real + rest
	}
	return inner
}

func (m *merger) add(from placed, layer int, pkg bulwark.Package) {
	real := from.moved(pkg.Path)
	pkg.Path = m.shown(real)
	pkg.Layer = m.t.Layers[layer].DiffID
	pkg.FromBase = m.t.Layers[layer].Base
	m.inv.Packages = append(m.inv.Packages, pkg)
	m.paths = append(m.paths, real)
}

// finding sets what the plugin could not know.
func (m *merger) finding(from placed, f bulwark.Finding) bulwark.Finding {
	l := &m.t.Layers[from.layer]
	f.Path, f.Layer, f.FromBase, f.Asset = m.shown(from.moved(f.Path)), l.DiffID, l.Base, m.t.Asset.ID
	f.Subject = cmp.Or(f.Subject, f.Path)
	return f
}

// shown is a path as reports have it.
func (m *merger) shown(p string) string {
	if p == "" || !m.t.Absolute || strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

// release joins what the visible release files say: etc/os-release leads, then the one in
// usr/lib, then the others by name; a later one fills in what the earlier left out,
// unless it speaks of another distribution.
func (m *merger) release() *bulwark.Release {
	if len(m.releases) == 0 {
		return nil
	}
	rank := func(p placed) int { return 1 + slices.Index([]string{"usr/lib/os-release", "etc/os-release"}, p.real) }
	slices.SortStableFunc(m.releases, func(a, b placed) int { return cmp.Or(rank(b)-rank(a), cmp.Compare(a.real, b.real)) })
	r := *m.releases[0].Release
	for _, p := range m.releases[1:] {
		o := p.Release
		if o.ID != "" && r.ID != "" && o.ID != r.ID {
			continue
		}
		r = bulwark.Release{
			ID: cmp.Or(r.ID, o.ID), IDLike: cmp.Or(r.IDLike, o.IDLike), VersionID: cmp.Or(r.VersionID, o.VersionID),
			Codename: cmp.Or(r.Codename, o.Codename), Name: cmp.Or(r.Name, o.Name), Point: cmp.Or(r.Point, o.Point), CPE: cmp.Or(r.CPE, o.CPE),
		}
	}
	return &r
}

// own marks the packages whose files a distribution package owns, and finds what
// packages say about executables.
func (m *merger) own() {
	f := newFiles(2 * (len(m.inv.Packages) + len(m.programs)))
	for i := range m.inv.Packages {
		if !databases[m.inv.Packages[i].Format] {
			f.add(m.paths[i], i)
		}
	}
	for i := range m.programs {
		f.add(m.programs[i].real, len(m.inv.Packages)+i)
	}
	if len(f.first) == 0 {
		return
	}
	for _, v := range m.owners {
		for _, o := range v.owned {
			for _, n := range o.names {
				for w := f.find(n); w != 0; w = f.wants[w].next {
					m.owner(f.wants[w].of, o.pkg)
				}
			}
		}
		for _, r := range v.recorded {
			for k, n := range r.names {
				for w := f.find(n); w != 0; w = f.wants[w].next {
					m.record(f.wants[w].of, &r, k)
				}
			}
		}
	}
}

// owner notes that a package has the file of a package, or behind those of an executable.
func (m *merger) owner(of int, pkg string) {
	if i := of - len(m.inv.Packages); i >= 0 {
		m.programs[i].owners = append(m.programs[i].owners, pkg)
		return
	}
	p := &m.inv.Packages[of]
	p.OwnedBy = cmp.Or(p.OwnedBy, pkg)
}

func (m *merger) record(of int, r *recorded, k int) {
	i := of - len(m.inv.Packages)
	if i < 0 {
		return
	}
	p := &m.programs[i]
	if k >= len(r.digests) {
		p.diverted = true
		return
	}
	p.records = append(p.records, bulwark.FileRecord{Package: r.pkg, Format: r.format, Digest: r.digests[k]})
}

// files finds numbers by the names of files.
type files struct {
	wants []struct{ of, next int } // those whose file has one name, as a chain
	first map[name]int
	some  [1 << 10]uint64 // a bit for each name in first: most that are asked for are in none
}

func newFiles(room int) *files {
	return &files{wants: make([]struct{ of, next int }, 1, room+1), first: make(map[name]int, room)}
}

func (f *files) add(p string, of int) {
	for _, alias := range aliases(p) {
		n := nameOf(alias, false)
		f.wants = append(f.wants, struct{ of, next int }{of, f.first[n]})
		f.first[n] = len(f.wants) - 1
		f.some[n.short()>>6] |= 1 << (n.short() & 63)
	}
}

// find gives the first of the chain of a name, 0 for none.
func (f *files) find(n name) int {
	if f.some[n.short()>>6]&(1<<(n.short()&63)) == 0 {
		return 0
	}
	return f.first[n]
}

// aliases gives the paths under which a package manager may have recorded a file:
// as it is, and as it was before the distribution merged its folders into usr.
func aliases(p string) []string {
	p, _, _ = strings.Cut(p, "!")
	if rest, ok := strings.CutPrefix(p, "usr/"); ok {
		if top, _, _ := strings.Cut(rest, "/"); top == "lib" || top == "bin" || top == "sbin" || top == "lib64" {
			return []string{p, rest}
		}
	}
	return []string{p, "usr/" + p}
}
