// Package version orders the versions of OSV's ecosystems. The orders that images
// are full of (dpkg, rpm, apk, semver, PEP 440, RubyGems) are compared without
// allocation; the others lean on osv-scalibr's semantic package.
package version

import "strings"

// Order is the version order of an ecosystem. Its compare is a total preorder over
// what valid accepts.
type Order struct {
	ID      byte // names the order in the database file; never reused
	Name    string
	valid   func(string) bool
	compare func(a, b string) int
}

// maxLength bounds foreign versions, in bytes; the longest real ones are below 200.
const maxLength = 512

// Valid tells whether v is a version that the order can place.
func (o *Order) Valid(v string) bool {
	return o != nil && v != "" && len(v) <= maxLength && o.valid(v)
}

// Compare orders two valid versions: -1, 0 or 1. For others the answer means nothing.
func (o *Order) Compare(a, b string) int { return o.compare(a, b) }

// The orders.
var (
	Dpkg      = &Order{1, "dpkg", validDpkg, compareDpkg}
	RPM       = &Order{2, "rpm", validRPM, compareRPM}
	APK       = &Order{3, "apk", validAPK, compareAPK}
	Semver    = &Order{4, "semver", validSemver, compareSemver}
	PEP440    = &Order{5, "pep440", validPEP440, comparePEP440}
	Gem       = &Order{6, "rubygems", validGem, compareGem}
	Maven     = library(7, "maven", "Maven")
	NuGet     = library(8, "nuget", "NuGet")
	Packagist = library(9, "packagist", "Packagist")
	CRAN      = library(10, "cran", "CRAN")
	Hackage   = library(11, "hackage", "Hackage")
	Pub       = library(12, "pub", "Pub")
)

var byEcosystem = map[string]*Order{
	"Debian": Dpkg, "Ubuntu": Dpkg, "Echo": Dpkg, "Root": Dpkg,
	"AlmaLinux": RPM, "Rocky Linux": RPM, "Red Hat": RPM, "SUSE": RPM, "openSUSE": RPM,
	"Mageia": RPM, "openEuler": RPM, "Azure Linux": RPM, "Photon OS": RPM,
	"Alpine": APK, "Alpaquita": APK, "BellSoft Hardened Containers": APK,
	"Chainguard": APK, "Wolfi": APK, "MinimOS": APK, "CleanStart": APK,
	"npm": Semver, "Go": Semver, "crates.io": Semver, "Hex": Semver, "Bitnami": Semver,
	"SwiftURL": Semver, "GitHub Actions": Semver, "ConanCenter": Semver, "Julia": Semver,
	"Bioconductor": Semver, "GHC": Semver, "Docker Hardened Images": Semver,
	"Kubernetes": Semver, "VSCode": Semver, "opam": Dpkg,
	"PyPI": PEP440, "RubyGems": Gem,
	"Maven": Maven, "NuGet": NuGet, "Packagist": Packagist, "CRAN": CRAN,
	"Hackage": Hackage, "Pub": Pub,
}

// Of is the order of an ecosystem, whose release does not matter; nil where none is known.
func Of(ecosystem string) *Order {
	base, _, _ := strings.Cut(ecosystem, ":")
	return byEcosystem[base]
}

// ByID is the order with that id, nil where there is none.
func ByID(id byte) *Order {
	if id == 0 || int(id) > len(orders) {
		return nil
	}
	return orders[id-1]
}

var orders = [...]*Order{Dpkg, RPM, APK, Semver, PEP440, Gem, Maven, NuGet, Packagist, CRAN, Hackage, Pub}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// digits is the length of the run of digits that s begins with.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// letters is the length of the run of letters that s begins with.
func letters(s string) int {
	i := 0
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return i
}

// compareNumbers orders runs of digits of any length; an empty run is zero.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// printable tells whether s is made of ASCII without blanks and control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
