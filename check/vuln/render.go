package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// slab is how many findings are allocated at once.
const slab = 64

// renderer makes findings.
type renderer struct {
	use  use
	free []finding
}

// finding is a finding and what only it points to.
type finding struct {
	f   bulwark.Finding
	v   bulwark.Vulnerability
	fix bulwark.Fix
}

// render emits the findings of a subject.
func (r *renderer) render(s *subject, problems []problem, emit func(bulwark.Record)) {
	for i := range problems {
		emit(bulwark.Record{Finding: r.finding(s, &problems[i])})
	}
}

func (r *renderer) finding(s *subject, p *problem) *bulwark.Finding {
	if len(r.free) == 0 {
		r.free = make([]finding, slab)
	}
	one := &r.free[0]
	r.free = r.free[1:]
	pkg := s.packages[0]
	one.v = bulwark.Vulnerability{
		ID: p.id, Aliases: p.aliases, CVEs: p.cves, Package: pkg.Name, Installed: pkg.Version,
		Fixed: p.fixed, CVSS: p.cvss, EPSS: p.epss, KEV: p.kev,
	}
	if pkg.Source != nil && pkg.Source.Name != pkg.Name {
		one.v.Source = pkg.Source.Name
	}
	inUse, evidence := r.use.of(s, p)
	one.f = bulwark.Finding{
		Key:  bulwark.Key(bulwark.KindVulnerability, p.key, s.identity, bulwark.Unversioned(pkg.Path, pkg.Version)),
		Kind: bulwark.KindVulnerability, Rule: p.rule, Severity: p.severity, Risk: p.riskUnknown, Title: p.titleFor(pkg),
		Asset: pkg.Asset, Subject: pkg.PURL, Path: pkg.Path, Layer: pkg.Layer, Places: s.places, Evidence: evidence,
		References: p.references, InUse: inUse, FromBase: fromBase(s), Vulnerability: &one.v,
	}
	if inUse != nil {
		one.f.Risk = p.risk(inUse)
	}
	if len(p.fixed) > 0 {
		one.fix = bulwark.Fix{Version: p.fixed[0], Text: upgrade(pkg, p.fixed[0])}
		one.f.Fix = &one.fix
	}
	if p.malicious() {
		asMalware(&one.f)
	}
	if pkg.Declared && pkg.Dev {
		one.f.Tags = []string{"dev"}
	}
	return &one.f
}

// malicious tells whether the record, or one that it is merged with, is of a package that
// was made to harm: OSV calls those MAL.
func (p *problem) malicious() bool {
	isMAL := func(id string) bool { return strings.HasPrefix(id, "MAL-") }
	return isMAL(p.id) || slices.ContainsFunc(p.aliases, isMAL)
}

// asMalware turns the finding into one of a package that is malicious as it is: no
// record rates that, and there is nothing worse to have installed.
func asMalware(f *bulwark.Finding) {
	f.Kind, f.Severity = bulwark.KindMalware, bulwark.SeverityCritical
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: true, InUse: f.InUse})
	if f.Fix == nil {
		f.Fix = &bulwark.Fix{Text: "remove the package, and take what could be reached from where it ran for known to others"}
	}
}

func (p *problem) risk(inUse *bool) int {
	f := bulwark.Factors{Severity: p.severity, EPSS: p.epss, KEV: p.kev, Fixable: len(p.fixed) > 0, InUse: inUse}
	if p.cvss != nil {
		f.Score = p.cvss.Score
	}
	return bulwark.Risk(f)
}

func (p *problem) titleFor(pkg *bulwark.Package) string {
	if p.title != "" {
		return p.title
	}
	id := p.id
	if len(p.cves) > 0 {
		id = p.cves[0]
	}
	return id + " in " + pkg.Name
}

// fromBase is true when every place of the package is in the base image.
func fromBase(s *subject) bool {
	for _, p := range s.packages {
		if !p.FromBase {
			return false
		}
	}
	return true
}

// upgrade says what to do. The fixed version of a distribution is the source
// package's: it is named where the binary package has another name or its own versions.
func upgrade(pkg *bulwark.Package, version string) string {
	if pkg.Name == "stdlib" && pkg.Format == "golang" {
		return "rebuild with Go " + version
	}
	if pkg.Format == "golang" && strings.HasPrefix(pkg.Version, "v") {
		version = "v" + version // OSV writes Go versions without it
	}
	s := pkg.Source
	if s == nil || s.Name == "" || s.Name == pkg.Name && cmp.Or(s.Version, pkg.Version) == pkg.Version {
		return "upgrade " + pkg.Name + " to " + version
	}
	if cmp.Or(s.Version, pkg.Version) == pkg.Version {
		return fmt.Sprintf("upgrade %s (source package %s) to %s", pkg.Name, s.Name, version)
	}
	return fmt.Sprintf("upgrade %s to a build of source package %s %s", pkg.Name, s.Name, version)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
