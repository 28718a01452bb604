// Package ecosystem names OSV ecosystems
// (https://ossf.github.io/osv-schema/#affectedpackage-field).
package ecosystem

import (
	"strings"

	"bulwark"
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

// OfRelease is the ecosystem with its release of a distribution: "Debian:12",
// "Alpine:v3.19". It is "" when the distribution has no ecosystem or its release is
// not known: a distribution without release matches nothing, never every release.
func OfRelease(r *bulwark.Release) string {
	if r == nil {
		return ""
	}
	d, ok := distributions[strings.ToLower(r.ID)]
	if !ok {
		return ""
	}
	if d.rolling {
		return d.name
	}
	if r.VersionID == "" {
		return ""
	}
	return d.name + ":" + d.suffix(r)
}

type distribution struct {
	name    string
	rolling bool // one release only
	suffix  func(*bulwark.Release) string
}

// distributions is keyed by os-release's ID, which is also what distro= qualifiers
// and PURL namespaces use.
var distributions = map[string]distribution{
	"debian":                       {name: "Debian", suffix: major},
	"ubuntu":                       {name: "Ubuntu", suffix: whole},
	"alpine":                       {name: "Alpine", suffix: alpine},
	"alpaquita":                    {name: "Alpaquita", suffix: whole},
	"bellsoft-hardened-containers": {name: "BellSoft Hardened Containers", suffix: whole},
	"almalinux":                    {name: "AlmaLinux", suffix: major},
	"rocky":                        {name: "Rocky Linux", suffix: major},
	"rhel":                         {name: "Red Hat", suffix: whole},
	"mageia":                       {name: "Mageia", suffix: whole},
	"opensuse-leap":                {name: "openSUSE", suffix: func(r *bulwark.Release) string { return "Leap " + r.VersionID }},
	"opensuse-tumbleweed":          {name: "openSUSE:Tumbleweed", rolling: true},
	"sles":                         {name: "SUSE", suffix: sles},
	"openeuler":                    {name: "openEuler", suffix: openEuler},
	"azurelinux":                   {name: "Azure Linux", suffix: major},
	"mariner":                      {name: "Azure Linux", suffix: major},
	"photon":                       {name: "Photon OS", suffix: whole},
	"wolfi":                        {name: "Wolfi", rolling: true},
	"chainguard":                   {name: "Chainguard", rolling: true},
	"minimos":                      {name: "MinimOS", rolling: true},
	"echo":                         {name: "Echo", rolling: true},
}

func whole(r *bulwark.Release) string { return r.VersionID }

func major(r *bulwark.Release) string {
	m, _, _ := strings.Cut(r.VersionID, ".")
	return m
}

func alpine(r *bulwark.Release) string {
	parts := strings.Split(strings.TrimPrefix(r.VersionID, "v"), ".")
	if len(parts) < 2 {
		return "v" + parts[0]
	}
	minor, _, _ := strings.Cut(parts[1], "_")
	return "v" + parts[0] + "." + minor
}

func sles(r *bulwark.Release) string {
	m, sp, ok := strings.Cut(r.VersionID, ".")
	if !ok || sp == "0" {
		return "Linux Enterprise Server " + m
	}
	return "Linux Enterprise Server " + m + " SP" + sp
}

func openEuler(r *bulwark.Release) string {
	// "openEuler 24.03 (LTS-SP1)" keeps the service pack in the name alone.
	if _, rest, ok := strings.Cut(r.Name, "("); ok {
		return r.VersionID + "-" + strings.TrimSuffix(rest, ")")
	}
	return r.VersionID
}

// ReleaseOfPURL reads distribution and release from a package URL's namespace and
// distro qualifier ("debian-12", "ubuntu-22.04", "alpine-3.19.1", "bookworm"); nil when
// the package URL is not a distribution's. VersionID is empty when it does not tell.
func ReleaseOfPURL(p purl.PURL) *bulwark.Release {
	switch p.Type {
	case "deb", "rpm", "apk", "alpm":
	default:
		return nil
	}
	r := &bulwark.Release{ID: strings.ToLower(p.Namespace)}
	if id, ok := aliases[r.ID]; ok {
		r.ID = id
	}
	distro := strings.ToLower(p.Qualifiers["distro"])
	if v, ok := strings.CutPrefix(distro, r.ID+"-"); ok {
		r.VersionID = v
		return r
	}
	if v, ok := codenames[distro]; ok {
		r.ID, r.VersionID, r.Codename = v[0], v[1], distro
		return r
	}
	if i := strings.LastIndexByte(distro, '-'); i > 0 {
		r.ID, r.VersionID = distro[:i], distro[i+1:]
		if id, ok := aliases[r.ID]; ok {
			r.ID = id
		}
	} else if distro != "" && distro[0] >= '0' && distro[0] <= '9' {
		r.VersionID = distro
	}
	return r
}

var aliases = map[string]string{
	"redhat": "rhel", "alma": "almalinux", "rockylinux": "rocky", "suse": "sles",
	"opensuse": "opensuse-leap", "opensuse.leap": "opensuse-leap", "oracle": "ol",
	"cbl-mariner": "mariner",
}

// codenames that distro qualifiers use for a release; facts of the distributions.
var codenames = map[string][2]string{
	"buster": {"debian", "10"}, "bullseye": {"debian", "11"}, "bookworm": {"debian", "12"},
	"trixie": {"debian", "13"}, "forky": {"debian", "14"},
	"focal": {"ubuntu", "20.04"}, "jammy": {"ubuntu", "22.04"}, "noble": {"ubuntu", "24.04"},
	"bionic": {"ubuntu", "18.04"}, "xenial": {"ubuntu", "16.04"}, "trusty": {"ubuntu", "14.04"},
}

// OfPURL is the ecosystem of a package URL, with its release for a distribution's; ""
// where there is none.
func OfPURL(p purl.PURL) string {
	if r := ReleaseOfPURL(p); r != nil {
		return OfRelease(r)
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
