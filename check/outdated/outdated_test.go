package outdated

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"bulwark"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func image(created time.Time) *bulwark.Target {
	return &bulwark.Target{
		Absolute: true,
		Asset: bulwark.Asset{Kind: "image", Name: "nginx:1.27", Labels: map[string]string{
			"reference":                            "nginx:1.27",
			"org.opencontainers.image.base.name":   "debian:12",
			"org.opencontainers.image.base.digest": "sha256:base",
		}},
		Image: &bulwark.Image{Created: created, Arch: "amd64", OS: "linux", ManifestDigest: "sha256:manifest", IndexDigest: "sha256:index"},
	}
}

func check(t *testing.T, o Options, target *bulwark.Target, inv *bulwark.Inventory) (findings []bulwark.Finding, notes []bulwark.Note) {
	t.Helper()
	err := New(o).Check(t.Context(), target, inv, func(r bulwark.Record) {
		if r.Finding != nil {
			findings = append(findings, *r.Finding)
			return
		}
		notes = append(notes, *r.Note)
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings, notes
}

func titles(findings []bulwark.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Rule+": "+f.Title)
	}
	slices.Sort(out)
	return out
}

func TestImageAge(t *testing.T) {
	for _, tt := range []struct {
		created time.Time
		want    string
	}{
		{now.AddDate(0, 0, -366), "the image was built 366 days ago, on 2025-11-21"},
		{now.AddDate(0, 0, -364), ""},
		{time.Time{}, ""},
		{time.Unix(0, 0), ""},
		{time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC), ""},
		{now.AddDate(1, 0, 0), ""},
	} {
		findings, notes := check(t, Options{Now: now}, image(tt.created), &bulwark.Inventory{})
		got := ""
		if len(findings) > 0 {
			got = findings[0].Title
		}
		if got != tt.want {
			t.Errorf("created %v: %q, want %q", tt.created, got, tt.want)
		}
		if len(notes) != 1 || notes[0].Incomplete || !strings.Contains(notes[0].Text, "--online") {
			t.Errorf("notes %v, want one that says what was not asked", notes)
		}
	}
	if _, notes := check(t, Options{Now: now, Wanted: true}, image(now), &bulwark.Inventory{}); !notes[0].Incomplete {
		t.Error("who asks for this kind by name is not told that it is incomplete")
	}
}

func TestTagMoved(t *testing.T) {
	for _, tt := range []struct {
		registry map[string]string
		want     []string
	}{
		{map[string]string{"nginx:1.27": "sha256:index", "debian:12": "sha256:base"}, nil},
		{map[string]string{"nginx:1.27": "sha256:manifest"}, nil},
		{map[string]string{"nginx:1.27": "sha256:new", "debian:12": "sha256:new"}, []string{
			"outdated/base-moved: the base image debian:12 has moved on to sha256:new", "outdated/tag-moved: the tag nginx:1.27 has moved on to sha256:new"}},
	} {
		resolve := func(_ context.Context, ref string) (string, error) { return tt.registry[ref], nil }
		findings, _ := check(t, Options{Online: true, Resolve: resolve}, image(now), &bulwark.Inventory{})
		if diff := cmp.Diff(tt.want, titles(findings)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.registry, diff)
		}
	}
	fail := func(context.Context, string) (string, error) { return "", bulwark.ErrUnavailable }
	if _, notes := check(t, Options{Online: true, Resolve: fail}, image(now), &bulwark.Inventory{}); len(notes) != 2 || !notes[0].Incomplete {
		t.Errorf("notes %v, want two on what could not be asked", notes)
	}
}

func golang(name, version, path string) bulwark.Package {
	return bulwark.Package{Name: name, Version: version, Ecosystem: "Go", Format: "golang", PURL: "pkg:golang/" + name + "@" + version, Path: path}
}

func npm(name, version string) bulwark.Package {
	return bulwark.Package{Name: name, Version: version, Ecosystem: "npm", Format: "npm", PURL: "pkg:npm/" + name + "@" + version}
}

func TestRegistries(t *testing.T) {
	files := map[string]string{
		"/go/example.com/!big/m/@latest":        `{"Version":"v1.10.0"}`,
		"/go/example.com/!big/m/@v/v1.10.0.mod": "// Deprecated: use v2.\nmodule example.com/Big/m\n",
		"/go/example.com/n/@latest":             `{"Version":"v1.2.0"}`,
		"/go/example.com/n/@v/v1.2.0.mod":       "module example.com/n\n",
		"/npm/@a/b":                             `{"dist-tags":{"latest":"2.0.0"},"versions":{"1.0.0":{"deprecated":"use\u001b[31m c"},"2.0.0":{}}}`,
		"/npm/request":                          `{"dist-tags":{"latest":"2.88.2"},"versions":{"2.88.2":{"deprecated":true}}}`,
		"/npm/broken":                           `{`,
	}
	var busy atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		switch {
		case r.URL.Path == "/npm/request" && busy.Add(1) == 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case r.URL.Path == "/npm/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case !ok:
			http.NotFound(w, r)
		default:
			fmt.Fprint(w, body)
		}
	}))
	defer srv.Close()
	owned := npm("request", "1.0.0")
	owned.OwnedBy = "node-request"
	inv := &bulwark.Inventory{Packages: []bulwark.Package{
		golang("example.com/Big/m", "v1.9.0", "/bin/a"), golang("example.com/Big/m", "v1.9.0", "/bin/b"),
		golang("example.com/n", "v1.2.0", "/bin/a"), golang("example.com/gone", "v1.0.0", "/bin/a"), golang("stdlib", "1.20", "/bin/a"),
		npm("@a/b", "1.0.0"), npm("request", "2.88.2"), npm("forbidden", "1.0.0"), npm("broken", "1.0.0"), npm("../../etc", "1.0.0"), owned,
	}}
	findings, notes := check(t, Options{Online: true, GoProxy: srv.URL + "/go/", NPMRegistry: srv.URL + "/npm", Client: srv.Client()},
		&bulwark.Target{Asset: bulwark.Asset{Kind: "dir"}}, inv)
	want := []string{
		"outdated/deprecated: @a/b 1.0.0 is deprecated: use [31m c",
		"outdated/deprecated: example.com/Big/m v1.9.0 is deprecated: use v2.",
		"outdated/deprecated: request 2.88.2 is deprecated: its maintainers say no more",
		"outdated/package: @a/b 1.0.0 is behind 2.0.0 of the npm registry",
		"outdated/package: example.com/Big/m v1.9.0 is behind v1.10.0 of the Go module proxy",
	}
	if diff := cmp.Diff(want, titles(findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(findings, func(f bulwark.Finding) bool { return strings.HasPrefix(f.Subject, "pkg:golang/example.com/Big") })
	if len(findings[i].Places) != 2 {
		t.Errorf("places %v, want both binaries", findings[i].Places)
	}
	if len(notes) != 1 || !notes[0].Incomplete || !strings.Contains(notes[0].Text, "2 of 5 packages could not be asked about") {
		t.Errorf("notes %v, want one on the registry's two failures", notes)
	}
}

func compress(t *testing.T, ext, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	switch ext {
	case ".gz":
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
	case ".xz":
		z, err := xz.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		z.Write([]byte(text))
		z.Close()
	default:
		b.WriteString(text)
	}
	return b.Bytes()
}

func deb(name, version string) bulwark.Package {
	return bulwark.Package{Name: name, Version: version, Ecosystem: "Debian:12", Format: "deb", Arch: "amd64",
		PURL: "pkg:deb/debian/" + name + "@" + version, Path: "/var/lib/dpkg/status"}
}

func TestApt(t *testing.T) {
	const file = "main/binary-amd64/Packages"
	index := "Package: bash\nVersion: 5.2-1\nDescription: a\n b\n\nPackage: openssl\nVersion: 3.0.2-1\n\nPackage: openssl\nVersion: 3.0.10-1\n"
	inv := &bulwark.Inventory{
		Packages: []bulwark.Package{deb("bash", "5.2-1"), deb("openssl", "3.0.9-1"), deb("local", "1")},
	}
	for _, ext := range []string{".gz", ".xz", ""} {
		body := compress(t, ext, index)
		mux := http.NewServeMux()
		mux.HandleFunc("/debian/dists/bookworm/InRelease", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "Origin: Debian\nMD5Sum:\n 00 1 %s\nSHA256:\n %x %d %s\n", file+ext, sha256.Sum256(body), len(body), file+ext)
		})
		mux.HandleFunc("/debian/dists/bookworm/"+file+ext, func(w http.ResponseWriter, r *http.Request) { w.Write(body) })
		srv := httptest.NewServer(mux)
		inv.Repositories = []bulwark.Repository{
			{Kind: "apt", URL: srv.URL + "/debian", Suite: "bookworm", Components: []string{"main"}},
			{Kind: "apt", URL: srv.URL + "/debian", Suite: "bookworm-backports", Components: []string{"main"}},
		}
		findings, notes := check(t, Options{Online: true, Indexes: srv.Client()}, image(now), inv)
		srv.Close()
		want := []string{"outdated/package: openssl 3.0.9-1 is behind 3.0.10-1 of its distribution's index"}
		if diff := cmp.Diff(want, titles(findings)); diff != "" {
			t.Errorf("Packages%s (-want +got):\n%s", ext, diff)
		}
		if len(notes) != 1 || !strings.Contains(notes[0].Text, "signatures of indexes are not verified") {
			t.Errorf("Packages%s: notes %v", ext, notes)
		}
	}
}

func TestAptRefusesAnotherFile(t *testing.T) {
	const file = "main/binary-amd64/Packages"
	mux := http.NewServeMux()
	mux.HandleFunc("/dists/s/InRelease", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "SHA256:\n %064x 3 %s\n", 1, file)
	})
	mux.HandleFunc("/dists/s/"+file, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Package: bash\nVersion: 9\n") })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	findings, notes := check(t, Options{Online: true, Indexes: srv.Client()}, image(now), &bulwark.Inventory{
		Packages:     []bulwark.Package{deb("bash", "5.2-1")},
		Repositories: []bulwark.Repository{{Kind: "apt", URL: srv.URL, Suite: "s", Components: []string{"main"}}},
	})
	if len(findings) > 0 || len(notes) != 1 || !notes[0].Incomplete || !strings.Contains(notes[0].Text, "digest") {
		t.Errorf("findings %v, notes %v, want a note on the digest alone", findings, notes)
	}
}

// apkIndex is an APKINDEX.tar.gz: a signature without end of archive, then the index.
func apkIndex(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range []struct{ name, text string }{{".SIGN.RSA.x.pub", "sig"}, {"APKINDEX", text}} {
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text))})
		w.Write([]byte(f.text))
		if f.name == "APKINDEX" {
			w.Close()
		} else {
			w.Flush()
		}
		z.Close()
	}
	return b.Bytes()
}

func TestApk(t *testing.T) {
	body := apkIndex(t, "C:Q1\nP:openssl\nV:3.1.4-r6\n\nC:Q1\nP:musl\nV:1.2.4-r2\n")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v3.19/main/x86_64/APKINDEX.tar.gz" {
			http.NotFound(w, r)
			return
		}
		w.Write(body)
	}))
	defer srv.Close()
	pkg := func(name, version string) bulwark.Package {
		return bulwark.Package{Name: name, Version: version, Ecosystem: "Alpine:v3.19", Format: "apk", Arch: "x86_64", PURL: "pkg:apk/alpine/" + name + "@" + version}
	}
	findings, _ := check(t, Options{Online: true, Indexes: srv.Client()}, image(now), &bulwark.Inventory{
		Packages:     []bulwark.Package{pkg("openssl", "3.1.4-r5"), pkg("musl", "1.2.4-r2")},
		Repositories: []bulwark.Repository{{Kind: "apk", URL: srv.URL + "/v3.19/main"}},
	})
	if diff := cmp.Diff([]string{"outdated/package: openssl 3.1.4-r5 is behind 3.1.4-r6 of its distribution's index"}, titles(findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestNeverIntoAPrivateNetwork: an index on loopback is refused by address, by name and
// behind a redirect, and nothing arrives there.
func TestNeverIntoAPrivateNetwork(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer srv.Close()
	for _, address := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), strings.Replace(srv.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		_, notes := check(t, Options{Online: true}, image(now), &bulwark.Inventory{
			Packages:     []bulwark.Package{deb("bash", "5.2-1")},
			Repositories: []bulwark.Repository{{Kind: "apt", URL: address, Suite: "s", Components: []string{"main"}}},
		})
		if len(notes) != 1 || !notes[0].Incomplete {
			t.Errorf("%s: notes %v, want one", address, notes)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests arrived on loopback", n)
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"151.101.2.132": true, "2a04:4e42::644": true, "8.8.8.8": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fd00:ec2::254": false, "ff02::1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "::7f00:1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v, want %v", address, got, want)
		}
	}
	if err := refusePrivate("tcp", "10.0.0.1:80", nil); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("refusePrivate: %v, want ErrUntrusted", err)
	}
}

func TestErrorsHoldNoCredentials(t *testing.T) {
	_, err := get(t.Context(), guarded(), "http://user:hunter2@127.0.0.1:1/x?token=abc", "", 10)
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "token") || !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("error %v", err)
	}
}

func TestBudget(t *testing.T) {
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stop)
	inv := &bulwark.Inventory{}
	for i := range 50 {
		inv.Packages = append(inv.Packages, npm(fmt.Sprint("p", i), "1.0.0"))
	}
	_, notes := check(t, Options{Online: true, NPMRegistry: srv.URL, Client: srv.Client(), Budget: 50 * time.Millisecond}, image(now), inv)
	if len(notes) != 2 || !notes[0].Incomplete || !strings.Contains(notes[1].Text, "for want of time") {
		t.Errorf("notes %v, want what failed and what was not asked", notes)
	}
}

func FuzzIndexes(f *testing.F) {
	f.Add(apkIndex(f, "P:a\nV:1\n"), "")
	f.Add([]byte("Package: a\nVersion: 1\n\n"), "")
	f.Add([]byte("SHA256:\n 00 1 a\n"), ".gz")
	f.Fuzz(func(t *testing.T, data []byte, ext string) {
		checksums(data)
		found := func(name, version string) {
			if name == "" || version == "" {
				t.Errorf("found %q %q", name, version)
			}
		}
		_ = readAPKIndex(data, found)
		_ = readPackages(data, ext, found)
	})
}
