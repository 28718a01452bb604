package vuln

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/source/sbom"
)

// shared is the folder of real data, which lies beside the repository.
var shared = filepath.Join("..", "..", "..", "shared", "data")

var builtShared string // folder to remove

var sharedOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vuln-test-")
	if err != nil {
		return "", err
	}
	builtShared = dir
	path := filepath.Join(dir, "a.db")
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	return path, advisory.Build(context.Background(), advisory.BuildOptions{
		OSV: filepath.Join(shared, "osv"), KEV: shared, EPSS: shared, Now: now,
	}, path)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtShared != "" {
		os.RemoveAll(builtShared)
	}
	os.Exit(code)
}

// sharedDB is a database of all the real data, built once for all tests.
func sharedDB(tb testing.TB) *advisory.DB {
	tb.Helper()
	if _, err := os.Stat(filepath.Join(shared, "osv")); err != nil {
		tb.Skip("SKIPPED, there is no shared/data beside the repository")
	}
	path, err := sharedOnce()
	if err != nil {
		tb.Fatal(err)
	}
	db, err := advisory.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

type binary struct{ Name, Version string }

// truthCase is a package version and exactly the records that affect it.
type truthCase struct {
	Ecosystem, Name, Version, Source string
	SourceVersion                    string `json:"source_version"`
	Binaries                         []binary
	Expected                         []string
}

// purls writes the case's package URLs as an SBOM would.
func (c *truthCase) purls() []string {
	base, release, _ := strings.Cut(c.Ecosystem, ":")
	switch base {
	case "Debian":
		q := "?arch=amd64&distro=debian-" + release
		out := []string{"pkg:deb/debian/" + escape(c.Source) + "@" + escape(c.SourceVersion) + q}
		for _, b := range c.Binaries {
			if b.Name != c.Source {
				out = append(out, "pkg:deb/debian/"+escape(b.Name)+"@"+escape(b.Version)+q+"&upstream="+url.QueryEscape(c.Source+"@"+c.SourceVersion))
			}
		}
		return out
	case "AlmaLinux":
		q := "?arch=x86_64&distro=almalinux-" + release
		v := c.Version
		if epoch, rest, ok := strings.Cut(v, ":"); ok {
			v, q = rest, q+"&epoch="+epoch
		}
		return []string{"pkg:rpm/almalinux/" + escape(c.Name) + "@" + escape(v) + q}
	}
	types := map[string]string{"Go": "golang", "PyPI": "pypi", "npm": "npm", "RubyGems": "gem", "crates.io": "cargo", "Packagist": "composer"}
	v := c.Version
	if base == "Go" && c.Name != "stdlib" && c.Name != "toolchain" {
		v = "v" + v
	}
	parts := strings.Split(c.Name, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return []string{"pkg:" + types[base] + "/" + strings.Join(parts, "/") + "@" + escape(v)}
}

func escape(s string) string {
	return strings.NewReplacer("@", "%40", "+", "%2B", " ", "%20").Replace(s)
}

// TestTruth reads an SBOM with every package of the truth file and compares the
// findings with the exact sets.
func TestTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	db := sharedDB(t)
	b, err := os.ReadFile(filepath.Join(shared, "truth", "truth-public.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Packages []truthCase
		Debian12 []truthCase
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	cases := map[string]truthCase{}
	var components []map[string]string
	for _, c := range append(truth.Packages, truth.Debian12...) {
		for _, p := range c.purls() {
			cases[p] = c
			components = append(components, map[string]string{"type": "library", "bom-ref": p, "name": c.Name + c.Source, "version": c.Version + c.SourceVersion, "purl": p})
		}
	}
	doc, err := json.Marshal(map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})
	if err != nil {
		t.Fatal(err)
	}
	target, err := sbom.Read(t.Context(), strings.NewReader(string(doc)), "truth.cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]*bulwark.Vulnerability{}
	keys := map[string]string{}
	err = New(db, Options{}).Check(t.Context(), target, target.Inventory, func(r bulwark.Record) {
		if r.Finding == nil {
			t.Logf("note: %s", r.Note.Text)
			return
		}
		f := r.Finding
		got[f.Subject] = append(got[f.Subject], f.Vulnerability)
		if other := keys[f.Key]; other != "" && other == f.Subject {
			t.Errorf("two findings of %s have one key", f.Subject)
		}
		keys[f.Key] = f.Subject
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for p, c := range cases {
		if bad := compare(t, db, p, c.Expected, got[p]); bad {
			failed++
		}
	}
	t.Logf("%d passed, %d failed", len(cases)-failed, failed)
}

// compare holds the findings of one package against the expected records: none is
// missing, none is there that is not expected, and no two share a finding that do not name
// each other.
func compare(t *testing.T, db *advisory.DB, purl string, expected []string, got []*bulwark.Vulnerability) (bad bool) {
	seen := map[string]bool{}
	for _, v := range got {
		seen[v.ID] = true
		covers := []string{}
		for _, alias := range v.Aliases {
			seen[alias] = true
			if slices.Contains(expected, alias) {
				covers = append(covers, alias)
			}
		}
		if !slices.Contains(expected, v.ID) {
			t.Errorf("%s: %s is not expected", purl, v.ID)
			bad = true
		}
		for _, other := range covers {
			if !named(t, db, v.ID, other) && !named(t, db, other, v.ID) {
				t.Errorf("%s: %s and %s are one finding and do not name each other", purl, v.ID, other)
				bad = true
			}
		}
	}
	for _, id := range expected {
		if !seen[id] {
			t.Errorf("%s: %s is missing", purl, id)
			bad = true
		}
	}
	return bad
}

// named tells whether record a names b.
func named(t *testing.T, db *advisory.DB, a, b string) bool {
	r, err := db.Record(a)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(r.Aliases, b) || len(r.Upstream) == 1 && r.Upstream[0] == b
}

// installed makes n packages, every other one of which has advisories.
func installed(tb testing.TB, n int) *bulwark.Inventory {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(shared, "truth", "truth-public.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var truth struct{ Debian12 []truthCase }
	if err := json.Unmarshal(b, &truth); err != nil {
		tb.Fatal(err)
	}
	inv := &bulwark.Inventory{Release: bookworm}
	for i := 0; len(inv.Packages) < n; i++ {
		c := truth.Debian12[i%len(truth.Debian12)]
		if c.Source == "linux" {
			continue // its thousands of records would hide all others
		}
		name := c.Source + strings.Repeat("x", i/len(truth.Debian12))
		inv.Packages = append(inv.Packages, deb(name, c.SourceVersion, c.Source, c.SourceVersion), deb(name+"-none", "1", "", ""))
	}
	return inv
}

// BenchmarkReal is the check on 4,000 Debian packages with the real database.
func BenchmarkReal(b *testing.B) {
	db := sharedDB(b)
	inv := installed(b, 4000)
	c := New(db, Options{})
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n = 0
		if err := c.Check(b.Context(), image, inv, func(bulwark.Record) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n), "findings")
}

// TestNothingOfTheDatabaseIsKept closes the database, which unmaps it, before the
// findings are read.
func TestNothingOfTheDatabaseIsKept(t *testing.T) {
	sharedDB(t)
	path, _ := sharedOnce()
	own, err := advisory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	findings, _ := check(t, own, Options{}, image, installed(t, 120))
	findings2, _ := check(t, own, Options{}, folder, &bulwark.Inventory{Packages: []bulwark.Package{
		{Name: "django", Version: "2.2", Ecosystem: "PyPI", PURL: "pkg:pypi/django@2.2"},
		{Name: "golang.org/x/crypto", Version: "v0.1.0", Ecosystem: "Go", PURL: "pkg:golang/golang.org/x/crypto@v0.1.0"},
	}})
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(append(findings, findings2...))
	if err != nil || len(findings) == 0 || len(findings2) == 0 {
		t.Fatalf("%d and %d findings, %v", len(findings), len(findings2), err)
	}
	t.Logf("%d findings, %d bytes of JSON", len(findings)+len(findings2), len(b))
}
