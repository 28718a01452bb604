// Package eol finds distribution releases, runtimes and frameworks that are past their
// end of life, by the data of endoflife.date.
//
// Severity: high once nobody supports the release; medium while extended support, which
// covers less or costs money, still runs; low when the end comes within 90 days. What a
// distribution packages lives as long as the distribution says, so its own packages
// and the files that they own are not judged here.
package eol

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/lifetime"
	"bulwark/check/internal/scope"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

const name = "check/eol"

// Options of the check.
type Options struct {
	Now time.Time // the clock; without it nothing is judged
}

// lifetimes is what the check needs of the database.
type lifetimes interface {
	Info() bulwark.Advisories
	Product(name string) (advisory.Product, bool)
	ProductOfPURL(purl string) (advisory.Product, bool)
}

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
	_ lifetimes     = (*advisory.DB)(nil)
)

// Check judges lifetimes.
type Check struct {
	db  lifetimes // nil: there is none
	now time.Time
}

// New returns the check. Without a database (nil) it says that it could not look.
func New(db *advisory.DB, o Options) *Check {
	if db == nil {
		return &Check{now: o.Now}
	}
	return &Check{db: db, now: o.Now}
}

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Distribution releases, runtimes and frameworks past their end of life.", Version: 1}
}

// Rules has one rule for all products: their names are those of the data.
func (*Check) Rules() []bulwark.Rule {
	return []bulwark.Rule{{ID: "eol/*", Severity: bulwark.SeverityHigh, Title: "A release that its makers no longer fix, or soon will not",
		Reason: "Flaws found from now on stay open, and advisories may no longer even say that it has them. High once nobody supports it; medium while extended support, " +
			"which covers less or costs money, still runs; low when the end comes within 90 days.",
		FalsePositives: "Support that was bought elsewhere, or somebody who carries fixes over by hand. What a distribution packages is not judged: it lives as long as the distribution."}}
}

// Check emits a finding for each release of a product that has ended or is about to.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	if c.now.IsZero() {
		return nil
	}
	if c.db == nil || !hasData(c.db.Info()) {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Incomplete: true,
			Text: "there is no end-of-life data, so no lifetime was checked; run: bulwark db update"}})
		return nil
	}
	if f := c.distribution(inv); f != nil {
		emit(bulwark.Record{Finding: f})
	}
	for _, f := range c.programs(scope.Of(t, inv), inv) {
		emit(bulwark.Record{Finding: f})
	}
	return ctx.Err()
}

func hasData(info bulwark.Advisories) bool {
	return slices.ContainsFunc(info.Sources, func(s bulwark.DataSource) bool { return s.Name == "eol" && s.Records > 0 })
}

// distribution judges the release that the target says it is, or that the first
// package of an SBOM names.
func (c *Check) distribution(inv *bulwark.Inventory) *bulwark.Finding {
	r := inv.Release
	if r == nil {
		r = releaseOfPackages(inv.Packages)
	}
	if r == nil || r.VersionID == "" {
		return nil
	}
	product, ok := c.db.Product(lifetime.ProductOf(r))
	if !ok {
		return nil
	}
	release, ok := lifetime.CycleOf(product, r.VersionID)
	if !ok {
		return nil
	}
	f := c.judge(product, release)
	if f == nil {
		return nil
	}
	f.Subject = strings.ToLower(r.ID) + " " + r.VersionID
	if inv.Release != nil {
		f.Path = "/etc/os-release"
		f.Places = []bulwark.Place{{Path: f.Path}}
	}
	f.Key = bulwark.Key(bulwark.KindEOL, f.Rule, strings.ToLower(r.ID), "")
	return f
}

func releaseOfPackages(packages []bulwark.Package) *bulwark.Release {
	for i := range packages {
		if !scope.OfDistribution(&packages[i]) {
			continue
		}
		if u, err := purl.Parse(packages[i].PURL); err == nil {
			return ecosystem.ReleaseOfPURL(u)
		}
	}
	return nil
}

// programs judges what no distribution packages: one finding for each version of a
// product, with the places where it is.
func (c *Check) programs(s *scope.Scope, inv *bulwark.Inventory) []*bulwark.Finding {
	type version struct{ product, version string }
	byProduct := map[string]advisory.Product{}
	found := map[version][]*bulwark.Package{}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if p.Version == "" || p.OwnedBy != "" || p.Dev || s.IsDistribution(p.Ecosystem) || scope.OfDistribution(p) || s.Shadowed(p) {
			continue
		}
		if product, ok := c.productOfPackage(p); ok {
			byProduct[product.Name] = product
			v := version{product.Name, p.Version}
			found[v] = append(found[v], p)
		}
	}
	order := slices.SortedFunc(maps.Keys(found), func(a, b version) int {
		return cmp.Or(strings.Compare(a.product, b.product), strings.Compare(a.version, b.version))
	})
	var out []*bulwark.Finding
	for _, v := range order {
		if f := c.program(byProduct[v.product], v.version, found[v]); f != nil {
			out = append(out, f)
		}
	}
	return out
}

func (c *Check) program(product advisory.Product, version string, packages []*bulwark.Package) *bulwark.Finding {
	release, ok := lifetime.CycleOf(product, version)
	if !ok {
		return nil
	}
	f := c.judge(product, release)
	if f == nil {
		return nil
	}
	slices.SortFunc(packages, func(a, b *bulwark.Package) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.PURL, b.PURL))
	})
	first := packages[0]
	f.Subject, f.Path, f.Layer, f.FromBase = first.PURL, first.Path, first.Layer, true
	for _, p := range packages {
		f.FromBase = f.FromBase && p.FromBase
		place := bulwark.Place{Path: p.Path, Layer: p.Layer}
		if p.Path != "" && (len(f.Places) == 0 || f.Places[len(f.Places)-1] != place) {
			f.Places = append(f.Places, place)
		}
	}
	f.Key = bulwark.Key(bulwark.KindEOL, f.Rule, purl.Identity(first.PURL), bulwark.Unversioned(first.Path, version))
	return f
}

// productOfPackage finds the product by the package URL, or for programs by name.
func (c *Check) productOfPackage(p *bulwark.Package) (advisory.Product, bool) {
	if p.Format == "golang" && p.Name == "stdlib" || strings.HasPrefix(p.PURL, "pkg:golang/stdlib@") {
		return c.db.Product("go")
	}
	u := purl.Identity(p.PURL)
	if product, ok := c.db.ProductOfPURL(u); ok {
		return product, true
	}
	rest, ok := strings.CutPrefix(u, "pkg:generic/")
	if !ok {
		return advisory.Product{}, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	return c.db.Product(cmp.Or(programs[rest], rest))
}
