package rpm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/internal/rpmtest"
)

func file(p string, content []byte) *bulwark.File {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Mode: fs.FileMode(0o644), Size: int64(len(content))}, ReaderAt: bytes.NewReader(content)}
	f.SetPath(p)
	return f
}

func blobs() [][]byte {
	names := make([]string, 400) // more than a page holds
	indexes := make([]uint32, len(names))
	modes := make([]uint16, len(names))
	for i := range names {
		names[i], modes[i] = fmt.Sprintf("module-%03d.mo", i), 0o100644
	}
	names[0], modes[0] = "locale", 0o040755
	names[1], indexes[1] = "bash", 1
	return [][]byte{
		rpmtest.Header(rpmtest.Entries{
			1000: "bash", 1001: "5.1.8", 1002: "9.el9", 1022: "x86_64", 1044: "bash-5.1.8-9.el9.src.rpm", 1014: "GPLv3+",
			1117: names, 1116: indexes, 1118: []string{"/usr/share/", "/usr/bin/"}, 1030: modes,
		}),
		rpmtest.Header(rpmtest.Entries{
			1000: "nodejs-libs", 1001: "18.19.0", 1002: "1.module+el9", 1003: []uint32{1}, 1022: "x86_64",
			1044: "nodejs-18.19.0-1.module+el9.src.rpm", 1014: "MIT and ASL 2.0", 5096: "nodejs:18:9030020231228:rhel9",
		}),
		rpmtest.Header(rpmtest.Entries{1000: "gpg-pubkey", 1001: "b86b3716", 1002: "61e69f29"}),
	}
}

var want = bulwark.Facts{
	Packages: []bulwark.Package{
		{Name: "bash", Version: "5.1.8-9.el9", Arch: "x86_64", Format: "rpm", Licenses: []string{"GPLv3+"}, Source: &bulwark.SourcePackage{Name: "bash", Version: "5.1.8-9.el9"}},
		{Name: "nodejs-libs", Version: "1:18.19.0-1.module+el9", Arch: "x86_64", Format: "rpm", Licenses: []string{"MIT and ASL 2.0"},
			Source: &bulwark.SourcePackage{Name: "nodejs", Version: "1:18.19.0-1.module+el9"}, PURL: "?rpmmod=nodejs:18:9030020231228:rhel9"},
	},
}

// databases gives the same packages in every format.
func databases() map[string][]byte {
	return map[string][]byte{
		"var/lib/rpm/rpmdb.sqlite":         rpmtest.SQLite(4096, blobs()...),
		"usr/share/rpm/rpmdb.sqlite":       rpmtest.SQLite(512, blobs()...),
		"usr/lib/sysimage/rpm/Packages.db": rpmtest.NDB(blobs()...),
		"var/lib/rpm/Packages":             rpmtest.BDB(binary.LittleEndian, 4096, blobs()...),
		"usr/lib/sysimage/rpm/Packages":    rpmtest.BDB(binary.BigEndian, 1024, blobs()...),
	}
}

func TestExtract(t *testing.T) {
	for p, content := range databases() {
		t.Run(p, func(t *testing.T) {
			f := file(p, content)
			if !New().Wants(&f.FileInfo) {
				t.Error("Wants refuses the database")
			}
			got, err := New().Extract(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Owned) != 1 || got.Owned[0].Package != "bash" || len(got.Owned[0].Paths) != 399 || got.Owned[0].Paths[0] != "usr/bin/bash" || got.Owned[0].Paths[1] != "usr/share/module-002.mo" {
				t.Errorf("owned: %.300v", got.Owned)
			}
			got.Owned = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	inv := &bulwark.Inventory{Release: &bulwark.Release{ID: "almalinux", VersionID: "9.4"}, Packages: append([]bulwark.Package(nil), want.Packages...)}
	for range 2 { // resolving again changes nothing
		if err := New().Resolve(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
	}
	got := []string{inv.Packages[0].PURL, inv.Packages[1].PURL}
	if diff := cmp.Diff([]string{
		"pkg:rpm/almalinux/bash@5.1.8-9.el9?arch=x86_64&distro=almalinux-9.4",
		"pkg:rpm/almalinux/nodejs-libs@18.19.0-1.module%2Bel9?arch=x86_64&distro=almalinux-9.4&epoch=1&rpmmod=nodejs:18:9030020231228:rhel9&upstream=nodejs-18.19.0-1.module%2Bel9.src.rpm",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if inv.Packages[0].Ecosystem != "AlmaLinux:9" {
		t.Errorf("ecosystem %q", inv.Packages[0].Ecosystem)
	}
}

func TestManifest(t *testing.T) {
	text := "bash\t5.1.8-4.cm2\t1700000000\t1690000000\tMicrosoft Corporation\t(none)\t123\tx86_64\t0\tbash-5.1.8-4.cm2.src.rpm\n" +
		"openssl-libs\t1.1.1k-30.cm2\t1\t1\tMicrosoft Corporation\t1\t1\tx86_64\t1\topenssl-1.1.1k-30.cm2.src.rpm\n"
	facts, err := New().Extract(t.Context(), file("var/lib/rpmmanifest/container-manifest-2", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	want := []bulwark.Package{
		{Name: "bash", Version: "5.1.8-4.cm2", Arch: "x86_64", Format: "rpm", Source: &bulwark.SourcePackage{Name: "bash", Version: "5.1.8-4.cm2"}},
		{Name: "openssl-libs", Version: "1:1.1.1k-30.cm2", Arch: "x86_64", Format: "rpm", Source: &bulwark.SourcePackage{Name: "openssl", Version: "1:1.1.1k-30.cm2"}},
	}
	if diff := cmp.Diff(want, facts.Packages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadInput(t *testing.T) {
	good := rpmtest.Header(rpmtest.Entries{1000: "a", 1001: "1", 1002: "1"})
	long := []string{strings.Repeat("d", 1<<20)}
	bomb := rpmtest.Header(rpmtest.Entries{1000: "a", 1001: "1", 1002: "1", 1118: long, 1117: make64k("f"), 1116: make([]uint32, 64<<10)})
	tests := map[string]struct {
		path    string
		content []byte
		want    error
		n       int
	}{
		"no database":         {"var/lib/rpm/rpmdb.sqlite", bytes.Repeat([]byte("no"), 100), bulwark.ErrMalformed, 0},
		"truncated sqlite":    {"var/lib/rpm/rpmdb.sqlite", rpmtest.SQLite(4096, blobs()...)[:4096*4], bulwark.ErrMalformed, 0},
		"truncated ndb":       {"var/lib/rpm/Packages.db", rpmtest.NDB(blobs()...)[:4196], bulwark.ErrMalformed, 0},
		"truncated bdb":       {"var/lib/rpm/Packages", rpmtest.BDB(binary.LittleEndian, 4096, blobs()...)[:4096*2], bulwark.ErrMalformed, 0},
		"one bad header":      {"var/lib/rpm/Packages.db", rpmtest.NDB(bytes.Repeat([]byte{0xff}, 100), good), bulwark.ErrMalformed, 1},
		"no version":          {"var/lib/rpm/Packages.db", rpmtest.NDB(rpmtest.Header(rpmtest.Entries{1000: "a"}), good), bulwark.ErrMalformed, 1},
		"control characters":  {"var/lib/rpm/Packages.db", rpmtest.NDB(rpmtest.Header(rpmtest.Entries{1000: "\x1b[2J", 1001: "1", 1002: "1"})), bulwark.ErrMalformed, 0},
		"long paths joined":   {"var/lib/rpm/Packages.db", rpmtest.NDB(bomb), bulwark.ErrLimit, 1},
		"journal not written": {"var/lib/rpm/rpmdb.sqlite-wal", make([]byte, 100), bulwark.ErrUnsupported, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := file(tt.path, tt.content)
			if !New().Wants(&f.FileInfo) {
				t.Error("Wants refuses it")
			}
			facts, err := New().Extract(t.Context(), f)
			if !errors.Is(err, tt.want) || len(facts.Packages) != tt.n {
				t.Errorf("got %d packages and %v, want %d and %v", len(facts.Packages), err, tt.n, tt.want)
			}
		})
	}
}

func make64k(s string) []string {
	list := make([]string, 64<<10)
	for i := range list {
		list[i] = s
	}
	return list
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().Extract(ctx, file("var/lib/rpm/Packages.db", rpmtest.NDB(blobs()...))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// FuzzExtract feeds every format, also with single bytes changed by the fuzzer.
func FuzzExtract(f *testing.F) {
	paths := []string{"var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages", "var/lib/rpmmanifest/container-manifest-2"}
	f.Add(rpmtest.SQLite(512, blobs()[1:]...), uint8(0))
	f.Add(rpmtest.NDB(blobs()[1:]...), uint8(1))
	f.Add(rpmtest.BDB(binary.LittleEndian, 512, blobs()[1:]...), uint8(2))
	f.Add([]byte("bash\t5.1.8-4.cm2\t1\t1\tx\t0\t1\tx86_64\t0\tbash-5.1.8-4.cm2.src.rpm\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		facts, err := New().Extract(t.Context(), file(paths[int(kind)%len(paths)], data))
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) && !errors.Is(err, bulwark.ErrUnsupported) {
			t.Errorf("error %v wraps none of ours", err)
		}
		if len(facts.Packages) > len(data) {
			t.Errorf("%d packages of %d bytes", len(facts.Packages), len(data))
		}
	})
}
