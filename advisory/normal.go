package advisory

import (
	"strings"

	"bulwark/advisory/internal/version"
)

// released are the ecosystems that need a release: "Debian:12". A record that names
// one without, speaks of another distribution or of no release in particular, and
// matches nothing.
var released = map[string]bool{
	"Debian": true, "Ubuntu": true, "Alpine": true, "AlmaLinux": true, "Rocky Linux": true,
	"Red Hat": true, "SUSE": true, "openSUSE": true, "Mageia": true, "Alpaquita": true,
	"BellSoft Hardened Containers": true, "openEuler": true, "Azure Linux": true, "Photon OS": true,
}

// base is an ecosystem without its release.
func base(ecosystem string) string {
	b, _, _ := strings.Cut(ecosystem, ":")
	return b
}

// normalName brings the names that an ecosystem takes for the same to one form.
func normalName(ecosystem, name string) string {
	switch base(ecosystem) {
	case "PyPI":
		return pep503(name)
	// Go tells names apart by case, but package URLs are lower case by their specification,
	// and where modules are hosted one name is one in any case.
	case "Go", "NuGet", "Packagist", "GitHub Actions", "Bitnami", "VSCode":
		return strings.ToLower(name)
	case "SwiftURL":
		name = strings.TrimPrefix(strings.ToLower(name), "https://")
		return strings.TrimSuffix(name, ".git")
	}
	return name
}

// pep503: lower case, and runs of "-", "_" and "." as one "-".
func pep503(name string) string {
	plain := true
	for i := range len(name) {
		if c := name[i]; c >= 'A' && c <= 'Z' || c == '_' || c == '.' || c == '-' && i > 0 && name[i-1] == '-' {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		c := name[i]
		switch {
		case c != '-' && c != '_' && c != '.':
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
		case len(b) == 0 || b[len(b)-1] != '-':
			b = append(b, '-')
		}
	}
	return string(b)
}

// normalVersion takes off what a package manager adds to the version that advisories
// speak of.
func normalVersion(ecosystem, name, v string) string {
	switch base(ecosystem) {
	case "Go":
		if name == "stdlib" || name == "toolchain" {
			return goVersion(v)
		}
		return strings.TrimPrefix(v, "v")
	case "Debian", "Ubuntu":
		return sourceVersion(v)
	case "Bitnami": // the revision of the packaging: 1.2.3-4
		if i := strings.LastIndexByte(v, '-'); i > 0 && number(v[i+1:]) {
			return v[:i]
		}
	}
	return v
}

// sourceVersion takes a binNMU suffix off: 1.0-1+b2.
func sourceVersion(v string) string {
	i := strings.LastIndex(v, "+b")
	if i > 0 && number(v[i+2:]) && strings.IndexByte(v[:i], '-') > 0 {
		return v[:i]
	}
	return v
}

func number(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// goVersion turns "go1.21rc3 X:boringcrypto" into 1.21.0-rc.3.
func goVersion(v string) string {
	v, _, _ = strings.Cut(v, " ")
	v = strings.TrimPrefix(v, "v")
	rest, ok := strings.CutPrefix(v, "go")
	if !ok {
		rest = v
	}
	i := 0
	for i < len(rest) && (rest[i] >= '0' && rest[i] <= '9' || rest[i] == '.') {
		i++
	}
	core, tail := rest[:i], rest[i:]
	for _, kind := range []string{"rc", "beta"} {
		if n, found := strings.CutPrefix(tail, kind); found && number(n) {
			return core + strings.Repeat(".0", max(0, 2-strings.Count(core, "."))) + "-" + kind + "." + n
		}
	}
	if ok { // a builder's own suffix: go1.21.5-fips
		return core
	}
	return v
}

// ecosystemsOf lists the database's ecosystems that a query for eco means. Most mean
// themselves; some distributions divide a release in ways that no installed system tells.
func (db *DB) ecosystemsOf(dst []*ecosystem, eco string) []*ecosystem {
	if e := db.ecosystem(eco); e != nil {
		return append(dst, e)
	}
	switch base(eco) {
	case "Ubuntu":
		if e := db.ecosystem(eco + ":LTS"); e != nil {
			dst = append(dst, e)
		}
	case "Red Hat": // Red Hat:enterprise_linux:9::baseos
		major, _, _ := strings.Cut(strings.TrimPrefix(eco, "Red Hat:"), ".")
		dst = db.within(dst, "Red Hat:enterprise_linux:"+major+"::", "")
	}
	return dst
}

// modulesOf adds the modules that a SUSE server takes its packages from.
func (db *DB) modulesOf(dst []*ecosystem, eco string) []*ecosystem {
	if rel, ok := strings.CutPrefix(eco, "SUSE:Linux Enterprise Server "); ok {
		return db.within(dst, "SUSE:Linux Enterprise Module for ", " "+rel)
	}
	return dst
}

func (db *DB) within(dst []*ecosystem, prefix, suffix string) []*ecosystem {
	for i := range db.ecosystems {
		if n := db.ecosystems[i].name; strings.HasPrefix(n, prefix) && strings.HasSuffix(n, suffix) {
			dst = append(dst, &db.ecosystems[i])
		}
	}
	return dst
}

// orderOf is the order that a range is told in.
func orderOf(ecosystem string, semver bool) *version.Order {
	if semver {
		return version.Semver
	}
	return version.Of(ecosystem)
}
