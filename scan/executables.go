package scan

import (
	"cmp"
	"io/fs"
	"slices"

	"bulwark"
)

// settled tells whether nobody needs to judge an executable any more: its content is
// what a package recorded. What a distribution vouches for may have any traits; set-uid
// is not a matter of content.
func settled(x *bulwark.Executable) bool {
	return x.Mode&(fs.ModeSetuid|fs.ModeSetgid) == 0 && (databases[x.Intact] || x.Intact != "" && len(x.Traits) == 0)
}

// plain is a file of which nothing is known but what its content is: most executables.
// Only those stay that no record of the same layer settles.
type plain struct {
	path    string // empty: the layer holds it again further on
	format  string
	mode    fs.FileMode
	uid     int32
	size    int64
	digests [3]bulwark.Digest
}

// plain makes a plain executable of the facts, if they say no more.
func (f *fileFacts) plain() (plain, bool) {
	if len(f.Executables) != 1 || len(f.Packages)+len(f.Findings)+len(f.owned)+len(f.recorded)+len(f.Repositories)+len(f.Licensed)+len(f.Documents) > 0 || f.Release != nil {
		return plain{}, false
	}
	x := &f.Executables[0]
	p := plain{path: f.path, format: x.Format, mode: x.Mode, uid: int32(x.UID), size: x.Size}
	if x.Path != "" || len(x.Traits) > 0 || len(x.Digests) == 0 || len(x.Digests) > len(p.digests) || int(p.uid) != x.UID || x.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		return plain{}, false
	}
	copy(p.digests[:], x.Digests)
	return p, true
}

func (p *plain) facts() fileFacts {
	x := bulwark.Executable{Format: p.format, Mode: p.mode, UID: int(p.uid), Size: p.size}
	for _, d := range p.digests {
		if d != (bulwark.Digest{}) {
			x.Digests = append(x.Digests, d)
		}
	}
	f := fileFacts{path: p.path}
	f.Executables = []bulwark.Executable{x}
	return f
}

// vouch leaves out executables that records of the same layer settle, nearly all, and
// makes the facts of the others complete.
func (w *walker) vouch() {
	f := w.facts
	w.seen = nil // it points to what changes now
	wanted := make(map[name]int, len(f.plain))
	for i := range f.plain {
		if f.plain[i].path != "" {
			for _, alias := range aliases(f.plain[i].path) {
				wanted[nameOf(alias, false)] = i
			}
		}
	}
	for i := range f.files {
		for _, r := range f.files[i].recorded {
			for k, d := range r.digests {
				if i, ok := wanted[r.names[k]]; ok && d != (bulwark.Digest{}) && slices.Contains(f.plain[i].digests[:], d) {
					f.plain[i].path = ""
				}
			}
		}
	}
	for i := range f.plain {
		if f.plain[i].path == "" {
			continue
		}
		found := f.plain[i].facts()
		if err := w.share.spend(found.cost()); err != nil {
			w.note("scan", "", err)
			break
		}
		f.files = append(f.files, found)
	}
	f.plain = nil
}

// program is a visible executable and what packages say about it.
type program struct {
	bulwark.Executable
	real     string
	owners   []string
	records  []bulwark.FileRecord
	diverted bool
}

// program keeps an executable for [merger.own] to settle.
func (m *merger) program(from placed, x bulwark.Executable) {
	l := &m.t.Layers[from.layer]
	p := program{Executable: x, real: from.moved(x.Path)}
	p.Path, p.Layer, p.FromBase = m.shown(p.real), l.DiffID, l.Base
	m.programs = append(m.programs, p)
}

// executables gives those that are not settled.
func (m *merger) executables() []bulwark.Executable {
	var out []bulwark.Executable
	for i := range m.programs {
		p := &m.programs[i]
		p.settle()
		if !settled(&p.Executable) {
			out = append(out, p.Executable)
		}
	}
	slices.SortFunc(out, func(a, b bulwark.Executable) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// settle compares the content with the records. One that fits is enough: packages
// replace each other's files. One that does not counts where the file is still its
// package's (dpkg leaves records of files that another package took over), and where
// nobody was allowed to put another in its place.
func (p *program) settle() {
	if len(p.owners) > 0 {
		p.OwnedBy = p.owners[0]
	}
	for i := range p.records {
		if r := &p.records[i]; slices.Contains(p.Digests, r.Digest) && (p.Intact == "" || databases[r.Format]) {
			p.Intact = r.Format
		}
	}
	if p.Intact != "" || p.diverted {
		return
	}
	for i := range p.records {
		r := &p.records[i]
		comparable := slices.ContainsFunc(p.Digests, func(d bulwark.Digest) bool { return d.Algorithm() == r.Digest.Algorithm() })
		if comparable && (!databases[r.Format] || slices.Contains(p.owners, r.Package)) {
			p.Recorded = r
			return
		}
	}
}
