// Package rule is what every format of exceptions and VEX is read into: one
// condition on findings, and what is said about those that meet it.
package rule

import (
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/glob"
	"bulwark/internal/purl"
	"bulwark/kube"
)

// Rule covers the findings that meet all of its conditions; an empty condition is met
// by every finding.
type Rule struct {
	IDs   []string // globs, any of them: a vulnerability's id, an alias or a CVE
	Names []string // globs, any of them: a finding's rule, whole or without its family
	Key   string   // glob
	Kind  string
	Asset string // glob: the asset's id, its name, or its kind and name ("image:nginx*")
	PURL  string // what the finding's subject must be
	// Paths are globs as [bulwark/internal/glob] has them, any of them. A finding in several places is covered only when
	// all of them are.
	Paths []string
	Line  int
	// Lines are the first and last line that a finding may be in, in all of its places; 0 is
	// no condition.
	Lines    [2]int
	Object   *Object   // what declared object the finding is about
	Products []Product // any of them: what a VEX statement speaks of

	// Exempt is false for a statement that calls a finding real: it beats earlier
	// ones that do not.
	Exempt    bool
	Stated    time.Time
	Exception bulwark.Exception

	// Told is how a note calls the rule when it covers nothing; "" for one that nobody wrote
	// for these findings.
	Told string
	used bool // it covered a finding
}

// Covers tells whether the finding meets every condition.
func (r *Rule) Covers(a *bulwark.Asset, f *bulwark.Finding) bool { return r.covers(a, f, nil) }

func (r *Rule) covers(a *bulwark.Asset, f *bulwark.Finding, s *kube.Set) bool {
	return (r.Kind == "" || r.Kind == f.Kind) &&
		(r.Line == 0 || r.Line == f.Line) &&
		(r.Lines[1] == 0 || r.coversLines(f)) &&
		(r.Object == nil || r.Object.is(f, s)) &&
		(r.Key == "" || Glob(r.Key, f.Key)) &&
		r.coversID(f) && r.coversName(f) &&
		(r.Asset == "" || assetIs(r.Asset, a)) &&
		(len(r.Paths) == 0 || r.coversPaths(f)) &&
		(r.PURL == "" || subjectIs(r.PURL, f)) &&
		(len(r.Products) == 0 || slices.ContainsFunc(r.Products, func(p Product) bool { return p.covers(a, f) }))
}

// Everything tells whether no condition leaves any finding out, or any that its kind of
// name (a vulnerability's id, a rule) is said of.
func (r *Rule) Everything() bool {
	return r.Kind == "" && r.Line == 0 && r.Lines[1] == 0 && r.Object == nil && len(r.Products) == 0 && all(r.PURL) && all(r.Asset) && all(r.Key) &&
		!slices.ContainsFunc(slices.Concat(r.IDs, r.Names, r.Paths), func(s string) bool { return !all(s) })
}

// all tells whether a glob means any text; an empty one is no condition.
func all(pattern string) bool { return strings.Trim(pattern, "*?/") == "" }

func (r *Rule) coversID(f *bulwark.Finding) bool {
	if len(r.IDs) == 0 {
		return true
	}
	for id := range idsOf(f) {
		for _, want := range r.IDs {
			if Glob(strings.ToUpper(want), id) {
				return true
			}
		}
	}
	return false
}

// idsOf yields the upper-case ids that a finding's vulnerability is known by.
func idsOf(f *bulwark.Finding) func(func(string) bool) {
	return func(yield func(string) bool) {
		v := f.Vulnerability
		if v == nil || !yield(strings.ToUpper(v.ID)) {
			return
		}
		for _, ids := range [][]string{v.CVEs, v.Aliases} {
			for _, id := range ids {
				if !yield(strings.ToUpper(id)) {
					return
				}
			}
		}
	}
}

func (r *Rule) coversName(f *bulwark.Finding) bool {
	_, short, _ := strings.Cut(f.Rule, "/")
	return len(r.Names) == 0 || slices.ContainsFunc(r.Names, func(want string) bool {
		return Glob(want, f.Rule) || Glob(want, short)
	})
}

func (r *Rule) coversPaths(f *bulwark.Finding) bool {
	if f.Path == "" && len(f.Places) == 0 {
		return false
	}
	if f.Path != "" && !r.coversPath(f.Path) {
		return false
	}
	return !slices.ContainsFunc(f.Places, func(p bulwark.Place) bool { return !r.coversPath(p.Path) })
}

func (r *Rule) coversPath(path string) bool {
	path = strings.TrimPrefix(path, "/")
	return slices.ContainsFunc(r.Paths, func(want string) bool {
		return glob.Match(strings.TrimPrefix(want, "/"), path)
	})
}

func assetIs(want string, a *bulwark.Asset) bool {
	return a != nil && (Glob(want, string(a.ID)) || Glob(want, a.Name) || Glob(want, a.Kind+":"+a.Name))
}

// subjectIs compares leniently: see [purl.Matches]. A package URL of a source package
// (arch=source or src) means the binary packages that were built from it.
func subjectIs(want string, f *bulwark.Finding) bool {
	if purl.Matches(want, f.Subject) {
		return true
	}
	if f.Vulnerability == nil || f.Vulnerability.Source == "" || !strings.Contains(want, "arch=s") {
		return false
	}
	w, err := purl.Parse(want)
	if err != nil || w.Qualifiers["arch"] != "source" && w.Qualifiers["arch"] != "src" {
		return false
	}
	h, err := purl.Parse(f.Subject)
	if err != nil || w.Name != f.Vulnerability.Source {
		return false
	}
	// Binary packages may have versions of their own, so a source version says
	// nothing that could be compared here, unless it is the installed one.
	if w.Version != "" && w.Version != f.Vulnerability.Installed {
		return false
	}
	w.Version = ""
	delete(w.Qualifiers, "arch")
	h.Name = w.Name
	return purl.Matches(w.String(), h.String())
}
