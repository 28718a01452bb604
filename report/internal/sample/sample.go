// Package sample is a run made by hand that has every shape that a format must cope
// with: layers, base image, exceptions, known exploitation, unknown severity, owned
// and declared packages, end of life, advice, notes, a kernel's records, and names that
// mean harm to a terminal, a web page or a table.
package sample

import (
	"fmt"
	"time"

	"bulwark"
)

// Layers of the sample, lowest first.
const (
	Base = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	App  = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// Evil is a name that attacks whoever shows it.
const Evil = "evil\x1b[31m\u202egnp\x00<script>alert(1)</script>|`x`"

// Now is the clock of the sample run.
var Now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const image = bulwark.AssetID("image:sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

// Report gives the sample, made anew for each caller.
func Report() *bulwark.Report {
	r := &bulwark.Report{
		Schema: bulwark.Schema,
		Run: bulwark.Run{Version: "0.1.0", Started: Now.Add(-3 * time.Second), Now: Now, Targets: []string{"shop:1.4"},
			Data: bulwark.Data{Advisories: &bulwark.Advisories{Built: Now.AddDate(0, 0, -10), Records: 74136, Sources: []bulwark.DataSource{
				{Name: "Debian", Records: 25838, Newest: Now.AddDate(0, 0, -11)}, {Name: "npm", Records: 674, Newest: Now.AddDate(0, 0, -30)}}}}},
		Assets:   assets(),
		Packages: packages(),
		Findings: findings(),
		Advice: []bulwark.Advice{
			{Asset: image, Text: "debian 12.0 -> 12.12 clears 5 of 9", Kind: "base-image", Package: "debian", From: "12.0", To: "12.12", Clears: 5, Of: 9, Risk: 230},
			{Asset: image, Text: "lodash 4.17.20 -> 4.17.21 clears 1 of 9", Kind: "upgrade", Package: "lodash", From: "4.17.20", To: "4.17.21", Clears: 1, Of: 9, Risk: 61},
		},
		Notes: []bulwark.Note{
			{Plugin: "check/outdated", Asset: image, Text: "package indexes were not asked; --online does"},
			{Plugin: "extract/jar", Asset: image, Path: "/srv/" + Evil + ".jar", Text: "reading the jar: malformed", Incomplete: true},
		},
	}
	summarise(r)
	return r
}

func assets() []bulwark.Asset {
	return []bulwark.Asset{
		{ID: image, Kind: "image", Name: "shop:1.4", Labels: map[string]string{"base": "debian:12", "manifest": "sha256:bbbb"},
			Release: &bulwark.Release{ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux 12 (bookworm)", Point: "12.0"}},
		{ID: bulwark.LayerID(Base), Kind: "layer", Name: Base, Parent: image, Labels: map[string]string{"index": "0", "part": "base", "createdBy": "ADD rootfs.tar.xz / # buildkit"}},
		{ID: bulwark.LayerID(App), Kind: "layer", Name: App, Parent: image, Labels: map[string]string{"index": "1", "part": "own", "createdBy": "RUN npm ci " + Evil}},
	}
}

func packages() []bulwark.Package {
	deb := func(name, version, source string) bulwark.Package {
		p := bulwark.Package{PURL: "pkg:deb/debian/" + name + "@" + version + "?arch=amd64&distro=debian-12", Name: name, Version: version,
			Ecosystem: "Debian:12", Path: "/var/lib/dpkg/status", Layer: Base, Asset: image, FromBase: true, Format: "deb", Arch: "amd64"}
		if source != "" {
			p.Source = &bulwark.SourcePackage{Name: source, Version: version}
		}
		return p
	}
	openssl := deb("openssl", "3.0.9-1", "")
	openssl.Licenses = []string{"Apache-2.0"}
	yaml := bulwark.Package{PURL: "pkg:pypi/pyyaml@6.0", Name: "PyYAML", Version: "6.0", Ecosystem: "PyPI", Path: "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO",
		Layer: Base, Asset: image, OwnedBy: "python3-yaml", FromBase: true, Licenses: []string{"MIT License"}, Format: "pypi"}
	return []bulwark.Package{
		deb("libssl3", "3.0.9-1", "openssl"), deb("linux-libc-dev", "6.1.27-1", "linux"), openssl,
		{PURL: "pkg:generic/node@16.20.0", Name: "node", Version: "16.20.0", Path: "/usr/local/bin/node", Layer: App, Asset: image, Format: "generic"},
		{PURL: "pkg:golang/stdlib@1.20.1", Name: "stdlib", Version: "1.20.1", Ecosystem: "Go", Path: "/usr/local/bin/tool", Layer: App, Asset: image, Format: "golang"},
		{PURL: "pkg:maven/org.apache.commons/commons-text@1.9", Name: "org.apache.commons:commons-text", Version: "1.9", Ecosystem: "Maven",
			Path: "/srv/app.war!WEB-INF/lib/commons-text-1.9.jar", Layer: App, Asset: image, Licenses: []string{"Apache-2.0 OR MIT", "Apache License, Version 2.0"}, Format: "maven"},
		{PURL: "pkg:npm/%40babel/core@7.0.0", Name: "@babel/core", Version: "7.0.0", Ecosystem: "npm", Path: "/srv/package-lock.json", Layer: App, Asset: image, Declared: true, Dev: true, Licenses: []string{"MIT"}, Format: "npm"},
		{PURL: "pkg:npm/evil@1.0.0", Name: Evil, Version: "1.0.0\x1b]0;title\a", Ecosystem: "npm", Path: "/srv/" + Evil, Layer: App, Asset: image, Format: "npm"},
		{PURL: "pkg:npm/lodash@4.17.20", Name: "lodash", Version: "4.17.20", Ecosystem: "npm", Path: "/srv/a/node_modules/lodash/package.json", Layer: App, Asset: image, Licenses: []string{"MIT"}, Format: "npm"},
		{PURL: "pkg:npm/lodash@4.17.20", Name: "lodash", Version: "4.17.20", Ecosystem: "npm", Path: "/srv/b/node_modules/lodash/package.json", Layer: App, Asset: image, Licenses: []string{"MIT"}, Format: "npm"},
		{PURL: "pkg:npm/%E6%97%A5%E6%9C%AC%E8%AA%9E@2.0.0", Name: "日本語", Version: "2.0.0", Ecosystem: "npm", Path: "/srv/node_modules/日本語/package.json", Layer: App, Asset: image, Format: "npm"},
		yaml,
	}
}

func findings() []bulwark.Finding {
	notInUse := false
	openssl := "pkg:deb/debian/openssl@3.0.9-1?arch=amd64&distro=debian-12"
	libssl := "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12"
	list := []bulwark.Finding{
		vuln("DEBIAN-CVE-2023-5363", "CVE-2023-5363", openssl, "openssl", "openssl", "3.0.9-1", "3.0.11-1~deb12u2", bulwark.SeverityHigh, 83),
		vuln("DEBIAN-CVE-2023-5363", "CVE-2023-5363", libssl, "libssl3", "openssl", "3.0.9-1", "3.0.11-1~deb12u2", bulwark.SeverityHigh, 83),
		vuln("DEBIAN-CVE-2024-0727", "CVE-2024-0727", openssl, "openssl", "openssl", "3.0.9-1", "3.0.13-1~deb12u1", bulwark.SeverityMedium, 33),
		vuln("DEBIAN-CVE-2025-0001", "CVE-2025-0001", openssl, "openssl", "openssl", "3.0.9-1", "", bulwark.SeverityUnknown, 17),
		vuln("GHSA-35jh-r3h4-6jhm", "CVE-2021-23337", "pkg:npm/lodash@4.17.20", "lodash", "", "4.17.20", "4.17.21", bulwark.SeverityHigh, 61),
		vuln("GHSA-599f-7c49-w659", "CVE-2022-42889", "pkg:maven/org.apache.commons/commons-text@1.9", "org.apache.commons:commons-text", "", "1.9", "1.10.0", bulwark.SeverityCritical, 98),
		vuln("GO-2023-1840", "CVE-2023-29403", "pkg:golang/stdlib@1.20.1", "stdlib", "", "1.20.1", "1.20.5", bulwark.SeverityHigh, 24),
		vuln("GHSA-evil-0000-0000", "", "pkg:npm/evil@1.0.0", Evil, "", "1.0.0\x1b]0;title\a", "", bulwark.SeverityLow, 11),
	}
	for i := range 3 {
		cve := fmt.Sprintf("CVE-2024-%d", 35801+i)
		list = append(list, vuln("DEBIAN-"+cve, cve, "pkg:deb/debian/linux-libc-dev@6.1.27-1?arch=amd64&distro=debian-12", "linux-libc-dev", "linux", "6.1.27-1", "6.1.94-1", bulwark.SeverityMedium, 22))
	}
	list[4].Places = []bulwark.Place{{Path: "/srv/a/node_modules/lodash/package.json", Layer: App}, {Path: "/srv/b/node_modules/lodash/package.json", Layer: App}}
	list[5].Vulnerability.KEV = true
	list[5].Vulnerability.CVSS = &bulwark.CVSS{Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8}
	list[5].Vulnerability.EPSS = &bulwark.EPSS{Score: 0.94, Percentile: 0.999}
	list[5].References = []string{"https://lists.apache.org/thread/n2bd4vdsgkqh2tm14l1wyc3jyol7s1om", "javascript:alert(1)"}
	list[6].InUse = &notInUse
	list[6].Evidence = []string{"vulnerable symbol html/template.Parse is not linked"}
	list[7].Title = Evil
	list[2].Exception = &bulwark.Exception{Reason: "not reachable: no PKCS12 is read", Owner: "team@example.com", Expires: "2027-01-31", Source: "exceptions.yaml"}
	list = append(list, bulwark.Finding{Key: bulwark.Key(bulwark.KindEOL, "eol/release", "debian 12", ""), Kind: bulwark.KindEOL, Rule: "eol/release", Severity: bulwark.SeverityMedium, Risk: 50,
		Title: "Debian 12 has had no security support since 2026-06-10", Asset: image, Subject: "debian 12", Fix: &bulwark.Fix{Text: "move to debian 13", Version: "13"}},
		bulwark.Finding{Key: bulwark.Key(bulwark.KindOutdated, "outdated/package", "pkg:npm/lodash", ""), Kind: bulwark.KindOutdated, Rule: "outdated/package", Severity: bulwark.SeverityLow, Risk: 10,
			Title: "lodash 4.17.20 is behind 4.17.21", Asset: image, Subject: "pkg:npm/lodash@4.17.20", Path: "/srv/a/node_modules/lodash/package.json", Layer: App, Fix: &bulwark.Fix{Text: "upgrade to 4.17.21", Version: "4.17.21"}},
		bulwark.Finding{Key: bulwark.Key(bulwark.KindSecret, "secret/aws-access-key", "", "srv/.env"), Kind: bulwark.KindSecret, Rule: "secret/aws-access-key", Severity: bulwark.SeverityCritical, Risk: 90,
			Title: "AWS access key", Asset: image, Subject: "/srv/.env", Path: "/srv/.env", Line: 3, Layer: App, Evidence: []string{"AKIA**************7Q"}})
	return list
}

func vuln(id, cve, subject, pkg, source, installed, fixed string, sev bulwark.Severity, risk int) bulwark.Finding {
	v := &bulwark.Vulnerability{ID: id, Package: pkg, Source: source, Installed: installed}
	if cve != "" {
		v.Aliases, v.CVEs = []string{cve}, []string{cve}
	}
	f := bulwark.Finding{Kind: bulwark.KindVulnerability, Rule: "vuln/" + id, Severity: sev, Risk: risk, Title: id + " in " + pkg, Asset: image, Subject: subject, Vulnerability: v,
		Path: "/srv/lib", Layer: App, Key: bulwark.Key(bulwark.KindVulnerability, id, subject, "")}
	if source != "" {
		f.Path, f.Layer, f.FromBase = "/var/lib/dpkg/status", Base, true
	}
	if fixed != "" {
		v.Fixed = []string{fixed}
		f.Fix = &bulwark.Fix{Text: "upgrade " + pkg + " to " + fixed, Version: fixed}
	}
	return f
}

func summarise(r *bulwark.Report) {
	r.Summary = bulwark.Summary{Counts: map[bulwark.Severity]int{}, Packages: len(r.Packages), Unrated: 0.1}
	for _, s := range bulwark.Severities() {
		r.Summary.Counts[s] = 0
	}
	for i := range r.Findings {
		if r.Findings[i].Exception != nil {
			r.Summary.Excepted++
			continue
		}
		r.Summary.Counts[r.Findings[i].Severity]++
	}
}
