package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/lifetime"
)

// distribution finds the target's release in the end-of-life data.
func (w *work) distribution() (advisory.Product, advisory.ProductRelease, bool) {
	if w.db == nil || w.inv.Release == nil {
		return advisory.Product{}, advisory.ProductRelease{}, false
	}
	p, ok := w.db.Product(lifetime.ProductOf(w.inv.Release))
	if !ok {
		return p, advisory.ProductRelease{}, false
	}
	r, ok := lifetime.CycleOf(p, w.inv.Release.VersionID)
	return p, r, ok
}

// release is the step to a release that is still supported, when the target's is not. It
// clears nothing that could be counted: what the other release is affected by is not
// known before it is scanned.
func (w *work) release() (bulwark.Advice, bool) {
	p, from, ok := w.distribution()
	if !ok || w.now.IsZero() || !lifetime.Ended(from, w.now) {
		return bulwark.Advice{}, false
	}
	next, ok := lifetime.Successor(p, from, w.now)
	if !ok {
		return bulwark.Advice{}, false
	}
	id := strings.ToLower(w.inv.Release.ID)
	text := fmt.Sprintf("move to %s %s", id, next.Cycle)
	if !next.EOL.IsZero() {
		text += ", supported until " + next.EOL.UTC().Format(time.DateOnly)
	}
	text += fmt.Sprintf(": %s %s is past its end of life", id, from.Cycle)
	if lifetime.Extended(from, w.now) {
		text += ", with extended support until " + from.Extended.UTC().Format(time.DateOnly)
	}
	if n := w.unfixed(); n > 0 {
		text += fmt.Sprintf("; it has no fix for %d of %d findings", n, len(w.live))
	}
	return bulwark.Advice{Kind: "release", Package: id, From: from.Cycle, To: next.Cycle, Text: text}, true
}

// unfixed counts the findings that the distribution has no fix for.
func (w *work) unfixed() int {
	n := 0
	for _, f := range w.live {
		if !fixable(f) && w.ofDistribution(f) {
			n++
		}
	}
	return n
}

// base is the step to the current base image of the same release: it brings every fix
// that the distribution has. When it is not known what belongs to the base, all
// packages of the distribution do.
func (w *work) base() (bulwark.Advice, bool) {
	r := w.inv.Release
	if r == nil {
		return bulwark.Advice{}, false
	}
	known := slices.ContainsFunc(w.inv.Packages, func(p bulwark.Package) bool { return p.FromBase })
	var cleared []*bulwark.Finding
	w.taken = map[*bulwark.Finding]bool{}
	for _, f := range w.live {
		if fixable(f) && w.ofDistribution(f) && (f.FromBase || !known) {
			cleared = append(cleared, f)
			w.taken[f] = true
		}
	}
	if len(cleared) == 0 {
		return bulwark.Advice{}, false
	}
	id := strings.ToLower(r.ID)
	from := cmp.Or(r.Point, r.VersionID)
	to := from
	text := fmt.Sprintf("%s %s: a rebuild on the current base image", id, from)
	if _, release, ok := w.distribution(); ok && pointAfter(from, release.Latest) {
		to = release.Latest
		text = fmt.Sprintf("%s %s -> %s", id, from, to)
	}
	return bulwark.Advice{Kind: "base-image", Package: id, From: from, To: to, Text: text, Clears: len(cleared), Risk: risk(cleared)}, true
}

// pointAfter tells whether latest is a point release after from. The data may be older
// than the target.
func pointAfter(from, latest string) bool {
	o, err := advisory.Compare("Debian", from, latest) // digits and dots alone, as every distribution orders them
	return latest != "" && err == nil && o < 0
}
