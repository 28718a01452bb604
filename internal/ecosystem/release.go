package ecosystem

import (
	"cmp"
	"strings"

	"bulwark"
	"bulwark/internal/purl"
)

// OfRelease is the ecosystem with its release of a distribution: "Debian:12",
// "Alpine:v3.19", "Ubuntu:22.04:LTS". It is "" when the distribution has no ecosystem
// or its release is not known: a distribution without release matches nothing, never
// every release.
func OfRelease(r *bulwark.Release) string {
	if r == nil {
		return ""
	}
	d, ok := distributions[strings.ToLower(r.ID)]
	switch {
	case !ok:
		return ""
	case d.suffix == nil: // rolling, there is one release only
		return d.name
	}
	known := *r
	known.VersionID = cmp.Or(r.VersionID, codenames[strings.ToLower(r.Codename)][1])
	if known.VersionID == "" {
		return ""
	}
	return d.name + ":" + d.suffix(&known)
}

// OfPackage is the ecosystem of a package of a release whose ecosystem is eco: that
// itself, but for a version which Ubuntu Pro alone gives out.
func OfPackage(eco, version string) string {
	rest, ok := strings.CutPrefix(eco, "Ubuntu:")
	if ok && strings.Contains(version, "esm") && !strings.HasPrefix(rest, "Pro:") {
		return "Ubuntu:Pro:" + rest
	}
	return eco
}

// Also lists the further ecosystems whose advisories speak of the packages of a release
// whose ecosystem is eco. Red Hat and SUSE divide a release into repositories and
// modules with an ecosystem each; Ubuntu tells what only Pro fixes apart.
func Also(eco string) []string {
	name, release, _ := strings.Cut(eco, ":")
	var also []string
	switch name {
	case "Ubuntu":
		if !strings.HasPrefix(release, "Pro:") {
			also = append(also, "Ubuntu:Pro:"+release)
		}
	case "Red Hat":
		base, own, _ := strings.Cut(release, "::")
		for _, repo := range []string{"", "baseos", "appstream", "crb", "highavailability"} {
			if repo != own {
				also = append(also, "Red Hat:"+strings.TrimSuffix(base+"::"+repo, "::"))
			}
		}
	case "SUSE":
		if v, ok := strings.CutPrefix(release, "Linux Enterprise Server "); ok && strings.HasPrefix(v, "15") {
			for _, m := range []string{"Basesystem", "Server Applications", "Containers", "Development Tools", "Python 3", "Web and Scripting", "Legacy", "Public Cloud"} {
				also = append(also, "SUSE:Linux Enterprise Module for "+m+" "+v)
			}
		}
	}
	return also
}

// VersionOfRelease is the version that a distro qualifier names: VERSION_ID, with the
// service pack where that is kept elsewhere.
func VersionOfRelease(r *bulwark.Release) string {
	if strings.EqualFold(r.ID, "openEuler") && r.VersionID != "" {
		return openEuler(r)
	}
	return cmp.Or(r.VersionID, codenames[strings.ToLower(r.Codename)][1])
}

type distribution struct {
	name   string
	suffix func(*bulwark.Release) string // nil: one release only
}

// distributions is keyed by os-release's ID in lower case, which is also what distro=
// qualifiers use.
var distributions = map[string]distribution{
	"debian":                       {"Debian", major},
	"ubuntu":                       {"Ubuntu", ubuntu},
	"alpine":                       {"Alpine", alpine},
	"alpaquita":                    {"Alpaquita", whole},
	"bellsoft-hardened-containers": {"BellSoft Hardened Containers", whole},
	"almalinux":                    {"AlmaLinux", major},
	"rocky":                        {"Rocky Linux", major},
	"rhel":                         {"Red Hat", redHat},
	"mageia":                       {"Mageia", whole},
	"opensuse-leap":                {"openSUSE", named("Leap")},
	"opensuse-tumbleweed":          {"openSUSE:Tumbleweed", nil},
	"sles":                         {"SUSE", named("Linux Enterprise Server")},
	"sled":                         {"SUSE", named("Linux Enterprise Desktop")},
	"sles_sap":                     {"SUSE", named("Linux Enterprise Server for SAP Applications")},
	"sle-micro":                    {"SUSE", func(r *bulwark.Release) string { return "Linux Enterprise Micro " + r.VersionID }},
	"sl-micro":                     {"SUSE", func(r *bulwark.Release) string { return "Linux Micro " + r.VersionID }},
	"openeuler":                    {"openEuler", openEuler},
	"azurelinux":                   {"Azure Linux", major},
	"mariner":                      {"Azure Linux", major},
	"photon":                       {"Photon OS", whole},
	"wolfi":                        {"Wolfi", nil},
	"chainguard":                   {"Chainguard", nil},
	"minimos":                      {"MinimOS", nil},
	"echo":                         {"Echo", nil},
	"cleanstart":                   {"CleanStart", nil},
	"clnstrt":                      {"CleanStart", nil},
}

func whole(r *bulwark.Release) string { return r.VersionID }

func major(r *bulwark.Release) string {
	m, _, _ := strings.Cut(r.VersionID, ".")
	return m
}

// ubuntu marks the releases with long-term support: each April of an even year.
func ubuntu(r *bulwark.Release) string {
	year, rest, _ := strings.Cut(r.VersionID, ".")
	month, _, _ := strings.Cut(rest, ".")
	v := year + "." + month
	if month == "04" && year != "" && (year[len(year)-1]-'0')%2 == 0 {
		return v + ":LTS"
	}
	return v
}

func alpine(r *bulwark.Release) string {
	v := strings.TrimPrefix(r.VersionID, "v")
	if v == "edge" {
		return v
	}
	parts := strings.Split(v, ".")
	if len(parts) < 2 {
		return "v" + parts[0]
	}
	minor, _, _ := strings.Cut(parts[1], "_")
	return "v" + parts[0] + "." + minor
}

// redHat is the CPE of the product; where it is not known, that of the release's base.
func redHat(r *bulwark.Release) string {
	if _, product, ok := strings.Cut(r.CPE, ":redhat:"); ok {
		return product
	}
	return "enterprise_linux:" + major(r) + "::baseos"
}

// named gives SUSE's product names: "15.5" is "15 SP5" but for Leap.
func named(product string) func(*bulwark.Release) string {
	return func(r *bulwark.Release) string {
		m, sp, ok := strings.Cut(r.VersionID, ".")
		switch {
		case product == "Leap":
			return product + " " + r.VersionID
		case !ok || sp == "0":
			return product + " " + m
		case len(m) == 2 && m >= "16":
			return product + " " + r.VersionID // no service packs since 16
		}
		return product + " " + m + " SP" + sp
	}
}

// openEuler keeps the service pack in the name alone: "openEuler 24.03 (LTS-SP1)".
func openEuler(r *bulwark.Release) string {
	v, pack, ok := strings.Cut(r.VersionID, "-")
	if ok {
		return v + "-" + strings.ToUpper(pack)
	}
	if _, pack, ok = strings.Cut(r.Name, "("); ok {
		return v + "-" + strings.TrimSuffix(pack, ")")
	}
	return v
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
	r := &bulwark.Release{ID: known(strings.ToLower(p.Namespace))}
	distro := strings.ToLower(p.Qualifiers["distro"])
	if v, ok := codenames[distro]; ok {
		r.ID, r.VersionID, r.Codename = v[0], v[1], distro
		return r
	}
	if v, ok := strings.CutPrefix(distro, r.ID+"-"); ok && distributions[distro].name == "" {
		r.VersionID = v
	} else if id, v, ok := splitDistro(distro); ok {
		r.ID, r.VersionID = id, v
	} else if distributions[known(distro)].name != "" {
		r.ID = known(distro)
	} else if distro != "" && distro[0] >= '0' && distro[0] <= '9' {
		r.VersionID = distro
	}
	if v, ok := codenames[r.VersionID]; ok && v[0] == r.ID {
		r.VersionID, r.Codename = v[1], r.VersionID
	}
	return r
}

// splitDistro divides "opensuse-leap-15.5" at the first "-" that a digit follows, else
// at the last one whose front is a distribution.
func splitDistro(distro string) (id, version string, ok bool) {
	for i := 1; i < len(distro)-1; i++ {
		if distro[i] == '-' && distro[i+1] >= '0' && distro[i+1] <= '9' {
			return known(distro[:i]), distro[i+1:], true
		}
	}
	if i := strings.LastIndexByte(distro, '-'); i > 0 && distributions[known(distro[:i])].name != "" && distributions[distro].name == "" {
		return known(distro[:i]), distro[i+1:], true
	}
	return "", "", false
}

func known(id string) string { return cmp.Or(aliases[id], id) }

// aliases are other names of distributions in package URLs.
var aliases = map[string]string{
	"redhat": "rhel", "alma": "almalinux", "rockylinux": "rocky", "suse": "sles",
	"opensuse": "opensuse-leap", "opensuse.leap": "opensuse-leap", "opensuse.tumbleweed": "opensuse-tumbleweed",
	"suse linux enterprise server": "sles", "suse.linux.enterprise.server": "sles",
	"oracle": "ol", "amazon": "amzn", "cbl-mariner": "mariner", "azure": "azurelinux",
}

// codenames that distro qualifiers use for a release; facts of the distributions.
var codenames = map[string][2]string{
	"jessie": {"debian", "8"}, "stretch": {"debian", "9"},
	"buster": {"debian", "10"}, "bullseye": {"debian", "11"}, "bookworm": {"debian", "12"},
	"trixie": {"debian", "13"}, "forky": {"debian", "14"}, "sid": {"debian", "sid"},
	"trusty": {"ubuntu", "14.04"}, "xenial": {"ubuntu", "16.04"}, "bionic": {"ubuntu", "18.04"},
	"focal": {"ubuntu", "20.04"}, "jammy": {"ubuntu", "22.04"}, "noble": {"ubuntu", "24.04"},
}
