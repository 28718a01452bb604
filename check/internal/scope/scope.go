// Package scope says which packages of a target are judged, and by whom.
package scope

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/ecosystem"
)

// Scope is what the packages of one target have in common.
type Scope struct {
	// Distribution is the ecosystem of the target's distribution: "Debian:12"; empty
	// when there is none or its release is not known.
	Distribution string
	// Whole is true for a whole root file system: an image, a host.
	Whole bool
	// installed are the ecosystems of which something is installed.
	installed map[string]bool
	isDistro  map[string]bool
}

// Of reads the scope of a target and its inventory.
func Of(t *bulwark.Target, inv *bulwark.Inventory) *Scope {
	s := &Scope{
		Distribution: ecosystem.OfRelease(inv.Release),
		Whole:        t.Inventory == nil && (t.Absolute || t.Image != nil),
		installed:    map[string]bool{},
		isDistro:     map[string]bool{},
	}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if !p.Declared {
			s.installed[p.Ecosystem] = true
		}
		if s.Distribution == "" && s.IsDistribution(p.Ecosystem) {
			s.Distribution = p.Ecosystem // an SBOM tells it in the packages alone
		}
	}
	return s
}

// IsDistribution is [ecosystem.IsDistribution], remembered.
func (s *Scope) IsDistribution(eco string) bool {
	is, ok := s.isDistro[eco]
	if !ok {
		is = eco != "" && ecosystem.IsDistribution(eco)
		s.isDistro[eco] = is
	}
	return is
}

// OfDistribution tells whether p is a package of the distribution's package manager.
func OfDistribution(p *bulwark.Package) bool {
	switch p.Format {
	case "deb", "apk", "rpm", "alpm":
		return true
	case "":
		return strings.HasPrefix(p.PURL, "pkg:deb/") || strings.HasPrefix(p.PURL, "pkg:apk/") ||
			strings.HasPrefix(p.PURL, "pkg:rpm/") || strings.HasPrefix(p.PURL, "pkg:alpm/")
	}
	return false
}

// Shadowed tells whether a lockfile's package does not count. In a root file system
// what is installed counts: a lockfile that lies there beside installed packages of
// its ecosystem says what somebody once meant to install, and development packages are
// not installed from it at all. Where nothing of the ecosystem is installed the
// lockfile is all there is, and it counts.
func (s *Scope) Shadowed(p *bulwark.Package) bool {
	return s.Whole && p.Declared && (p.Dev || s.installed[p.Ecosystem])
}

// Ecosystems is eco, or for a distribution that divides its release all the ecosystems
// that speak of its packages.
func Ecosystems(eco string) []string {
	return append([]string{eco}, ecosystem.Also(eco)...)
}

// Has tells whether has knows any of the ecosystems that speak of eco's packages.
func Has(has func(string) bool, eco string) bool {
	return eco != "" && slices.ContainsFunc(Ecosystems(eco), has)
}
