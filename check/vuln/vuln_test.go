package vuln

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/advisory"
)

// memory is a database in memory: hits by query without version.
type memory struct {
	hits map[string][]advisory.Hit // "Debian:12/openssl"
	kev  map[string]bool
	epss map[string]float64
	cves map[string]bulwark.CVSS
	info bulwark.Advisories
	none map[string]bool // ecosystems that have advisories, if none that match
}

func (m *memory) Info() bulwark.Advisories { return m.info }

func (m *memory) Has(eco string) bool {
	if m.none[eco] {
		return true
	}
	for key := range m.hits {
		if strings.HasPrefix(key, eco+"/") {
			return true
		}
	}
	return false
}

func (m *memory) Match(dst []advisory.Hit, q advisory.Query) ([]advisory.Hit, error) {
	return append(dst, m.hits[q.Ecosystem+"/"+q.Name]...), nil
}

func (m *memory) KEV(cve string) (advisory.KEV, bool) { return advisory.KEV{}, m.kev[cve] }

func (m *memory) EPSS(cve string) (bulwark.EPSS, bool) {
	s, ok := m.epss[cve]
	return bulwark.EPSS{Score: s, Percentile: s}, ok
}

func (m *memory) ByCVE(cve string) (bulwark.Severity, *bulwark.CVSS) {
	c, ok := m.cves[cve]
	if !ok {
		return bulwark.SeverityUnknown, nil
	}
	return bulwark.SeverityOfScore(c.Score), &c
}

func check(t *testing.T, db advisories, o Options, target *bulwark.Target, inv *bulwark.Inventory) ([]bulwark.Finding, []bulwark.Note) {
	t.Helper()
	var findings []bulwark.Finding
	var notes []bulwark.Note
	err := (&Check{db: db, o: o}).Check(t.Context(), target, inv, func(r bulwark.Record) {
		if r.Finding != nil {
			findings = append(findings, *r.Finding)
		}
		if r.Note != nil {
			notes = append(notes, *r.Note)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings, notes
}

var (
	image    = &bulwark.Target{Absolute: true, Asset: bulwark.Asset{Kind: "image"}, Image: &bulwark.Image{OS: "linux", Arch: "amd64"}}
	folder   = &bulwark.Target{Asset: bulwark.Asset{Kind: "dir"}}
	bookworm = &bulwark.Release{ID: "debian", VersionID: "12"}
)

func deb(name, version, source, sourceVersion string) bulwark.Package {
	p := bulwark.Package{Name: name, Version: version, Format: "deb", Ecosystem: "Debian:12", Path: "/var/lib/dpkg/status",
		PURL: fmt.Sprintf("pkg:deb/debian/%s@%s?arch=amd64&distro=debian-12", name, version)}
	if source != "" {
		p.Source = &bulwark.SourcePackage{Name: source, Version: sourceVersion}
	}
	return p
}

func npm(name, version, path string) bulwark.Package {
	return bulwark.Package{Name: name, Version: version, Format: "npm", Ecosystem: "npm", Path: path, PURL: "pkg:npm/" + name + "@" + version}
}

func TestOneFinding(t *testing.T) {
	db := &memory{
		hits: map[string][]advisory.Hit{"Debian:12/openssl": {{
			ID: "DEBIAN-CVE-2023-5678", Upstream: []string{"CVE-2023-5678"}, Related: []string{"CVE-2023-9"},
			Fixed: []string{"3.0.11-1~deb12u2", "3.0.13-1~deb12u1"}, Summary: "Slow\nDH\x1b[31m keys",
		}}},
		kev:  map[string]bool{"CVE-2023-5678": true},
		epss: map[string]float64{"CVE-2023-9": 0.25, "CVE-2023-5678": 0.01},
		cves: map[string]bulwark.CVSS{"CVE-2023-5678": {Vector: "v", Score: 5.3}},
	}
	pkg := deb("libssl3", "3.0.11-1~deb12u1", "openssl", "3.0.11-1~deb12u1")
	pkg.FromBase, pkg.Layer = true, "sha256:aa"
	findings, notes := check(t, db, Options{}, image, &bulwark.Inventory{Release: bookworm, Packages: []bulwark.Package{pkg}})
	want := []bulwark.Finding{{
		Key:  bulwark.Key("vulnerability", "CVE-2023-9", "pkg:deb/debian/libssl3?arch=amd64", "/var/lib/dpkg/status"),
		Kind: "vulnerability", Rule: "vuln/DEBIAN-CVE-2023-5678", Severity: bulwark.SeverityMedium,
		Risk:  bulwark.Risk(bulwark.Factors{Severity: bulwark.SeverityMedium, Score: 5.3, KEV: true, Fixable: true}),
		Title: "Slow DH[31m keys", Subject: pkg.PURL, Path: "/var/lib/dpkg/status", Layer: "sha256:aa",
		Places: []bulwark.Place{{Path: "/var/lib/dpkg/status", Layer: "sha256:aa"}}, FromBase: true,
		Fix:        &bulwark.Fix{Text: "upgrade libssl3 (source package openssl) to 3.0.11-1~deb12u2", Version: "3.0.11-1~deb12u2"},
		References: []string{"https://security-tracker.debian.org/tracker/CVE-2023-5678", "https://nvd.nist.gov/vuln/detail/CVE-2023-9"},
		Vulnerability: &bulwark.Vulnerability{
			ID: "DEBIAN-CVE-2023-5678", Aliases: []string{"CVE-2023-5678"}, CVEs: []string{"CVE-2023-9", "CVE-2023-5678"},
			Package: "libssl3", Source: "openssl", Installed: "3.0.11-1~deb12u1",
			Fixed: []string{"3.0.11-1~deb12u2", "3.0.13-1~deb12u1"},
			CVSS:  &bulwark.CVSS{Vector: "v", Score: 5.3}, EPSS: &bulwark.EPSS{Score: 0.25, Percentile: 0.25}, KEV: true,
		},
	}}
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if len(notes) > 0 {
		t.Errorf("notes %v, want none", notes)
	}
}

func TestEmptyListsAreNotNull(t *testing.T) {
	db := &memory{hits: map[string][]advisory.Hit{"npm/a": {{ID: "GHSA-1"}}}}
	findings, _ := check(t, db, Options{}, folder, &bulwark.Inventory{Packages: []bulwark.Package{npm("a", "1", "x")}})
	b, err := json.Marshal(findings[0].Vulnerability)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "null") {
		t.Errorf("a list is null: %s", b)
	}
	if findings[0].Title != "GHSA-1 in a" || findings[0].Fix != nil {
		t.Errorf("title %q, fix %v", findings[0].Title, findings[0].Fix)
	}
}

// TestMalicious: a record of a malicious package, or one merged with it, is malware.
func TestMalicious(t *testing.T) {
	for _, hit := range []advisory.Hit{{ID: "MAL-2024-1"}, {ID: "GHSA-1", Aliases: []string{"MAL-2024-1"}}} {
		db := &memory{hits: map[string][]advisory.Hit{"npm/a": {hit}}}
		findings, _ := check(t, db, Options{}, folder, &bulwark.Inventory{Packages: []bulwark.Package{npm("a", "1", "x")}})
		if f := findings[0]; f.Kind != bulwark.KindMalware || f.Severity != bulwark.SeverityCritical || f.Fix == nil || f.Risk == 0 {
			t.Errorf("%s: %s, %s, risk %d, fix %v", hit.ID, f.Kind, f.Severity, f.Risk, f.Fix)
		}
	}
}

// TestMerge says which records are one vulnerability: leads first, members behind.
func TestMerge(t *testing.T) {
	hit := func(id string, aliases ...string) advisory.Hit { return advisory.Hit{ID: id, Aliases: aliases} }
	up := func(id string, upstream ...string) advisory.Hit { return advisory.Hit{ID: id, Upstream: upstream} }
	for _, tt := range []struct {
		name   string
		distro bool
		hits   []advisory.Hit
		want   []string
	}{
		{"alias, either way", false, []advisory.Hit{hit("GHSA-1", "CVE-2020-1"), hit("PYSEC-1", "CVE-2020-1", "GHSA-1")}, []string{"PYSEC-1 GHSA-1"}},
		{"a CVE leads", false, []advisory.Hit{hit("GHSA-1", "CVE-2020-1"), hit("CVE-2020-1")}, []string{"CVE-2020-1 GHSA-1"}},
		{"a shared alias is not enough", false, []advisory.Hit{hit("GHSA-1", "NSWG-1", "CVE-2013-1"), hit("GHSA-2", "NSWG-1", "CVE-2013-2")}, []string{"GHSA-1", "GHSA-2"}},
		{"single upstream", true, []advisory.Hit{up("DEBIAN-CVE-2020-1", "CVE-2020-1"), hit("CVE-2020-1")}, []string{"DEBIAN-CVE-2020-1 CVE-2020-1"}},
		{"a DSA on two joins nothing", true,
			[]advisory.Hit{up("DSA-1", "CVE-2020-1", "CVE-2020-2"), up("DEBIAN-CVE-2020-1", "CVE-2020-1"), up("DEBIAN-CVE-2020-2", "CVE-2020-2"), hit("CVE-2020-1")},
			[]string{"DEBIAN-CVE-2020-1 CVE-2020-1", "DEBIAN-CVE-2020-2", "DSA-1"}},
		{"nor when it lists them as aliases", true,
			[]advisory.Hit{hit("ALSA-1", "CVE-2020-1", "CVE-2020-2"), hit("CVE-2020-1"), hit("CVE-2020-2")}, []string{"ALSA-1", "CVE-2020-1", "CVE-2020-2"}},
		{"two records on the same two", false,
			[]advisory.Hit{hit("GO-1", "CVE-2020-1", "CVE-2020-2", "GHSA-1"), hit("GHSA-1", "CVE-2020-1", "CVE-2020-2")}, []string{"GO-1 GHSA-1"}},
		{"a collective record and its parts", false,
			[]advisory.Hit{hit("GO-1", "CVE-2020-1", "CVE-2020-2", "GHSA-1", "GHSA-2"), hit("GHSA-1", "CVE-2020-1"), hit("GHSA-2", "CVE-2020-2")}, []string{"GO-1", "GHSA-1", "GHSA-2"}},
		{"not passed on", false, []advisory.Hit{hit("A-1", "B-1"), hit("B-1", "C-1"), hit("C-1")}, []string{"A-1 B-1", "C-1"}},
		{"the same record twice", true, []advisory.Hit{hit("UBUNTU-1"), hit("UBUNTU-1")}, []string{"UBUNTU-1"}},
		{"names itself", false, []advisory.Hit{hit("GHSA-1", "GHSA-1")}, []string{"GHSA-1"}},
	} {
		for range 2 {
			var got []string
			for _, g := range merge(tt.hits, tt.distro) {
				line := g.lead.ID
				for _, o := range g.others {
					line += " " + o.ID
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
			slices.Reverse(tt.hits) // the order of the hits decides nothing
		}
	}
}

func TestKeysAreDistinct(t *testing.T) {
	db := &memory{hits: map[string][]advisory.Hit{"Debian:12/a": {
		{ID: "DSA-1", Upstream: []string{"CVE-2020-1", "CVE-2020-2"}},
		{ID: "DEBIAN-CVE-2020-1", Upstream: []string{"CVE-2020-1"}},
		{ID: "DSA-2", Upstream: []string{"CVE-2020-1"}},
	}}}
	findings, _ := check(t, db, Options{}, image, &bulwark.Inventory{Release: bookworm, Packages: []bulwark.Package{deb("a", "1", "", "")}})
	keys := map[string]string{}
	for _, f := range findings {
		if other, ok := keys[f.Key]; ok {
			t.Errorf("%s and %s have the same key", f.Rule, other)
		}
		keys[f.Key] = f.Rule
	}
	want := bulwark.Key("vulnerability", "CVE-2020-1", "pkg:deb/debian/a?arch=amd64", "/var/lib/dpkg/status")
	if keys[want] != "vuln/DEBIAN-CVE-2020-1" {
		t.Errorf("the key of CVE-2020-1 is %q's, want the record's on it alone", keys[want])
	}
}

func TestSeverity(t *testing.T) {
	const high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
	db := &memory{cves: map[string]bulwark.CVSS{"CVE-2020-1": {Vector: "x", Score: 9.8}, "CVE-2020-2": {Vector: "y", Score: 4}}}
	for _, tt := range []struct {
		hit  advisory.Hit
		want bulwark.Severity
	}{
		{advisory.Hit{ID: "A-1", Severity: bulwark.SeverityLow, Aliases: []string{"CVE-2020-1"}}, bulwark.SeverityLow},
		{advisory.Hit{ID: "A-1", Aliases: []string{"CVE-2020-1", "CVE-2020-2"}}, bulwark.SeverityCritical},
		{advisory.Hit{ID: "A-1", Related: []string{"CVE-2020-2"}}, bulwark.SeverityMedium},
		{advisory.Hit{ID: "A-1"}, bulwark.SeverityUnknown},
		{advisory.Hit{ID: "A-1", CVSS: []string{"nonsense"}}, bulwark.SeverityUnknown},
	} {
		db.hits = map[string][]advisory.Hit{"npm/a": {tt.hit}}
		findings, _ := check(t, db, Options{}, folder, &bulwark.Inventory{Packages: []bulwark.Package{npm("a", "1", "x")}})
		if got := findings[0].Severity; got != tt.want {
			t.Errorf("%+v: severity %v, want %v", tt.hit, got, tt.want)
		}
	}
	db.hits = map[string][]advisory.Hit{"npm/a": {{ID: "A-1", CVSS: []string{"nonsense", high}, Aliases: []string{"CVE-2020-2"}}}}
	findings, _ := check(t, db, Options{}, folder, &bulwark.Inventory{Packages: []bulwark.Package{npm("a", "1", "x")}})
	if findings[0].Severity != bulwark.SeverityHigh || findings[0].Vulnerability.CVSS.Vector != high {
		t.Errorf("severity %v of %v, want that of the record's vector", findings[0].Severity, findings[0].Vulnerability.CVSS)
	}
}

func TestPlacesOfOnePURL(t *testing.T) {
	db := &memory{hits: map[string][]advisory.Hit{"npm/a": {{ID: "GHSA-1"}, {ID: "GHSA-2"}}}}
	base := npm("a", "1.0.0", "/app/b/package.json")
	base.FromBase = true
	findings, _ := check(t, db, Options{}, image, &bulwark.Inventory{Packages: []bulwark.Package{
		base, npm("a", "1.0.0", "/app/a-1.0.0/package.json"), npm("a", "1.0.0", "/app/b/package.json"), npm("a", "2.0.0", "/c"),
	}})
	if len(findings) != 4 {
		t.Fatalf("%d findings, want 2 for each of 2 versions", len(findings))
	}
	f := findings[0]
	if diff := cmp.Diff([]bulwark.Place{{Path: "/app/a-1.0.0/package.json"}, {Path: "/app/b/package.json"}}, f.Places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if f.FromBase {
		t.Error("a package that stands above the base too is not from the base")
	}
	if want := bulwark.Key("vulnerability", "GHSA-1", "pkg:npm/a", "/app/a-*/package.json"); f.Key != want {
		t.Error("the key holds a version")
	}
}

// TestWhatIsAsked says under which names and versions packages are looked up.
func TestWhatIsAsked(t *testing.T) {
	with := func(p bulwark.Package, eco, format string) bulwark.Package {
		p.Ecosystem, p.Format = eco, format
		return p
	}
	for _, tt := range []struct {
		name string
		pkg  bulwark.Package
		want string
	}{
		{"deb", deb("libc6", "2.36-9+b1", "glibc", "2.36-9"), "Debian:12 glibc 2.36-9"},
		{"deb of its own source", deb("bash", "5", "", ""), "Debian:12 bash 5"},
		{"apk", with(deb("libssl3", "3.1-r0", "openssl", ""), "Alpine:v3.19", "apk"), "Alpine:v3.19 openssl 3.1-r0"},
		{"rpm by source", with(deb("libx", "1:2-3", "x", "2-3"), "Mageia:9", "rpm"), "Mageia:9 x 1:2-3"},
		{"rpm by binary", with(deb("libx", "1:2-3", "x", "2-3"), "AlmaLinux:9", "rpm"), "AlmaLinux:9 libx 1:2-3"},
		{"rpm by both", with(deb("libx", "1:2-3", "x", "2-3"), "Rocky Linux:9", "rpm"), "Rocky Linux:9 libx 1:2-3, Rocky Linux:9 x 1:2-3"},
		{"several ecosystems", with(deb("libx", "1", "x", "1"), "Ubuntu:22.04:LTS", "deb"), "Ubuntu:22.04:LTS x 1, Ubuntu:Pro:22.04:LTS x 1"},
		{"npm", npm("@a/b", "1", ""), "npm @a/b 1"},
	} {
		db := &memory{none: map[string]bool{tt.pkg.Ecosystem: true}}
		plan := (&Check{db: db}).plan(folder, &bulwark.Inventory{Packages: []bulwark.Package{tt.pkg}})
		var got []string
		for _, q := range plan.questions[0].queries {
			got = append(got, q.Ecosystem+" "+q.Name+" "+q.Version)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: asks %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestBinaryPackagesShareAQuestion(t *testing.T) {
	db := &memory{none: map[string]bool{"Debian:12": true}}
	plan := (&Check{db: db}).plan(image, &bulwark.Inventory{Packages: []bulwark.Package{
		deb("libc6", "2.36-9", "glibc", "2.36-9"), deb("libc-bin", "2.36-9", "glibc", "2.36-9"), deb("locales", "2.36-8", "glibc", "2.36-8"),
	}})
	if len(plan.questions) != 2 || len(plan.subjects) != 3 {
		t.Errorf("%d questions on %d subjects, want 2 on 3", len(plan.questions), len(plan.subjects))
	}
}

func TestWhoIsJudged(t *testing.T) {
	db := &memory{hits: map[string][]advisory.Hit{"npm/a": {{ID: "GHSA-1"}}, "Bitnami/node": {{ID: "BIT-node-1"}}}, none: map[string]bool{"Debian:12": true}}
	owned := npm("a", "1", "/usr/share/nodejs/a/package.json")
	owned.OwnedBy = "node-a"
	locked, dev := npm("a", "1", "/app/package-lock.json"), npm("a", "1", "/app/package-lock.json")
	locked.Declared, dev.Declared, dev.Dev = true, true, true
	program := bulwark.Package{Name: "node", Version: "20.1.0", Format: "generic", Ecosystem: "Bitnami", PURL: "pkg:generic/node@20.1.0"}
	ownedProgram := program
	ownedProgram.OwnedBy = "nodejs"
	trixie := &bulwark.Release{ID: "debian", VersionID: "99"}
	for _, tt := range []struct {
		name    string
		target  *bulwark.Target
		release *bulwark.Release
		pkgs    []bulwark.Package
		want    int
	}{
		{"owned, and the distribution has advisories", image, bookworm, []bulwark.Package{owned}, 0},
		{"owned, and it has none", image, trixie, []bulwark.Package{owned}, 1},
		{"owned, and no distribution", image, nil, []bulwark.Package{owned}, 1},
		{"lockfile of a folder", folder, nil, []bulwark.Package{locked}, 1},
		{"development package of a folder", folder, nil, []bulwark.Package{dev}, 1},
		{"lockfile in an image", image, nil, []bulwark.Package{locked}, 1},
		{"lockfile beside what is installed", image, nil, []bulwark.Package{locked, npm("b", "1", "/app/node_modules/b")}, 0},
		{"development package in an image", image, nil, []bulwark.Package{dev}, 0},
		{"program", image, bookworm, []bulwark.Package{program}, 1},
		{"program of the distribution", image, bookworm, []bulwark.Package{ownedProgram}, 0},
	} {
		findings, _ := check(t, db, Options{}, tt.target, &bulwark.Inventory{Release: tt.release, Packages: tt.pkgs})
		if len(findings) != tt.want {
			t.Errorf("%s: %d findings, want %d", tt.name, len(findings), tt.want)
		}
	}
}

func TestNotes(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	info := func(built, newest time.Time) bulwark.Advisories {
		return bulwark.Advisories{Built: built, Sources: []bulwark.DataSource{{Name: "npm", Newest: newest}}}
	}
	rpm := bulwark.Package{Name: "a", Version: "1", Format: "rpm", PURL: "pkg:rpm/fedora/a@1?distro=fedora-40"}
	for _, tt := range []struct {
		name       string
		db         advisories
		inv        bulwark.Inventory
		want       string
		incomplete bool
	}{
		{"no database", nil, bulwark.Inventory{}, "run: bulwark db update", true},
		{"release without data", &memory{}, bulwark.Inventory{Release: &bulwark.Release{ID: "debian", VersionID: "99"},
			Packages: []bulwark.Package{{Name: "a", Version: "1", Format: "deb", Ecosystem: "Debian:99", PURL: "pkg:deb/debian/a@1"}}},
			"no advisories for Debian:99: 1 package was not judged", true},
		{"distribution without ecosystem", &memory{}, bulwark.Inventory{Release: &bulwark.Release{ID: "fedora", VersionID: "40"},
			Packages: []bulwark.Package{rpm}}, "no advisories for fedora 40: 1 package was not judged", true},
		{"the same in an SBOM", &memory{}, bulwark.Inventory{Packages: []bulwark.Package{rpm}}, "no advisories for fedora-40", true},
		{"language without data", &memory{}, bulwark.Inventory{Packages: []bulwark.Package{npm("a", "1", ""), npm("b", "1", "")}},
			"no advisories for npm: 2 packages were not judged", true},
		{"no version", &memory{none: map[string]bool{"npm": true}}, bulwark.Inventory{Packages: []bulwark.Package{npm("a", "", "")}},
			"1 package was not judged, for lack of a version", false},
		{"versions that cannot be compared", &memory{none: map[string]bool{"npm": true}}, bulwark.Inventory{Packages: []bulwark.Package{npm("b", "latest", ""), npm("a", "latest", "")}},
			"2 packages were not compared with ranges of versions, because theirs has no order: a latest, b latest", false},
		{"old database", &memory{info: info(now.AddDate(0, 0, -9), now)}, bulwark.Inventory{}, "built 9 days ago (2026-11-13)", false},
		{"built from old data", &memory{info: info(now, now.AddDate(0, 0, -98))}, bulwark.Inventory{}, "98 days old", false},
		{"empty distribution", &memory{}, bulwark.Inventory{Release: &bulwark.Release{ID: "debian", VersionID: "99"}}, "no advisories for debian 99", true},
	} {
		_, notes := check(t, tt.db, Options{Now: now}, image, &tt.inv)
		if len(notes) != 1 || !strings.Contains(notes[0].Text, tt.want) || notes[0].Incomplete != tt.incomplete {
			t.Errorf("%s: notes %+v, want one with %q, incomplete %v", tt.name, notes, tt.want, tt.incomplete)
		}
	}
	if _, notes := check(t, &memory{info: info(now.AddDate(0, 0, -6), now)}, Options{Now: now}, image, &bulwark.Inventory{}); len(notes) > 0 {
		t.Errorf("fresh data: notes %v", notes)
	}
	if New(nil, Options{}).db != nil {
		t.Error("New(nil) has a database")
	}
}

func symbols(names ...string) *bulwark.Symbols {
	hashes := make([]uint32, len(names))
	for i, n := range names {
		hashes[i] = bulwark.SymbolHash(n)
	}
	return bulwark.NewSymbols(hashes)
}

func TestLinkedSymbols(t *testing.T) {
	imports := []advisory.Import{{Path: "golang.org/x/text/language", Symbols: []string{"Parse", "Tag.Match", "Other.Do"}}}
	for _, tt := range []struct {
		name    string
		imports []advisory.Import
		linked  []*bulwark.Symbols
		want    string // "yes: ...", "no: ...", "unknown"
	}{
		{"function", imports, []*bulwark.Symbols{symbols("golang.org/x/text/language.Parse")}, "yes: golang.org/x/text/language.Parse is linked"},
		{"method of a pointer", imports, []*bulwark.Symbols{symbols("golang.org/x/text/language.(*Tag).Match")}, "yes: golang.org/x/text/language.Tag.Match is linked"},
		{"method of a value", imports, []*bulwark.Symbols{symbols("golang.org/x/text/language.Tag.Match")}, "yes: golang.org/x/text/language.Tag.Match is linked"},
		{"another function", imports, []*bulwark.Symbols{symbols("golang.org/x/text/language.Make")}, "no: no vulnerable symbol is linked"},
		{"whole package", []advisory.Import{{Path: "a/b"}}, []*bulwark.Symbols{symbols("a/b")}, "yes: a/b is linked"},
		{"another package", []advisory.Import{{Path: "a/b"}}, []*bulwark.Symbols{symbols("a/c")}, "no: no vulnerable symbol is linked"},
		{"one of two programs", []advisory.Import{{Path: "a/b"}}, []*bulwark.Symbols{symbols("a/c"), symbols("a/b")}, "yes: a/b is linked"},
		{"one of two is not known", []advisory.Import{{Path: "a/b"}}, []*bulwark.Symbols{symbols("a/c"), nil}, "unknown"},
		{"not known", imports, []*bulwark.Symbols{nil}, "unknown"},
		{"all of the module", nil, []*bulwark.Symbols{symbols("a/b")}, "unknown"},
		{"other system", []advisory.Import{{Path: "a/b", GOOS: []string{"windows"}}}, []*bulwark.Symbols{symbols("a/b")}, "no: only other operating systems or architectures are affected"},
		{"this system", []advisory.Import{{Path: "a/b", GOOS: []string{"windows", "linux"}, GOARCH: []string{"amd64"}}}, []*bulwark.Symbols{symbols("a/b")}, "yes: a/b is linked"},
	} {
		db := &memory{hits: map[string][]advisory.Hit{"Go/golang.org/x/text": {{ID: "GO-1", Imports: tt.imports}}}}
		inv := &bulwark.Inventory{}
		for i, s := range tt.linked {
			inv.Packages = append(inv.Packages, bulwark.Package{Name: "golang.org/x/text", Version: "v0.3.7", Ecosystem: "Go", Format: "golang",
				PURL: "pkg:golang/golang.org/x/text@v0.3.7", Path: fmt.Sprintf("/bin/%d", i), Symbols: s})
		}
		findings, _ := check(t, db, Options{}, image, inv)
		got := "unknown"
		if u := findings[0].InUse; u != nil {
			got = map[bool]string{true: "yes: ", false: "no: "}[*u] + strings.Join(findings[0].Evidence, "; ")
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestKernel(t *testing.T) {
	host := &bulwark.Target{Absolute: true, Asset: bulwark.Asset{Kind: "host"}}
	db := &memory{hits: map[string][]advisory.Hit{"Debian:12/linux": {{ID: "A-1"}}, "Debian:12/linux-signed-amd64": {{ID: "A-1"}}, "Debian:12/bash": {{ID: "B-1"}}}}
	for _, tt := range []struct {
		pkg    bulwark.Package
		target *bulwark.Target
		idle   bool
	}{
		{deb("linux-libc-dev", "6.1", "linux", "6.1"), image, true},
		{deb("linux-image-6.1.0-1-amd64", "6.1", "linux-signed-amd64", "6.1+1"), image, true},
		{deb("bash", "5", "", ""), image, false},
		{deb("linux-libc-dev", "6.1", "linux", "6.1"), host, true},
		{deb("linux-image-6.1.0-1-amd64", "6.1", "linux-signed-amd64", "6.1+1"), host, false},
	} {
		findings, _ := check(t, db, Options{}, tt.target, &bulwark.Inventory{Release: bookworm, Packages: []bulwark.Package{tt.pkg}})
		f := findings[0]
		if idle := f.InUse != nil && !*f.InUse; idle != tt.idle || idle != (len(f.Evidence) > 0) {
			t.Errorf("%s in %s: idle %v with evidence %q, want %v", tt.pkg.Name, tt.target.Asset.Kind, idle, f.Evidence, tt.idle)
		}
	}
}

func TestFixText(t *testing.T) {
	for _, tt := range []struct {
		pkg  bulwark.Package
		want string
	}{
		{deb("openssl", "3.0", "openssl", "3.0"), "upgrade openssl to 9"},
		{deb("openssl", "3.0", "", ""), "upgrade openssl to 9"},
		{deb("libssl3", "3.0", "openssl", "3.0"), "upgrade libssl3 (source package openssl) to 9"},
		{deb("libgcc-s1", "12.2.0-14", "gcc-12", "12.2.0"), "upgrade libgcc-s1 to a build of source package gcc-12 9"},
		{bulwark.Package{Name: "stdlib", Format: "golang", Version: "1.20"}, "rebuild with Go 9"},
	} {
		if got := upgrade(&tt.pkg, "9"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.pkg.Name, got, tt.want)
		}
	}
}

// many is 2,000 packages with 88 advisories each, beside as many without.
func many() (*memory, *bulwark.Inventory) {
	db := &memory{hits: map[string][]advisory.Hit{}}
	inv := &bulwark.Inventory{Release: bookworm}
	for i := range 2000 {
		var hits []advisory.Hit
		for j := range 88 {
			cve := fmt.Sprintf("CVE-2024-%d", i*100+j)
			hits = append(hits, advisory.Hit{ID: "DEBIAN-" + cve, Upstream: []string{cve}, Fixed: []string{"1.2-3"}})
		}
		name := fmt.Sprintf("pkg%d", i)
		db.hits["Debian:12/"+name] = hits
		inv.Packages = append(inv.Packages, deb(name, "1", "", ""), deb(name+"-clean", "1", "", ""))
	}
	return db, inv
}

// BenchmarkAsk is what the check adds to matching: merging, names and ratings.
func BenchmarkAsk(b *testing.B) {
	db, inv := many()
	c := &Check{db: db}
	plan := c.plan(image, inv)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.ask(b.Context(), plan.questions); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck is all of it, 176,000 findings made.
func BenchmarkCheck(b *testing.B) {
	db, inv := many()
	c := &Check{db: db}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(b.Context(), image, inv, func(r bulwark.Record) {}); err != nil {
			b.Fatal(err)
		}
	}
}
