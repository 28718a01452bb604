// Package ecosystem names OSV ecosystems
// (https://ossf.github.io/osv-schema/#affectedpackage-field).
package ecosystem

import (
	"strings"

	"bulwark/internal/purl"
)

// byType maps a PURL type to the ecosystem that needs no release.
var byType = map[string]string{
	"npm": "npm", "pypi": "PyPI", "golang": "Go", "maven": "Maven", "gem": "RubyGems",
	"cargo": "crates.io", "composer": "Packagist", "nuget": "NuGet", "pub": "Pub",
	"hex": "Hex", "cran": "CRAN", "conan": "ConanCenter", "swift": "SwiftURL",
	"bitnami": "Bitnami", "hackage": "Hackage", "githubactions": "GitHub Actions",
	"julia": "Julia", "opam": "opam",
}

// OfType is the ecosystem of a PURL type, "" where OSV has none or it needs a release.
func OfType(typ string) string { return byType[typ] }

// OfPURL is the ecosystem of a package URL, with its release for a distribution's; ""
// where there is none.
func OfPURL(p purl.PURL) string {
	if r := ReleaseOfPURL(p); r != nil {
		return OfPackage(OfRelease(r), p.Version)
	}
	return OfType(p.Type)
}

// IsDistribution tells whether an ecosystem is a distribution's, whose advisories
// speak of source packages and decide for the files that it owns.
func IsDistribution(eco string) bool {
	base, _, _ := strings.Cut(eco, ":")
	for _, d := range distributions {
		if name, _, _ := strings.Cut(d.name, ":"); name == base {
			return true
		}
	}
	return false
}
