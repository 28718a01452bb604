package osrelease

import (
	"cmp"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

// osRelease reads https://www.freedesktop.org/software/systemd/man/latest/os-release.html.
func osRelease(text string) *bulwark.Release {
	v := variables(text)
	codename := cmp.Or(v["VERSION_CODENAME"], v["UBUNTU_CODENAME"])
	if _, rest, ok := strings.Cut(v["VERSION"], "("); ok && codename == "" && v["ID"] == "debian" {
		codename = strings.TrimSuffix(rest, ")") // until Debian 8
	}
	return &bulwark.Release{ID: token(v["ID"]), IDLike: v["ID_LIKE"], VersionID: token(v["VERSION_ID"]),
		Codename: token(codename), Name: cmp.Or(v["PRETTY_NAME"], v["NAME"]), CPE: token(v["CPE_NAME"])}
}

func token(s string) string {
	if !distro.Token(s) {
		return ""
	}
	return s
}

// debianVersion reads "12.5"; testing's "trixie/sid" tells nothing that os-release does
// not. It does not say that this is Debian: its derivatives have the file too.
func debianVersion(text string) *bulwark.Release {
	return &bulwark.Release{Point: numeric(strings.TrimSpace(text))}
}

// alpineRelease reads "3.19.1". Derivatives have the file too, with Alpine's version.
func alpineRelease(text string) *bulwark.Release {
	v := numeric(strings.TrimSpace(text))
	if v == "" {
		return nil
	}
	return &bulwark.Release{ID: "alpine", VersionID: v}
}

func numeric(s string) string {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return ""
	}
	return token(s)
}

// names says how the releases of Red Hat's relatives call themselves.
var names = []struct{ prefix, id string }{
	{"AlmaLinux", "almalinux"},
	{"Amazon Linux", "amzn"},
	{"CentOS", "centos"},
	{"Fedora", "fedora"},
	{"Oracle Linux", "ol"},
	{"Red Hat Enterprise Linux", "rhel"},
	{"Rocky Linux", "rocky"},
}

// redHatRelease reads "AlmaLinux release 9.4 (Seafoam Ocelot)".
func redHatRelease(text string) *bulwark.Release {
	line, _, _ := strings.Cut(text, "\n")
	line = distro.Text(line)
	for _, n := range names {
		if !strings.HasPrefix(line, n.prefix) {
			continue
		}
		r := &bulwark.Release{ID: n.id, Name: line}
		_, rest, _ := strings.Cut(line, " release ")
		version, _, _ := strings.Cut(rest, " ")
		r.VersionID = numeric(version)
		if n.id == "centos" { // its os-release has the major version alone
			r.Point = r.VersionID
			r.VersionID, _, _ = strings.Cut(r.VersionID, ".")
		}
		return r
	}
	return nil
}

// lsbRelease reads Ubuntu's older file. Its derivatives give their own names there.
func lsbRelease(text string) *bulwark.Release {
	v := variables(text)
	id := token(strings.ToLower(v["DISTRIB_ID"]))
	if id == "" {
		return nil
	}
	return &bulwark.Release{ID: id, VersionID: numeric(v["DISTRIB_RELEASE"]), Codename: token(v["DISTRIB_CODENAME"]), Name: v["DISTRIB_DESCRIPTION"]}
}
