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

// vouch leaves out executables that records of the same layer settle: nearly all.
func (f *facts) vouch() {
	at := map[name]*bulwark.Executable{}
	for i := range f.files {
		for j := range f.files[i].Executables {
			if x := &f.files[i].Executables[j]; x.Path == "" && len(x.Digests) > 0 {
				for _, alias := range aliases(f.files[i].path) {
					at[nameOf(alias, false)] = x
				}
			}
		}
	}
	if len(at) == 0 {
		return
	}
	done := map[*bulwark.Executable]bool{}
	for i := range f.files {
		for _, r := range f.files[i].recorded {
			for k, d := range r.digests {
				if x := at[r.names[k]]; x != nil && slices.Contains(x.Digests, d) && settled(&bulwark.Executable{Mode: x.Mode, Traits: x.Traits, Intact: r.format}) {
					done[x] = true
				}
			}
		}
	}
	for i := range f.files {
		list := f.files[i].Executables
		if len(list) == 0 {
			continue
		}
		var rest []bulwark.Executable // hard links share the list: it is not changed
		for j := range list {
			if !done[&list[j]] {
				rest = append(rest, list[j])
			}
		}
		f.files[i].Executables = rest
	}
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
