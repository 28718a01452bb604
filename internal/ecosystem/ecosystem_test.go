package ecosystem

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/internal/purl"
)

func TestOfRelease(t *testing.T) {
	tests := map[string]struct {
		release bulwark.Release
		want    string
	}{
		"debian":            {bulwark.Release{ID: "debian", VersionID: "12"}, "Debian:12"},
		"debian testing":    {bulwark.Release{ID: "debian", Codename: "forky"}, "Debian:14"},
		"debian unknown":    {bulwark.Release{ID: "debian"}, ""},
		"ubuntu LTS":        {bulwark.Release{ID: "ubuntu", VersionID: "22.04"}, "Ubuntu:22.04:LTS"},
		"ubuntu old LTS":    {bulwark.Release{ID: "ubuntu", VersionID: "14.04"}, "Ubuntu:14.04:LTS"},
		"ubuntu point":      {bulwark.Release{ID: "ubuntu", VersionID: "24.04.2"}, "Ubuntu:24.04:LTS"},
		"ubuntu odd year":   {bulwark.Release{ID: "ubuntu", VersionID: "25.04"}, "Ubuntu:25.04"},
		"ubuntu October":    {bulwark.Release{ID: "ubuntu", VersionID: "24.10"}, "Ubuntu:24.10"},
		"alpine":            {bulwark.Release{ID: "alpine", VersionID: "3.19.1"}, "Alpine:v3.19"},
		"alpine edge":       {bulwark.Release{ID: "alpine", VersionID: "3.21_alpha20240807"}, "Alpine:v3.21"},
		"alpaquita":         {bulwark.Release{ID: "alpaquita", VersionID: "stream"}, "Alpaquita:stream"},
		"almalinux":         {bulwark.Release{ID: "almalinux", VersionID: "9.4"}, "AlmaLinux:9"},
		"rocky":             {bulwark.Release{ID: "rocky", VersionID: "8.9"}, "Rocky Linux:8"},
		"rhel by CPE":       {bulwark.Release{ID: "rhel", VersionID: "9.4", CPE: "cpe:/o:redhat:enterprise_linux:9::baseos"}, "Red Hat:enterprise_linux:9::baseos"},
		"rhel without CPE":  {bulwark.Release{ID: "rhel", VersionID: "9.4"}, "Red Hat:enterprise_linux:9::baseos"},
		"leap":              {bulwark.Release{ID: "opensuse-leap", VersionID: "15.6"}, "openSUSE:Leap 15.6"},
		"tumbleweed":        {bulwark.Release{ID: "opensuse-tumbleweed", VersionID: "20240101"}, "openSUSE:Tumbleweed"},
		"sles":              {bulwark.Release{ID: "sles", VersionID: "15.5"}, "SUSE:Linux Enterprise Server 15 SP5"},
		"sles 16":           {bulwark.Release{ID: "sles", VersionID: "16.0"}, "SUSE:Linux Enterprise Server 16"},
		"openEuler":         {bulwark.Release{ID: "openEuler", VersionID: "24.03", Name: "openEuler 24.03 (LTS-SP1)"}, "openEuler:24.03-LTS-SP1"},
		"azure linux":       {bulwark.Release{ID: "azurelinux", VersionID: "3.0"}, "Azure Linux:3"},
		"photon":            {bulwark.Release{ID: "photon", VersionID: "4.0"}, "Photon OS:4.0"},
		"wolfi":             {bulwark.Release{ID: "wolfi", VersionID: "20230201"}, "Wolfi"},
		"cleanstart":        {bulwark.Release{ID: "clnstrt", VersionID: "1.0"}, "CleanStart"},
		"without ecosystem": {bulwark.Release{ID: "fedora", VersionID: "40"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := OfRelease(&tt.release); got != tt.want {
				t.Errorf("OfRelease(%+v) = %q, want %q", tt.release, got, tt.want)
			}
			if tt.want != "" && !IsDistribution(tt.want) {
				t.Errorf("IsDistribution(%q) = false", tt.want)
			}
		})
	}
	if got := OfRelease(nil); got != "" {
		t.Errorf("OfRelease(nil) = %q, want none", got)
	}
}

func TestOfPURL(t *testing.T) {
	for p, want := range map[string]string{
		"pkg:npm/left-pad@1.3.0":                                                "npm",
		"pkg:deb/debian/openssl@3.0.9-1?arch=amd64&distro=debian-12":            "Debian:12",
		"pkg:deb/debian/openssl@3.0.9-1?distro=bookworm":                        "Debian:12",
		"pkg:deb/debian/openssl@3.0.9-1?distro=debian-bookworm":                 "Debian:12",
		"pkg:deb/debian/openssl@3.0.9-1":                                        "",
		"pkg:deb/ubuntu/openssl@3.0.2?distro=ubuntu-22.04":                      "Ubuntu:22.04:LTS",
		"pkg:deb/ubuntu/openssl@1.1.1-1ubuntu2.1~18.04.23%2Besm4?distro=bionic": "Ubuntu:Pro:18.04:LTS",
		"pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1":                     "Alpine:v3.19",
		"pkg:apk/alpine/musl@1.2.4-r2?distro=3.19.1":                            "Alpine:v3.19",
		"pkg:apk/wolfi/glibc@2.40-r1?distro=wolfi-20230201":                     "Wolfi",
		"pkg:apk/wolfi/glibc@2.40-r1":                                           "Wolfi",
		"pkg:apk/alpaquita/musl@1.2.4-r2?distro=alpaquita-stream":               "Alpaquita:stream",
		"pkg:rpm/almalinux/bash@5.1.8-9.el9?distro=almalinux-9.4":               "AlmaLinux:9",
		"pkg:rpm/redhat/bash@5.1.8-9.el9?distro=rhel-9.4":                       "Red Hat:enterprise_linux:9::baseos",
		"pkg:rpm/redhat/bash@5.1.8-9.el9?distro=redhat-9.4":                     "Red Hat:enterprise_linux:9::baseos",
		"pkg:rpm/opensuse/bash@5.1?distro=opensuse-leap-15.5":                   "openSUSE:Leap 15.5",
		"pkg:rpm/opensuse/bash@5.1?distro=opensuse-tumbleweed-20240101":         "openSUSE:Tumbleweed",
		"pkg:rpm/opensuse/bash@5.1?distro=opensuse-tumbleweed":                  "openSUSE:Tumbleweed",
		"pkg:rpm/suse/bash@5.1?distro=sles-15.5":                                "SUSE:Linux Enterprise Server 15 SP5",
		"pkg:rpm/openeuler/bash@5.1?distro=openeuler-24.03-LTS-SP1":             "openEuler:24.03-LTS-SP1",
		"pkg:rpm/cbl-mariner/bash@5.1?distro=cbl-mariner-2.0":                   "Azure Linux:2",
		"pkg:rpm/bash@5.1?arch=x86_64":                                          "",
	} {
		parsed, err := purl.Parse(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := OfPURL(parsed); got != want {
			t.Errorf("OfPURL(%s) = %q, want %q", p, got, want)
		}
	}
}

func TestAlso(t *testing.T) {
	for eco, want := range map[string][]string{
		"Debian:12":                          nil,
		"npm":                                nil,
		"Ubuntu:18.04:LTS":                   {"Ubuntu:Pro:18.04:LTS"},
		"Ubuntu:Pro:18.04:LTS":               nil,
		"Red Hat:enterprise_linux:9::baseos": {"Red Hat:enterprise_linux:9", "Red Hat:enterprise_linux:9::appstream", "Red Hat:enterprise_linux:9::crb", "Red Hat:enterprise_linux:9::highavailability"},
	} {
		if diff := cmp.Diff(want, Also(eco)); diff != "" {
			t.Errorf("Also(%q) (-want +got):\n%s", eco, diff)
		}
	}
}
