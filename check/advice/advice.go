// Package advice says what to do first: the shortest list of changes that clears the
// most risk, the base image before single packages.
package advice

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/scope"
)

const (
	name = "check/advice"
	// maxSteps bounds the list: a longer one is no advice.
	maxSteps = 10
)

// Options of the advisor. The zero value works.
type Options struct {
	Now time.Time // the clock; without it lifetimes are not judged
}

// database is what the advisor needs to know beyond the findings.
type database interface {
	Match([]advisory.Hit, advisory.Query) ([]advisory.Hit, error)
	Product(name string) (advisory.Product, bool)
}

var (
	_ bulwark.Advisor = (*Advisor)(nil)
	_ database        = (*advisory.DB)(nil)
)

// Advisor gives advice on one target's vulnerabilities.
type Advisor struct {
	db  database // nil: there is none
	now time.Time
}

// New returns the advisor. Without a database (nil) it trusts the fixed versions that
// findings carry, and knows no releases.
func New(db *advisory.DB, o Options) *Advisor {
	if db == nil {
		return &Advisor{now: o.Now}
	}
	return &Advisor{db: db, now: o.Now}
}

// Info describes the advisor.
func (*Advisor) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "The shortest list of upgrades that clears the most risk.", Version: 1}
}

// Advise looks at the vulnerability findings that no exception covers. Steps do not
// overlap: a finding is counted by the first step that clears it.
func (a *Advisor) Advise(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, findings []bulwark.Finding) ([]bulwark.Advice, error) {
	w := &work{Advisor: a, inv: inv, byPURL: make(map[string]*bulwark.Package, len(inv.Packages))}
	for i := range inv.Packages {
		w.byPURL[inv.Packages[i].PURL] = &inv.Packages[i]
	}
	for i := range findings {
		f := &findings[i]
		if f.Kind == bulwark.KindVulnerability && f.Vulnerability != nil && f.Exception == nil {
			w.live = append(w.live, f)
		}
	}
	var first []bulwark.Advice
	if s, ok := w.base(); ok {
		first = append(first, s)
	}
	if s, ok := w.release(); ok {
		first = append(first, s)
	}
	rest, err := w.upgrades(ctx)
	if err != nil {
		return nil, err
	}
	steps := append(first, rest[:min(len(rest), maxSteps-len(first))]...)
	for i := range steps {
		steps[i].Asset, steps[i].Of = t.Asset.ID, len(w.live)
		if steps[i].Clears > 0 {
			steps[i].Text += fmt.Sprintf(" clears %d of %d", steps[i].Clears, len(w.live))
		}
	}
	return steps, nil
}

// work is one target's advice in the making.
type work struct {
	*Advisor
	inv    *bulwark.Inventory
	byPURL map[string]*bulwark.Package
	live   []*bulwark.Finding
	taken  map[*bulwark.Finding]bool // cleared by an earlier step
}

func fixable(f *bulwark.Finding) bool { return f.Fix != nil && f.Fix.Version != "" }

// ofDistribution tells whether a finding is about a distribution's package.
func (w *work) ofDistribution(f *bulwark.Finding) bool {
	p := w.byPURL[f.Subject]
	return p != nil && scope.OfDistribution(p)
}

// unit is what one upgrade upgrades: a source package of a distribution, or one version
// of a package.
type unit struct {
	ecosystem, name, version string
	distribution             bool
}

func (w *work) unitOf(f *bulwark.Finding) unit {
	v := f.Vulnerability
	u := unit{name: v.Package, version: v.Installed}
	p := w.byPURL[f.Subject]
	if p == nil {
		return u
	}
	u.ecosystem = p.Ecosystem
	if scope.OfDistribution(p) {
		u.distribution = true
		if p.Source != nil && p.Source.Name != "" {
			u.name, u.version = p.Source.Name, cmp.Or(p.Source.Version, p.Version)
		}
	}
	return u
}

// upgrades makes a step of every unit with a fix, the one that clears most risk first.
func (w *work) upgrades(ctx context.Context) ([]bulwark.Advice, error) {
	units := map[unit][]*bulwark.Finding{}
	for _, f := range w.live {
		if fixable(f) && !w.taken[f] {
			u := w.unitOf(f)
			units[u] = append(units[u], f)
		}
	}
	var steps []bulwark.Advice
	for u, findings := range units {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to, cleared := w.target(u, findings)
		if len(cleared) == 0 {
			continue
		}
		steps = append(steps, bulwark.Advice{
			Kind: "upgrade", Package: u.name, From: u.version, To: to,
			Text: upgradeText(u, to), Clears: len(cleared), Risk: risk(cleared),
		})
	}
	slices.SortFunc(steps, func(a, b bulwark.Advice) int {
		return cmp.Or(cmp.Compare(b.Risk, a.Risk), cmp.Compare(b.Clears, a.Clears), strings.Compare(a.Text, b.Text))
	})
	return steps, nil
}

func upgradeText(u unit, to string) string {
	if u.ecosystem == "Go" && u.name == "stdlib" {
		return fmt.Sprintf("rebuild with Go %s -> %s", u.version, to)
	}
	if u.ecosystem == "Go" && strings.HasPrefix(u.version, "v") {
		to = "v" + to // OSV writes Go versions without it
	}
	return fmt.Sprintf("%s %s -> %s", u.name, u.version, to)
}

func risk(findings []*bulwark.Finding) int {
	sum := 0
	for _, f := range findings {
		sum += f.Risk
	}
	return sum
}
