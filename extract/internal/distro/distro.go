// Package distro holds what the package managers of distributions share: reading
// lines of foreign text within a budget, judging names, and settling package URLs
// and ecosystems once the release is known.
package distro

import (
	"cmp"
	"strings"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

// namespaces says where the namespace of package URLs is not os-release's ID.
var namespaces = map[string]string{
	"rhel": "redhat", "opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse",
	"sles": "suse", "sled": "suse", "sle-micro": "suse", "sl-micro": "suse", "sles_sap": "suse",
}

// Resolve fills in package URL and ecosystem of the inventory's packages of one format,
// where they have no package URL yet. An extractor may leave qualifiers in PURL
// ("?rpmmod=nodejs:18"), which are kept. Without a known release the package URL has
// neither namespace nor distro, and there is no ecosystem.
func Resolve(inv *bulwark.Inventory, format string) {
	r := cmp.Or(inv.Release, &bulwark.Release{})
	eco := ecosystem.OfRelease(inv.Release)
	distro := Qualifier(r)
	namespace := strings.ToLower(r.ID)
	namespace = cmp.Or(namespaces[namespace], namespace)
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if p.Format != format || p.PURL != "" && p.PURL[0] != '?' {
			continue
		}
		u := purl.PURL{Type: format, Namespace: namespace, Name: p.Name, Version: p.Version, Qualifiers: map[string]string{}}
		if k, v, ok := strings.Cut(strings.TrimPrefix(p.PURL, "?"), "="); ok {
			u.Qualifiers[k] = v
		}
		qualify(&u, p, distro)
		p.PURL = u.String()
		p.Ecosystem = ecosystem.OfPackage(eco, p.Version)
	}
}

func qualify(u *purl.PURL, p *bulwark.Package, distro string) {
	set := func(k, v string) {
		if v != "" {
			u.Qualifiers[k] = v
		}
	}
	set("arch", p.Arch)
	set("distro", distro)
	if p.Format == "rpm" {
		if epoch, version, ok := strings.Cut(p.Version, ":"); ok {
			set("epoch", epoch)
			u.Version = version
		}
	}
	set("upstream", upstream(p))
}

// upstream is the source package as scanners name it in the qualifier of that name:
// nothing when it is the package's own name and version, "name@version" when the
// version differs; for rpm, the file name of the source package.
func upstream(p *bulwark.Package) string {
	if p.Source == nil || p.Source.Name == "" {
		return ""
	}
	own := p.Source.Version == "" || p.Source.Version == p.Version
	switch {
	case p.Format == "rpm" && p.Source.Name != p.Name:
		version := p.Source.Version[strings.IndexByte(p.Source.Version, ':')+1:]
		return p.Source.Name + "-" + version + ".src.rpm"
	case p.Format == "rpm", own && p.Source.Name == p.Name:
		return ""
	case own:
		return p.Source.Name
	}
	return p.Source.Name + "@" + p.Source.Version
}

// Qualifier is the distro qualifier of package URLs: "debian-12", "almalinux-9.4"; ""
// when the release is not known.
func Qualifier(r *bulwark.Release) string {
	if r == nil || r.ID == "" {
		return ""
	}
	id := strings.ToLower(r.ID)
	v := ecosystem.VersionOfRelease(r)
	if v == "" {
		return id
	}
	return id + "-" + v
}

// Token tells whether s can be a package's name or version: printable, without
// spaces, and not absurdly long.
func Token(s string) bool {
	if s == "" || len(s) > 512 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Text makes foreign text fit to be shown: no control characters, valid UTF-8, at
// most 512 bytes.
func Text(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 512)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return -1
		}
		return r
	}, s))
}
