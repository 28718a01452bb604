// Package outdated finds what is behind: packages behind their distribution's current
// index or their registry's latest version, deprecated packages, and images that
// are old or whose tag has moved on.
//
// All but the age of an image needs the network, and is done only when Options.Online
// says so. What an image names as its package index is an address that a stranger
// chose: it is asked only where it leads to the public internet, see guard.go.
package outdated

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/check/internal/scope"
	"bulwark/internal/purl"
)

const name = "check/outdated"

// Options of the check. The zero value judges nothing.
type Options struct {
	Now    time.Time // the clock; without it the age of images is not judged
	Online bool      // indexes and registries may be asked
	// Wanted is true when the user asked for this kind by name: not being online is then
	// something that could not be looked at.
	Wanted bool

	GoProxy     string // address of a Go module proxy; empty: Go modules are a note
	NPMRegistry string // address of an npm registry; empty: npm packages are a note
	// Client asks GoProxy and NPMRegistry, which the user chose; nil: a default one.
	Client *http.Client
	// Indexes asks the addresses that an image names; nil: one that refuses every
	// address which is not public. Set it only where the images are trusted.
	Indexes *http.Client
	// Budget is how long everything together may take; 0: two minutes.
	Budget time.Duration
	// Resolve gives the digest that a reference has in its registry now, "" when it is no
	// reference to one; nil: tags are not looked at.
	Resolve func(ctx context.Context, ref string) (string, error)
}

var _ bulwark.Check = (*Check)(nil)

// Check looks for what is behind.
type Check struct{ o Options }

// New returns the check.
func New(o Options) *Check {
	o.GoProxy = strings.TrimSuffix(o.GoProxy, "/")
	o.NPMRegistry = strings.TrimSuffix(o.NPMRegistry, "/")
	o.Budget = cmp.Or(o.Budget, 2*time.Minute)
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestTimeout}
	}
	if o.Indexes == nil {
		o.Indexes = guarded()
	}
	return &Check{o: o}
}

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Packages behind their index, deprecated packages, old images, tags that moved on.", Version: 1}
}

// Check emits one finding for each package that is behind, wherever it lies.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	if f := c.age(t); f != nil {
		emit(bulwark.Record{Finding: f})
	}
	if !c.o.Online && !c.o.Wanted && t.Image == nil && len(inv.Packages) == 0 {
		return nil // there is nothing to ask about, as in manifests
	}
	if !c.o.Online {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Incomplete: c.o.Wanted,
			Text: "package indexes and registries were not asked what is outdated; --online asks them"}})
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, c.o.Budget)
	defer cancel()
	r := &run{Check: c, packages: group(scope.Of(t, inv), inv), inv: inv, arch: archOf(t)}
	r.tag(limited, t)
	r.distribution(limited)
	r.goModules(limited)
	r.npmPackages(limited)
	for _, f := range r.findings {
		emit(bulwark.Record{Finding: f})
	}
	for _, n := range r.notes {
		emit(bulwark.Record{Note: &n})
	}
	return ctx.Err() // the budget's end is a note, the caller's is an error
}

// run is one look at one target.
type run struct {
	*Check
	packages []*subject
	inv      *bulwark.Inventory
	arch     string
	findings []*bulwark.Finding
	notes    []bulwark.Note
}

func (r *run) note(incomplete bool, format string, args ...any) {
	r.notes = append(r.notes, bulwark.Note{Plugin: name, Text: fmt.Sprintf(format, args...), Incomplete: incomplete})
}

// subject is all packages with one package URL.
type subject struct {
	*bulwark.Package
	places   []bulwark.Place
	fromBase bool
}

// group puts packages with one package URL together, in order of the package URL.
func group(s *scope.Scope, inv *bulwark.Inventory) []*subject {
	byPURL := map[string]*subject{}
	var out []*subject
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if p.Version == "" || p.OwnedBy != "" || s.Shadowed(p) {
			continue
		}
		one := byPURL[p.PURL]
		if one == nil {
			one = &subject{Package: p, fromBase: true}
			byPURL[p.PURL] = one
			out = append(out, one)
		}
		one.fromBase = one.fromBase && p.FromBase
		if p.Path != "" {
			one.places = append(one.places, bulwark.Place{Path: p.Path, Layer: p.Layer})
		}
	}
	for _, one := range out {
		slices.SortFunc(one.places, func(a, b bulwark.Place) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Layer, b.Layer))
		})
		one.places = slices.Compact(one.places)
	}
	slices.SortFunc(out, func(a, b *subject) int { return strings.Compare(a.PURL, b.PURL) })
	return out
}

// finding is the common part of a finding about a package.
func (r *run) finding(s *subject, rule, title string, fix *bulwark.Fix) {
	f := &bulwark.Finding{
		Kind: bulwark.KindOutdated, Rule: rule, Severity: bulwark.SeverityLow, Title: title,
		Subject: s.PURL, Places: s.places, FromBase: s.fromBase, Fix: fix,
	}
	if len(s.places) > 0 {
		f.Path, f.Layer = s.places[0].Path, s.places[0].Layer
	}
	f.Key = bulwark.Key(f.Kind, f.Rule, purl.Identity(s.PURL), bulwark.Unversioned(f.Path, s.Version))
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: fix != nil})
	r.findings = append(r.findings, f)
}

func (r *run) behind(s *subject, latest, where string) {
	r.finding(s, "outdated/package", fmt.Sprintf("%s %s is behind %s of %s", s.Name, s.Version, latest, where),
		&bulwark.Fix{Text: "upgrade " + s.Name + " to " + latest, Version: latest})
}

func (r *run) deprecated(s *subject, why string) {
	why = line(why)
	r.finding(s, "outdated/deprecated", fmt.Sprintf("%s %s is deprecated: %s", s.Name, s.Version, why), nil)
}
