package rule

import (
	"strings"
	"testing"
	"time"

	"bulwark"
)

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"CVE-2024-*", "CVE-2024-1234", true},
		{"CVE-2024-*", "CVE-2023-1234", false},
		{"image:*", "image:sha256:ab/cd", true},
		{"*nginx:*", "docker.io/library/nginx:1.27", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"", "", true},
		{"", "a", false},
		{"**", "", true},
	} {
		if got := Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("Glob(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
	if Glob(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 4000)) {
		t.Error("a pattern that ends in b matches a text without one")
	}
}

func finding(purl string, ids ...string) *bulwark.Finding {
	return &bulwark.Finding{
		Kind: bulwark.KindVulnerability, Rule: "vuln/" + ids[0], Key: "k", Subject: purl,
		Places:        []bulwark.Place{{Path: "/usr/share/a"}, {Path: "/usr/share/b/c"}},
		Vulnerability: &bulwark.Vulnerability{ID: ids[0], CVEs: ids[1:], Source: "openssl", Installed: "3.0.11-1"},
	}
}

func TestCovers(t *testing.T) {
	image := &bulwark.Asset{ID: "image:sha256:cafe", Kind: "image", Name: "docker.io/library/nginx:1.27",
		Labels: map[string]string{"digest": "sha256:beef"}}
	f := finding("pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12", "DEBIAN-CVE-2024-1", "CVE-2024-1")
	oci := func(s string, parts ...string) Rule {
		return Rule{Products: []Product{{PURLs: []string{s}, Parts: parts}}}
	}
	for _, tt := range []struct {
		name string
		rule Rule
		want bool
	}{
		{"id", Rule{IDs: []string{"cve-2024-1"}}, true},
		{"other id", Rule{IDs: []string{"CVE-2024-2"}}, false},
		{"asset id", Rule{Asset: "image:*"}, true},
		{"asset name", Rule{Asset: "image:*nginx:*"}, true},
		{"other asset", Rule{Asset: "dir:*"}, false},
		{"every place", Rule{Paths: []string{"/usr/share/**"}}, true},
		{"one place only", Rule{Paths: []string{"/usr/share/a"}}, false},
		{"purl without version", Rule{PURL: "pkg:deb/debian/libssl3"}, true},
		{"purl of another version", Rule{PURL: "pkg:deb/debian/libssl3@3.0.12-1"}, false},
		{"purl of another release", Rule{PURL: "pkg:deb/debian/libssl3?distro=debian-13"}, false},
		{"source package", Rule{PURL: "pkg:deb/debian/openssl?arch=source"}, true},
		{"source package, same version", Rule{PURL: "pkg:deb/debian/openssl@3.0.11-1?arch=source"}, true},
		{"source package, other version", Rule{PURL: "pkg:deb/debian/openssl@3.0.12-1?arch=source"}, false},
		{"not the source", Rule{PURL: "pkg:deb/debian/openssl?arch=amd64"}, false},
		{"rule", Rule{Names: []string{"vuln/*"}}, true},
		{"rule without family", Rule{Names: []string{"DEBIAN-CVE-2024-1"}}, true},
		{"image by digest", oci("pkg:oci/nginx@sha256:beef?repository_url=docker.io/library/nginx"), true},
		{"image by config digest", oci("pkg:oci/nginx@sha256%3Acafe"), true},
		{"image of another digest", oci("pkg:oci/nginx@sha256:dead?repository_url=docker.io/library/nginx"), false},
		{"image by repository", oci("pkg:oci/nginx?repository_url=docker.io%2Flibrary%2Fnginx"), true},
		{"image by short name", oci("pkg:docker/nginx"), true},
		{"image by other tag", oci("pkg:docker/nginx@1.26"), false},
		{"part of the image", oci("pkg:docker/nginx", "pkg:deb/debian/libssl3"), true},
		{"other part of the image", oci("pkg:docker/nginx", "pkg:deb/debian/curl"), false},
		{"product by name", Rule{Products: []Product{{Name: "nginx", Version: "1.27"}}}, true},
		{"product by name, other version", Rule{Products: []Product{{Name: "nginx", Version: "1.2"}}}, false},
		{"digest", Rule{Products: []Product{{Digests: []string{"sha256:beef"}}}}, true},
		{"listed version", Rule{Products: []Product{{PURLs: []string{"pkg:deb/debian/libssl3"}, Versions: []string{"3.0.11-1"}}}}, true},
		{"unlisted version", Rule{Products: []Product{{PURLs: []string{"pkg:deb/debian/libssl3"}, Versions: []string{"3"}}}}, false},
	} {
		if got := tt.rule.Covers(image, f); got != tt.want {
			t.Errorf("%s: Covers = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEpochsAreTheSame(t *testing.T) {
	f := finding("pkg:rpm/almalinux/dbus@1.12.20-8.el9?arch=x86_64&distro=almalinux-9&epoch=1", "ALSA-1")
	for want, covers := range map[string]bool{
		"pkg:rpm/almalinux/dbus@1:1.12.20-8.el9":         true,
		"pkg:rpm/almalinux/dbus@1.12.20-8.el9?epoch=1":   true,
		"pkg:rpm/almalinux/dbus@2:1.12.20-8.el9":         false,
		"pkg:rpm/almalinux/dbus?arch=x86_64":             true,
		"pkg:rpm/almalinux/dbus?arch=aarch64":            false,
		"pkg:rpm/almalinux/dbus?modularitylabel=a:1:2:3": true,
	} {
		if got := (&Rule{PURL: want}).Covers(nil, f); got != covers {
			t.Errorf("%s covers %s: %v, want %v", want, f.Subject, got, covers)
		}
	}
}

func TestLaterStatementWins(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	var s Set
	s.Add(
		Rule{IDs: []string{"CVE-2024-1"}, Exempt: true, Stated: day(1), Exception: bulwark.Exception{Reason: "first"}},
		Rule{IDs: []string{"CVE-2024-1"}, Exempt: false, Stated: day(2)},
		Rule{IDs: []string{"CVE-2024-2"}, Exempt: false, Stated: day(1)},
		Rule{IDs: []string{"CVE-2024-*"}, Exempt: true, Stated: day(2), Exception: bulwark.Exception{Reason: "last"}},
		Rule{IDs: []string{"CVE-2024-1"}, PURL: "pkg:npm/other", Exempt: true, Stated: day(3)},
	)
	one, two := finding("pkg:npm/a@1", "CVE-2024-1"), finding("pkg:npm/a@1", "CVE-2024-2")
	s.Apply(nil, one)
	s.Apply(nil, two)
	if one.Exception != nil {
		t.Errorf("CVE-2024-1 is excepted by %+v although a statement as late calls it real", one.Exception)
	}
	if two.Exception == nil || two.Exception.Reason != "last" {
		t.Errorf("CVE-2024-2: exception %+v, want the last statement's", two.Exception)
	}
}
