package eol

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
	"bulwark/advisory"
)

// TestRealData asks the real data about well-known releases.
func TestRealData(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(shared, "eol.json")); err != nil {
		t.Skip("SKIPPED, there is no shared/data beside the repository")
	}
	path := filepath.Join(t.TempDir(), "a.db")
	now := day("2026-11-22")
	if err := advisory.Build(t.Context(), advisory.BuildOptions{EOL: filepath.Join(shared, "eol.json"), Now: now}, path); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pkg := func(purl, version string) bulwark.Package {
		name := purl[strings.LastIndexByte(purl, '/')+1:]
		return bulwark.Package{PURL: purl + "@" + version, Name: name, Version: version}
	}
	inv := &bulwark.Inventory{
		Release: &bulwark.Release{ID: "debian", VersionID: "11"},
		Packages: []bulwark.Package{
			pkg("pkg:generic/node", "18.20.4"), pkg("pkg:generic/node", "24.1.0"), pkg("pkg:generic/python", "3.8.10"),
			pkg("pkg:generic/openssl", "1.1.1w"), pkg("pkg:generic/postgresql", "12.4"), pkg("pkg:generic/java", "1.8.0_392"), pkg("pkg:generic/java", "20.0.1"),
			pkg("pkg:golang/stdlib", "1.22.3"), pkg("pkg:pypi/django", "3.2.1"), pkg("pkg:gem/rails", "6.0.0"), pkg("pkg:npm/%40angular/core", "12.0.0"),
			pkg("pkg:composer/laravel/framework", "v8.1.0"), pkg("pkg:generic/busybox", "1.36.1"),
		},
	}
	got := map[string]string{}
	err = New(db, Options{Now: now}).Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Note != nil {
			t.Errorf("note: %s", r.Note.Text)
			return
		}
		got[r.Finding.Subject] = r.Finding.Rule
		t.Logf("%-7s %s: %s", r.Finding.Severity, r.Finding.Title, r.Finding.Evidence[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	for subject, rule := range map[string]string{
		"debian 11": "eol/debian", "pkg:generic/node@18.20.4": "eol/nodejs", "pkg:generic/node@24.1.0": "", "pkg:generic/python@3.8.10": "eol/python",
		"pkg:generic/openssl@1.1.1w": "eol/openssl", "pkg:generic/postgresql@12.4": "eol/postgresql", "pkg:generic/java@20.0.1": "eol/eclipse-temurin",
		"pkg:golang/stdlib@1.22.3": "eol/go", "pkg:pypi/django@3.2.1": "eol/django", "pkg:gem/rails@6.0.0": "eol/ruby-on-rails",
		"pkg:npm/%40angular/core@12.0.0": "eol/angular", "pkg:composer/laravel/framework@v8.1.0": "eol/laravel",
	} {
		if got[subject] != rule {
			t.Errorf("%s: rule %q, want %q", subject, got[subject], rule)
		}
	}
}
