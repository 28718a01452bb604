package apk

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func file(content []byte) *bulwark.File {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Mode: fs.FileMode(0o644), Size: int64(len(content))}, ReaderAt: bytes.NewReader(content)}
	f.SetPath(databases[0])
	return f
}

const installed = `C:Q1abcdefghijklmnopqrstuvwxyz0=
P:musl
V:1.2.4_git20230717-r4
A:x86_64
S:407278
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Somebody
t:1700000000
c:0123456789abcdef
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1abcdefghijklmnopqrstuvwxyz0=
R:libc.musl-x86_64.so.1
F:usr
F:usr/lib
R:libx.so

C:Q1abcdefghijklmnopqrstuvwxyz0=
P:libcrypto3
V:3.1.4-r5
A:x86_64
L:Apache-2.0 OR MIT
o:openssl
F:
R:.hidden

P:.build-deps
V:20240101.000000
A:noarch
`

func TestExtract(t *testing.T) {
	f := file([]byte(installed))
	if !New().Wants(&f.FileInfo) {
		t.Fatal("Wants refuses the database")
	}
	got, err := New().Extract(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	want := bulwark.Facts{
		Packages: []bulwark.Package{
			{Name: "musl", Version: "1.2.4_git20230717-r4", Arch: "x86_64", Format: "apk", Licenses: []string{"MIT"}, Source: &bulwark.SourcePackage{Name: "musl", Version: "1.2.4_git20230717-r4"}},
			{Name: "libcrypto3", Version: "3.1.4-r5", Arch: "x86_64", Format: "apk", Licenses: []string{"Apache-2.0 OR MIT"}, Source: &bulwark.SourcePackage{Name: "openssl", Version: "3.1.4-r5"}},
			{Name: ".build-deps", Version: "20240101.000000", Arch: "noarch", Format: "apk", Source: &bulwark.SourcePackage{Name: ".build-deps", Version: "20240101.000000"}},
		},
		Owned: []bulwark.Owned{
			{Package: "musl", Paths: []string{"lib/ld-musl-x86_64.so.1", "lib/libc.musl-x86_64.so.1", "usr/lib/libx.so"}},
			{Package: "libcrypto3", Paths: []string{".hidden"}},
		},
		Recorded: []bulwark.Recorded{{Package: "musl", Format: "apk", Paths: []string{"lib/ld-musl-x86_64.so.1"},
			Digests: []bulwark.Digest{bulwark.NewDigest(bulwark.SHA1, []byte("\x69\xb7\x1d\x79\xf8\x21\x8a\x39"))}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResolve(t *testing.T) {
	inv := &bulwark.Inventory{
		Release:  &bulwark.Release{ID: "alpine", VersionID: "3.19.1"},
		Packages: []bulwark.Package{{Name: "libcrypto3", Version: "3.1.4-r5", Arch: "x86_64", Format: "apk", Source: &bulwark.SourcePackage{Name: "openssl", Version: "3.1.4-r5"}}},
	}
	if err := New().Resolve(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	p := inv.Packages[0]
	if want := "pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.19.1&upstream=openssl"; p.PURL != want || p.Ecosystem != "Alpine:v3.19" {
		t.Errorf("got %s in %q, want %s in Alpine:v3.19", p.PURL, p.Ecosystem, want)
	}
}

func TestBadInput(t *testing.T) {
	tests := map[string]struct {
		text string
		want error
		n    int
	}{
		"truncated":      {"P:musl\nV:1.2", nil, 1},
		"no version":     {"P:musl\n\nP:ok\nV:1-r0\n", bulwark.ErrMalformed, 1},
		"control":        {"P:mu\x1b[31msl\nV:1\n", bulwark.ErrMalformed, 0},
		"paths too long": {"P:x\nV:1\nF:" + strings.Repeat("d", 4000) + "\n" + strings.Repeat("R:f\n", 30_000), bulwark.ErrLimit, 0},
		"too many":       {strings.Repeat("P:x\nV:1\n\n", maxPackages+1), bulwark.ErrLimit, maxPackages + 1},
		"binary":         {"\x00\xff\x00", nil, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			facts, err := New().Extract(t.Context(), file([]byte(tt.text)))
			if !errors.Is(err, tt.want) || len(facts.Packages) != tt.n {
				t.Errorf("got %d packages and error %v, want %d and %v", len(facts.Packages), err, tt.n, tt.want)
			}
		})
	}
}

func FuzzExtract(f *testing.F) {
	f.Add([]byte(installed))
	f.Add([]byte("P:x\nV:1\nF:../..\nR:x\nR:\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, _ := New().Extract(t.Context(), file(data))
		for _, o := range facts.Owned {
			for _, p := range o.Paths {
				if !fs.ValidPath(strings.ToValidUTF8(p, "?")) {
					t.Errorf("path %q is not clean", p)
				}
			}
		}
	})
}
