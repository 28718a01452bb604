package distro

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 3*maxLine)
	text := "one\r\n\n" + long + "\nlast"
	lines := NewLines(strings.NewReader(text), int64(len(text)), 1<<20, "text")
	var got []string
	for lines.Next() {
		got = append(got, string(lines.Line))
		if lines.Cut != (len(lines.Line) == maxLine) {
			t.Errorf("line of %d bytes is cut: %v", len(lines.Line), lines.Cut)
		}
	}
	if diff := cmp.Diff([]string{"one", "", long[:maxLine], "last"}, got); diff != "" || lines.Err != nil {
		t.Errorf("%v (-want +got):\n%s", lines.Err, diff)
	}
}

func TestLinesLimit(t *testing.T) {
	lines := NewLines(strings.NewReader(strings.Repeat("line\n", 100)), 500, 101, "text")
	n := 0
	for lines.Next() {
		n++
	}
	if n > 21 || !errors.Is(lines.Err, bulwark.ErrLimit) {
		t.Errorf("%d lines and error %v, want ErrLimit after 100 bytes", n, lines.Err)
	}
}

func TestClean(t *testing.T) {
	for p, want := range map[string]string{
		"/.": "", "/": "", "": "", ".": "", "./usr/bin/x": "usr/bin/x", "/usr//bin/": "usr/bin", "usr/../../etc/x": "etc/x",
		"/.hidden": ".hidden", ".config/x": ".config/x", "/a..b/c": "a..b/c", "a\x00b": "",
	} {
		if got := Clean(p); got != want {
			t.Errorf("Clean(%q) = %q, want %q", p, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	got := Files([]string{"usr", "usr/share", "usr/share/a", "usr/share/a/x", "usr/share/a-b", "usr/shared"})
	if diff := cmp.Diff([]string{"usr/share/a/x", "usr/share/a-b", "usr/shared"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResolve(t *testing.T) {
	src := func(name, version string) *bulwark.SourcePackage {
		return &bulwark.SourcePackage{Name: name, Version: version}
	}
	tests := map[string]struct {
		release *bulwark.Release
		pkg     bulwark.Package
		purl    string
		eco     string
	}{
		"ubuntu": {&bulwark.Release{ID: "ubuntu", VersionID: "22.04"}, bulwark.Package{Name: "libssl3", Version: "3.0.2-0ubuntu1.15", Arch: "amd64", Format: "deb", Source: src("openssl", "3.0.2-0ubuntu1.15")},
			"pkg:deb/ubuntu/libssl3@3.0.2-0ubuntu1.15?arch=amd64&distro=ubuntu-22.04&upstream=openssl", "Ubuntu:22.04:LTS"},
		"ubuntu pro": {&bulwark.Release{ID: "ubuntu", VersionID: "18.04"}, bulwark.Package{Name: "bash", Version: "4.4.18-2ubuntu1.3+esm1", Format: "deb"},
			"pkg:deb/ubuntu/bash@4.4.18-2ubuntu1.3%2Besm1?distro=ubuntu-18.04", "Ubuntu:Pro:18.04:LTS"},
		"rhel": {&bulwark.Release{ID: "rhel", VersionID: "9.4", CPE: "cpe:/o:redhat:enterprise_linux:9::baseos"}, bulwark.Package{Name: "openssl-libs", Version: "1:3.0.7-27.el9", Arch: "x86_64", Format: "rpm", Source: src("openssl", "1:3.0.7-27.el9")},
			"pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=rhel-9.4&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm", "Red Hat:enterprise_linux:9::baseos"},
		"openEuler": {&bulwark.Release{ID: "openEuler", VersionID: "24.03", Name: "openEuler 24.03 (LTS-SP1)"}, bulwark.Package{Name: "bash", Version: "5.2-1.oe2403", Format: "rpm"},
			"pkg:rpm/openeuler/bash@5.2-1.oe2403?distro=openeuler-24.03-LTS-SP1", "openEuler:24.03-LTS-SP1"},
		"unknown release": {nil, bulwark.Package{Name: "musl", Version: "1.2-r0", Format: "apk"}, "pkg:apk/musl@1.2-r0", ""},
		"no ecosystem":    {&bulwark.Release{ID: "fedora", VersionID: "40"}, bulwark.Package{Name: "bash", Version: "5-1", Format: "rpm"}, "pkg:rpm/fedora/bash@5-1?distro=fedora-40", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inv := &bulwark.Inventory{Release: tt.release, Packages: []bulwark.Package{tt.pkg}}
			Resolve(inv, tt.pkg.Format)
			if p := inv.Packages[0]; p.PURL != tt.purl || p.Ecosystem != tt.eco {
				t.Errorf("got %s in %q\nwant %s in %q", p.PURL, p.Ecosystem, tt.purl, tt.eco)
			}
			read, err := purl.Parse(tt.purl)
			if err != nil {
				t.Fatal(err)
			}
			if got := ecosystem.OfPURL(read); got != tt.eco {
				t.Errorf("read back from the package URL: %q, want %q", got, tt.eco)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("./usr//../x/.")
	f.Fuzz(func(t *testing.T, p string) {
		if got := Clean(p); got != "" && !fs.ValidPath(strings.ToValidUTF8(got, "?")) {
			t.Errorf("Clean(%q) = %q", p, got)
		}
	})
}
