package dpkg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func file(p, content string) *bulwark.File {
	return fileAt(p, strings.NewReader(content), int64(len(content)))
}

func fileAt(p string, r io.ReaderAt, size int64) *bulwark.File {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Mode: fs.FileMode(0o644), Size: size}, ReaderAt: r}
	f.SetPath(p)
	return f
}

func TestWants(t *testing.T) {
	for p, want := range map[string]bool{
		"var/lib/dpkg/status":                   true,
		"var/lib/dpkg/status-old":               false,
		"var/lib/dpkg/available":                false,
		"var/lib/dpkg/status.d/base":            true,
		"var/lib/dpkg/status.d/base.md5sums":    true,
		"var/lib/dpkg/info/libc6:amd64.list":    true,
		"var/lib/dpkg/info/libc6:amd64.md5sums": true,
		"var/lib/dpkg/diversions":               true,
		"usr/share/doc/openssl/copyright":       true,
		"usr/share/doc/a/b/copyright":           false,
		"srv/var/lib/dpkg/status":               false,
	} {
		f := file(p, "x")
		if got := New().Wants(&f.FileInfo); got != want {
			t.Errorf("Wants(%s) = %v, want %v", p, got, want)
		}
	}
}

const database = `Package: libssl3
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Source: openssl
Version: 3.0.9-1
Conffiles:
 /etc/ssl/openssl.cnf 0123
Description: SSL toolkit
 Package: not-a-field
 .
 Version: 9

Package: login
Status: install ok half-configured
Architecture: amd64
Source: shadow (1:4.13+dfsg1-1)
Version: 1:4.13+dfsg1-1+b1

Package: rebuilt
Status: hold ok unpacked
Architecture: arm64
Version: 1.2-3+b12

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 2.0-1

Package: never
Status: purge ok not-installed
Architecture: amd64

package: nodejs
status: install ok triggers-pending
version: 20.10.0-1nodesource1
architecture: amd64
`

func TestStatus(t *testing.T) {
	facts, err := New().Extract(t.Context(), file("var/lib/dpkg/status", database))
	if err != nil {
		t.Fatal(err)
	}
	want := []bulwark.Package{
		{Name: "libssl3", Version: "3.0.9-1", Arch: "amd64", Format: "deb", Source: &bulwark.SourcePackage{Name: "openssl", Version: "3.0.9-1"}},
		{Name: "login", Version: "1:4.13+dfsg1-1+b1", Arch: "amd64", Format: "deb", Source: &bulwark.SourcePackage{Name: "shadow", Version: "1:4.13+dfsg1-1"}},
		{Name: "rebuilt", Version: "1.2-3+b12", Arch: "arm64", Format: "deb", Source: &bulwark.SourcePackage{Name: "rebuilt", Version: "1.2-3"}},
		{Name: "nodejs", Version: "20.10.0-1nodesource1", Arch: "amd64", Format: "deb", Source: &bulwark.SourcePackage{Name: "nodejs", Version: "20.10.0-1nodesource1"}},
	}
	if diff := cmp.Diff(want, facts.Packages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDistroless(t *testing.T) {
	facts, err := New().Extract(t.Context(), file("var/lib/dpkg/status.d/base", "Package: base-files\r\nVersion: 12.4+deb12u5\r\nArchitecture: amd64\r\n"))
	if err != nil || len(facts.Packages) != 1 || facts.Packages[0].Version != "12.4+deb12u5" {
		t.Errorf("got %+v, %v", facts.Packages, err)
	}
}

func TestMalformedStatus(t *testing.T) {
	facts, err := New().Extract(t.Context(), file("var/lib/dpkg/status",
		"Package: \x1b[31mred\nStatus: install ok installed\nVersion: 1\n\nPackage: good\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\ngarbage\n\nPackage: versionless\nStatus: install ok installed\n"))
	if !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("error %v, want ErrMalformed", err)
	}
	if len(facts.Packages) != 1 || facts.Packages[0].Name != "good" {
		t.Errorf("got %+v, want the good package alone", facts.Packages)
	}
}

// endless is a status file of one paragraph that never ends.
type endless struct{ line string }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = e.line[(off+int64(i))%int64(len(e.line))]
	}
	return len(p), nil
}

func TestHugeStatusCostsNoMemory(t *testing.T) {
	for name, line := range map[string]string{
		"one paragraph": "Package: x" + strings.Repeat("y", 1000) + "\n",
		"one line":      strings.Repeat("Package: x ", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			f := fileAt("var/lib/dpkg/status", endless{line}, 94<<20)
			allocated := testing.AllocsPerRun(1, func() {
				if facts, err := New().Extract(t.Context(), f); !errors.Is(err, bulwark.ErrMalformed) || len(facts.Packages) > 0 {
					t.Errorf("got %d packages, %v", len(facts.Packages), err)
				}
			})
			if allocated > 200_000 {
				t.Errorf("%.0f allocations", allocated)
			}
		})
	}
	if _, err := New().Extract(t.Context(), fileAt("var/lib/dpkg/status", endless{" " + strings.Repeat("x", 8191) + "\n"}, maxStatus+1)); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
	if _, err := New().Extract(t.Context(), fileAt("var/lib/dpkg/status", endless{"Package: a\nVersion: 1\n\n"}, 20<<20)); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().Extract(ctx, file("var/lib/dpkg/status", database)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestOwned(t *testing.T) {
	tests := []struct {
		file, content string
		want          []bulwark.Owned
	}{
		{"var/lib/dpkg/info/python3-yaml.list", "/.\n/usr\n/usr/lib\n/usr/lib/python3\n/usr/lib/python3/yaml.py\n/usr/share\n/usr/share/doc\n/usr/share/doc/python3-yaml\n/usr/share/doc/python3-yaml/copyright\n",
			[]bulwark.Owned{{Package: "python3-yaml", Paths: []string{"usr/lib/python3/yaml.py", "usr/share/doc/python3-yaml/copyright"}}}},
		{"var/lib/dpkg/info/libc6:amd64.list", "/lib/../etc/x\n/../../y\n\n", []bulwark.Owned{{Package: "libc6", Paths: []string{"etc/x", "y"}}}},
		{"var/lib/dpkg/status.d/tzdata.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/share/zoneinfo/UTC\n", []bulwark.Owned{{Package: "tzdata", Paths: []string{"usr/share/zoneinfo/UTC"}}}},
	}
	for _, tt := range tests {
		facts, err := New().Extract(t.Context(), file(tt.file, tt.content))
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
		}
		if diff := cmp.Diff(tt.want, facts.Owned); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}

func TestRecorded(t *testing.T) {
	const sum = "d41d8cd98f00b204e9800998ecf8427e"
	want := bulwark.NewDigest(bulwark.MD5, []byte("\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04"))
	tests := []struct {
		file, content string
		want          []bulwark.Recorded
	}{
		{"var/lib/dpkg/info/libc6:amd64.md5sums", sum + "  lib/x86_64-linux-gnu/libc.so.6\n" + sum + "  usr/share/doc/libc6/NEWS\n" + sum[1:] + "  usr/bin/short\nnonsense\n" + sum + "  ../bin/x\n",
			[]bulwark.Recorded{{Package: "libc6", Format: "deb", Paths: []string{"lib/x86_64-linux-gnu/libc.so.6", "bin/x"}, Digests: []bulwark.Digest{want, want}}}},
		{"var/lib/dpkg/info/tzdata.md5sums", sum + "  usr/share/zoneinfo/UTC\n", nil},
		{"var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.distrib\ndash\n/sbin/initctl\n/sbin/initctl.real\n:\n",
			[]bulwark.Recorded{{Format: "deb", Paths: []string{"bin/sh", "bin/sh.distrib", "sbin/initctl", "sbin/initctl.real"}}}},
	}
	for _, tt := range tests {
		facts, err := New().Extract(t.Context(), file(tt.file, tt.content))
		if err != nil || len(facts.Owned) > 0 {
			t.Errorf("%s: %v, owned %v", tt.file, err, facts.Owned)
		}
		if diff := cmp.Diff(tt.want, facts.Recorded); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}

func TestCopyright(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"machine readable": {`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: x

Files: *
Copyright: 1998 The Authors
License: Apache-2.0

Files: a/*
License: GPL-2+ or Expat
 Prose that says License: nothing.

Files: b/*
License: GPL-1+ and Artistic

License: Expat
 Permission is hereby granted...

License: BSD-3-clause~Google

License: Permission to use, copy, modify, and distribute this software and its
`, []string{"Apache-2.0", "BSD-3-clause~Google", "GPL-1.0-or-later AND Artistic-1.0-Perl", "GPL-2.0-or-later OR MIT", "MIT"}},
		"free text": {"This package was debianized by hand.\n\nSee `/usr/share/common-licenses/GPL-2'.\nAlso /usr/share/common-licenses/Apache-2.0.\nand /usr/share/common-licenses/\n",
			[]string{"Apache-2.0", "GPL-2"}},
		"nothing": {"Public domain.\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseCopyright(file("usr/share/doc/x/copyright", tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	pkg := func(name, version, source, sourceVersion string) bulwark.Package {
		return bulwark.Package{Name: name, Version: version, Arch: "amd64", Format: "deb", Source: &bulwark.SourcePackage{Name: source, Version: sourceVersion}}
	}
	inv := &bulwark.Inventory{
		Release: &bulwark.Release{ID: "debian", VersionID: "12"},
		Packages: []bulwark.Package{
			pkg("bash", "5.2.15-2+b2", "bash", "5.2.15-2"),
			pkg("libstdc++6", "12.2.0-14", "gcc-12", "12.2.0-14"),
			pkg("gcc-12-base", "12.2.0-14", "gcc-12", "12.2.0-14"),
			pkg("login", "1:4.13+dfsg1-1+b1", "shadow", "1:4.13+dfsg1-1"),
			{Name: "left-pad", Format: "npm", PURL: "pkg:npm/left-pad@1"},
			{Name: "given", Format: "deb", PURL: "pkg:deb/debian/given@1", Ecosystem: "Debian:11"},
		},
		Licensed: []bulwark.Licensed{{Package: "gcc-12-base", Licenses: []string{"GPL-3.0-or-later"}}},
	}
	if err := New().Resolve(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	want := [][3]string{
		{"pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2", "Debian:12", ""},
		{"pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12", "Debian:12", "GPL-3.0-or-later"},
		{"pkg:deb/debian/gcc-12-base@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12", "Debian:12", "GPL-3.0-or-later"},
		{"pkg:deb/debian/login@1:4.13%2Bdfsg1-1%2Bb1?arch=amd64&distro=debian-12&upstream=shadow%401:4.13%2Bdfsg1-1", "Debian:12", ""},
		{"pkg:npm/left-pad@1", "", ""},
		{"pkg:deb/debian/given@1", "Debian:11", ""},
	}
	var got [][3]string
	for _, p := range inv.Packages {
		got = append(got, [3]string{p.PURL, p.Ecosystem, strings.Join(p.Licenses, " ")})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResolveWithoutRelease(t *testing.T) {
	inv := &bulwark.Inventory{Packages: []bulwark.Package{{Name: "x", Version: "1", Arch: "all", Format: "deb"}}}
	if err := New().Resolve(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	if p := inv.Packages[0]; p.PURL != "pkg:deb/x@1?arch=all" || p.Ecosystem != "" {
		t.Errorf("got %q in %q", p.PURL, p.Ecosystem)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add([]byte(database), uint8(0))
	f.Add([]byte("/.\n/usr\n/usr/x\n"), uint8(1))
	f.Add([]byte("Format: x\n\nLicense: GPL-2+ or Expat\n"), uint8(2))
	f.Add([]byte("d41d8cd98f00b204e9800998ecf8427e  usr/x\n"), uint8(3))
	f.Add([]byte("/bin/sh\n/bin/sh.distrib\ndash\n"), uint8(4))
	paths := []string{statusFile, infoDir + "x:amd64.list", docDir + "x/copyright", statusDir + "/x.md5sums", diversionsFile}
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		facts, _ := New().Extract(t.Context(), fileAt(paths[int(kind)%len(paths)], bytes.NewReader(data), int64(len(data))))
		for _, p := range facts.Packages {
			if strings.ContainsFunc(p.Name+p.Version+p.Arch+p.Source.Name+p.Source.Version, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
				t.Errorf("package %+v has control characters", p)
			}
		}
		for _, r := range facts.Recorded {
			facts.Owned = append(facts.Owned, bulwark.Owned{Paths: r.Paths})
		}
		for _, o := range facts.Owned {
			for _, p := range o.Paths {
				if p == "" || !fs.ValidPath(strings.ToValidUTF8(p, "?")) {
					t.Errorf("path %q is not clean", p)
				}
			}
		}
	})
}
