// Package diff says what changed between two runs: packages that came, went or
// changed their version, findings gained and lost.
package diff

import (
	"cmp"
	"slices"

	"bulwark"
	"bulwark/internal/purl"
	"bulwark/report/internal/group"
)

// Schema names the version of the JSON form.
const Schema = "bulwark/diff/v1"

// Diff is what changed from one run to another.
type Diff struct {
	Schema   string            `json:"schema"`
	Before   string            `json:"before"` // what was compared
	After    string            `json:"after"`
	Added    []Package         `json:"added"`
	Removed  []Package         `json:"removed"`
	Changed  []Change          `json:"changed"`
	Gained   []bulwark.Finding `json:"gained"` // in the second run alone
	Lost     []bulwark.Finding `json:"lost"`   // in the first run alone
	Kept     int               `json:"kept"`   // findings that both have
	Complete bool              `json:"complete"`
}

// Package is a package of one of the runs.
type Package struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Ecosystem string `json:"ecosystem"`
	PURL      string `json:"purl"`
}

// Change is a package of both runs in other versions.
type Change struct {
	Name      string   `json:"name"`
	Ecosystem string   `json:"ecosystem"`
	PURL      string   `json:"purl"` // of the second run
	Before    []string `json:"before"`
	After     []string `json:"after"`
	// Downgraded is true when the newest version before was newer than the newest after.
	Downgraded bool `json:"downgraded,omitempty"`
}

// Compute compares two runs. Findings are the same when they have the same key: the
// assets of two builds are never the same. Findings with an exception do not count.
func Compute(before, after *bulwark.Report) *Diff {
	d := &Diff{Schema: Schema, Before: name(before), After: name(after), Added: []Package{}, Removed: []Package{}, Changed: []Change{},
		Gained: []bulwark.Finding{}, Lost: []bulwark.Finding{}, Complete: before.Summary.Complete && after.Summary.Complete}
	d.packages(before, after)
	d.findings(before, after)
	return d
}

// Only gives the findings of r that base does not have, by key: what a baseline
// leaves. One that base excepts is left when it is excepted no longer.
func Only(r, base *bulwark.Report) []bulwark.Finding {
	known, excepted := keys(base), map[string]bool{}
	for i := range base.Findings {
		if f := &base.Findings[i]; f.Exception != nil {
			excepted[f.Key] = true
		}
	}
	var out []bulwark.Finding
	for i := range r.Findings {
		if f := &r.Findings[i]; !known[f.Key] && (f.Exception == nil || !excepted[f.Key]) {
			out = append(out, *f)
		}
	}
	return out
}

func name(r *bulwark.Report) string {
	for i := range r.Assets {
		if r.Assets[i].Kind != "layer" {
			return cmp.Or(r.Assets[i].Name, string(r.Assets[i].ID))
		}
	}
	if len(r.Run.Targets) > 0 {
		return r.Run.Targets[0]
	}
	return "nothing"
}

// versions of one package, wherever it lies.
type versions struct {
	first Package
	all   []string
}

func gather(r *bulwark.Report) map[string]*versions {
	m := map[string]*versions{}
	for i := range r.Packages {
		p := &r.Packages[i]
		id := purl.Identity(p.PURL)
		v := m[id]
		if v == nil {
			v = &versions{first: Package{p.Name, p.Version, p.Ecosystem, p.PURL}}
			m[id] = v
		}
		if !slices.Contains(v.all, p.Version) {
			v.all = append(v.all, p.Version)
		}
	}
	for _, v := range m {
		slices.SortFunc(v.all, func(a, b string) int {
			switch {
			case group.Later(b, a):
				return -1
			case group.Later(a, b):
				return 1
			}
			return cmp.Compare(a, b)
		})
	}
	return m
}

func (d *Diff) packages(before, after *bulwark.Report) {
	old, now := gather(before), gather(after)
	for id, b := range now {
		a, ok := old[id]
		switch {
		case !ok:
			d.Added = append(d.Added, b.first)
		case !slices.Equal(a.all, b.all):
			d.Changed = append(d.Changed, Change{Name: b.first.Name, Ecosystem: b.first.Ecosystem, PURL: b.first.PURL, Before: a.all, After: b.all,
				Downgraded: group.Later(a.all[len(a.all)-1], b.all[len(b.all)-1])})
		}
	}
	for id, a := range old {
		if _, ok := now[id]; !ok {
			d.Removed = append(d.Removed, a.first)
		}
	}
	order := func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.PURL, b.PURL))
	}
	slices.SortFunc(d.Added, order)
	slices.SortFunc(d.Removed, order)
	slices.SortFunc(d.Changed, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), slices.Compare(a.Before, b.Before), slices.Compare(a.After, b.After))
	})
}

func keys(r *bulwark.Report) map[string]bool {
	m := make(map[string]bool, len(r.Findings))
	for i := range r.Findings {
		if r.Findings[i].Exception == nil {
			m[r.Findings[i].Key] = true
		}
	}
	return m
}

func (d *Diff) findings(before, after *bulwark.Report) {
	old, now := keys(before), keys(after)
	for key := range now {
		if old[key] {
			d.Kept++
		}
	}
	d.Gained = append(d.Gained, missing(after, old)...)
	d.Lost = append(d.Lost, missing(before, now)...)
}

// missing are the findings of r whose key others lacks, each once.
func missing(r *bulwark.Report, others map[string]bool) []bulwark.Finding {
	seen := map[string]bool{}
	var out []bulwark.Finding
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Exception != nil || others[f.Key] || seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		out = append(out, *f)
	}
	return out
}
