package vuln

import "strings"

// homes are where databases show their records, by what the ids begin with; cut says
// how much of the id the address leaves out.
var homes = []struct{ prefix, cut, before, after string }{
	{"DEBIAN-CVE-", "DEBIAN-", "https://security-tracker.debian.org/tracker/", ""},
	{"DSA-", "", "https://security-tracker.debian.org/tracker/", ""},
	{"DLA-", "", "https://security-tracker.debian.org/tracker/", ""},
	{"UBUNTU-CVE-", "UBUNTU-", "https://ubuntu.com/security/", ""},
	{"USN-", "", "https://ubuntu.com/security/notices/", ""},
	{"ALPINE-CVE-", "ALPINE-", "https://security.alpinelinux.org/vuln/", ""},
	{"RHSA-", "", "https://access.redhat.com/errata/", ""},
	{"GHSA-", "", "https://github.com/advisories/", ""},
	{"GO-", "", "https://pkg.go.dev/vuln/", ""},
	{"RUSTSEC-", "", "https://rustsec.org/advisories/", ".html"},
	{"", "", "https://osv.dev/vulnerability/", ""},
}

// references are where to read on: the record's home, and the CVE's. What the record
// itself refers to is left to whoever explains one: it would cost more than matching.
func (a *answerer) references(p *problem) []string {
	out := a.list(2)
	for _, h := range homes {
		if strings.HasPrefix(p.id, h.prefix) {
			out = append(out, a.copy(h.before, strings.TrimPrefix(p.id, h.cut), h.after))
			break
		}
	}
	if len(p.cves) > 0 {
		out = append(out, a.copy("https://nvd.nist.gov/vuln/detail/", p.cves[0]))
	}
	return out
}
