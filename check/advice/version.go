package advice

import (
	"slices"

	"bulwark"
	"bulwark/advisory"
)

// maxTries bounds how many versions of a package are looked up.
const maxTries = 8

// target is the lowest version that clears most of a unit's findings, and these.
//
// Each finding's first fixed version closes the interval that the installed one is in,
// so nothing below the highest of them clears all. A version above it may lie in an
// interval where a problem came back: the database is asked, and the next fixed version
// is tried.
func (w *work) target(u unit, findings []*bulwark.Finding) (string, []*bulwark.Finding) {
	versions := w.fixedVersions(u, findings)
	start := w.highestFirst(u, versions, findings)
	if start < 0 {
		return "", nil
	}
	if u.distribution || w.db == nil || u.ecosystem == "" {
		return versions[start], findings
	}
	best, bestCleared := "", []*bulwark.Finding(nil)
	for _, v := range versions[start:min(len(versions), start+maxTries)] {
		cleared := w.clearedBy(u, v, findings)
		if len(cleared) > len(bestCleared) {
			best, bestCleared = v, cleared
		}
		if len(cleared) == len(findings) {
			break
		}
	}
	return best, bestCleared
}

// fixedVersions are all versions that fix any of the findings, in order.
func (w *work) fixedVersions(u unit, findings []*bulwark.Finding) []string {
	var versions []string
	for _, f := range findings {
		versions = append(versions, f.Vulnerability.Fixed...)
		versions = append(versions, f.Fix.Version)
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	slices.SortStableFunc(versions, func(a, b string) int { return order(u, a, b) })
	return versions
}

// order compares versions; those that cannot be compared are equal.
func order(u unit, a, b string) int {
	o, err := advisory.Compare(u.ecosystem, a, b)
	if err != nil {
		return 0
	}
	return o
}

// highestFirst is the index of the highest of the findings' own fixed versions.
func (w *work) highestFirst(u unit, versions []string, findings []*bulwark.Finding) int {
	highest := -1
	for _, f := range findings {
		highest = max(highest, slices.Index(versions, f.Fix.Version))
	}
	return highest
}

// clearedBy gives the findings that a version is not affected by. When the database
// cannot tell it is none.
func (w *work) clearedBy(u unit, version string, findings []*bulwark.Finding) []*bulwark.Finding {
	hits, err := w.db.Match(nil, advisory.Query{Ecosystem: u.ecosystem, Name: u.name, Version: version})
	if err != nil {
		return nil
	}
	still := make(map[string]bool, len(hits))
	for _, h := range hits {
		still[h.ID] = true
	}
	var cleared []*bulwark.Finding
	for _, f := range findings {
		if !still[f.Vulnerability.ID] {
			cleared = append(cleared, f)
		}
	}
	return cleared
}
