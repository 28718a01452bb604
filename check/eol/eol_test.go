package eol

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/advisory"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// products is a database in memory.
type products map[string]advisory.Product

func (p products) Info() bulwark.Advisories {
	return bulwark.Advisories{Sources: []bulwark.DataSource{{Name: "eol", Records: len(p)}}}
}

func (p products) Product(name string) (advisory.Product, bool) {
	product, ok := p[name]
	return product, ok
}

func (p products) ProductOfPURL(purl string) (advisory.Product, bool) {
	return p.Product(map[string]string{"pkg:generic/node": "nodejs", "pkg:pypi/django": "django",
		"pkg:maven/org.springframework/spring-core": "spring", "pkg:maven/org.springframework/spring-web": "spring"}[purl])
}

func data() products {
	r := func(cycle, released, eol, extended string) advisory.ProductRelease {
		out := advisory.ProductRelease{Cycle: cycle, Released: day(released)}
		if eol != "" {
			out.EOL = day(eol)
		}
		if extended != "" {
			out.Extended = day(extended)
		}
		return out
	}
	lts := func(r advisory.ProductRelease) advisory.ProductRelease { r.LTS = true; return r }
	return products{
		"debian": {Name: "debian", Title: "Debian", Releases: []advisory.ProductRelease{
			r("14", "2027-08-01", "2030-08-01", ""),
			r("13", "2025-08-09", "2028-08-09", "2030-06-30"), r("12", "2023-06-10", "2026-07-11", "2028-06-30"), r("11", "2021-08-14", "2024-08-14", "2026-08-31")}},
		"alpine-linux": {Name: "alpine-linux", Title: "Alpine Linux", Releases: []advisory.ProductRelease{
			r("3.24", "2026-06-09", "2028-06-01", ""), r("3.19", "2023-12-07", "2025-11-01", "")}},
		"nodejs": {Name: "nodejs", Title: "Node.js", Releases: []advisory.ProductRelease{
			r("25", "2025-10-15", "2027-06-01", ""), lts(r("24", "2025-05-06", "2028-04-30", "")), r("20", "2023-04-18", "2026-04-30", "")}},
		"go": {Name: "go", Title: "Go", Releases: []advisory.ProductRelease{
			r("1.27", "2026-08-19", "", ""), r("1.26", "2026-02-10", "2027-02-10", ""), r("1.2", "2013-12-01", "2014-12-01", ""), {Cycle: "1.22", Released: day("2024-02-06"), Ended: true}}},
		"django":          {Name: "django", Title: "Django", Releases: []advisory.ProductRelease{r("5.2", "2025-04-02", "2027-01-31", "")}},
		"eclipse-temurin": {Name: "eclipse-temurin", Title: "Temurin", Releases: []advisory.ProductRelease{r("8", "2014-03-18", "2024-01-01", "")}},
		"spring":          {Name: "spring", Title: "Spring", Releases: []advisory.ProductRelease{r("5.3", "2020-10-27", "2024-08-31", "")}},
	}
}

func check(t *testing.T, now string, inv *bulwark.Inventory) []bulwark.Finding {
	t.Helper()
	var out []bulwark.Finding
	target := &bulwark.Target{Absolute: true, Asset: bulwark.Asset{Kind: "image"}}
	err := (&Check{db: data(), now: day(now)}).Check(t.Context(), target, inv, func(r bulwark.Record) { out = append(out, *r.Finding) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDistribution(t *testing.T) {
	for _, tt := range []struct {
		id, version, now string
		want             string // severity, evidence, fix
	}{
		{"debian", "11", "2026-11-22", "high|Debian 11 ended 2024-08-14; extended (LTS) support ended 2026-08-31|go to Debian 13, supported until 2028-08-09"},
		{"debian", "11", "2026-08-31", "medium|Debian 11 ended 2024-08-14; extended (LTS) support until 2026-08-31|go to Debian 13, supported until 2028-08-09"},
		{"debian", "12", "2026-11-22", "medium|Debian 12 ended 2026-07-11; extended (LTS) support until 2028-06-30|go to Debian 13, supported until 2028-08-09"},
		{"debian", "12", "2026-07-11", "low|Debian 12 ends 2026-07-11; extended (LTS) support until 2028-06-30|go to Debian 13, supported until 2028-08-09"},
		{"debian", "13", "2026-11-22", ""},
		{"debian", "", "2026-11-22", ""},
		{"alpine", "3.19.1", "2026-11-22", "high|Alpine Linux 3.19 ended 2025-11-01|go to Alpine Linux 3.24, supported until 2028-06-01"},
		{"unheard-of", "1", "2026-11-22", ""},
	} {
		got := ""
		for _, f := range check(t, tt.now, &bulwark.Inventory{Release: &bulwark.Release{ID: tt.id, VersionID: tt.version}}) {
			got += f.Severity.String() + "|" + strings.Join(f.Evidence, " ") + "|" + f.Fix.Text
		}
		if got != tt.want {
			t.Errorf("%s %s at %s:\n got %q\nwant %q", tt.id, tt.version, tt.now, got, tt.want)
		}
	}
}

func TestReleaseOfAnSBOM(t *testing.T) {
	got := check(t, "2026-11-22", &bulwark.Inventory{Packages: []bulwark.Package{
		{Name: "bash", Version: "5", PURL: "pkg:deb/debian/bash@5?distro=debian-11", Ecosystem: "Debian:11"}}})
	if len(got) != 1 || got[0].Subject != "debian 11" || got[0].Rule != "eol/debian" {
		t.Errorf("findings %+v, want one on debian 11", got)
	}
}

func TestPrograms(t *testing.T) {
	pkg := func(purl, name, version, path string) bulwark.Package {
		return bulwark.Package{PURL: purl + "@" + version, Name: name, Version: version, Path: path}
	}
	owned := pkg("pkg:generic/node", "node", "20.1.0", "/usr/bin/node")
	owned.OwnedBy = "nodejs"
	distro := pkg("pkg:deb/debian/nodejs", "nodejs", "20.1.0", "")
	distro.Format = "deb"
	got := map[string]string{}
	places := map[string]int{}
	for _, f := range check(t, "2026-11-22", &bulwark.Inventory{Packages: []bulwark.Package{
		owned, distro,
		pkg("pkg:generic/node", "node", "20.9.0", "/usr/local/bin/node"),
		pkg("pkg:generic/java", "java", "1.8.0_392", "/opt/java/release"),
		pkg("pkg:golang/stdlib", "stdlib", "1.22.3", "/bin/a"), pkg("pkg:golang/stdlib", "stdlib", "1.22.3", "/bin/b"),
		pkg("pkg:golang/stdlib", "stdlib", "1.27.0", "/bin/c"), pkg("pkg:golang/stdlib", "stdlib", "1.99", "/bin/d"),
		pkg("pkg:pypi/django", "django", "5.2.1", "/x"), pkg("pkg:pypi/flask", "flask", "1", "/y"),
		pkg("pkg:maven/org.springframework/spring-core", "spring-core", "5.3.20.RELEASE", "/a.jar"),
		pkg("pkg:maven/org.springframework/spring-web", "spring-web", "5.3.20.RELEASE", "/b.jar"),
	}}) {
		fix := ""
		if f.Fix != nil {
			fix = f.Fix.Text
		}
		got[f.Subject] = f.Severity.String() + ": " + f.Title + ": " + fix
		places[f.Subject] = len(f.Places)
	}
	want := map[string]string{
		"pkg:generic/node@20.9.0":                                  "high: Node.js 20 is past its end of life (2026-04-30): go to Node.js 24, supported until 2028-04-30",
		"pkg:generic/java@1.8.0_392":                               "high: Temurin 8 is past its end of life (2024-01-01): ",
		"pkg:golang/stdlib@1.22.3":                                 "high: Go 1.22 is past its end of life: go to Go 1.27",
		"pkg:pypi/django@5.2.1":                                    "low: Django 5.2 ends on 2027-01-31: ",
		"pkg:maven/org.springframework/spring-core@5.3.20.RELEASE": "high: Spring 5.3 is past its end of life (2024-08-31): ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if places["pkg:golang/stdlib@1.22.3"] != 2 {
		t.Errorf("stdlib has %d places, want 2", places["pkg:golang/stdlib@1.22.3"])
	}
}

func TestNoData(t *testing.T) {
	for _, c := range []*Check{New(nil, Options{Now: day("2026-11-22")}), {db: products{}, now: day("2026-11-22")}} {
		var notes []bulwark.Note
		if err := c.Check(t.Context(), &bulwark.Target{}, &bulwark.Inventory{}, func(r bulwark.Record) { notes = append(notes, *r.Note) }); err != nil {
			t.Fatal(err)
		}
		if len(notes) != 1 || !notes[0].Incomplete {
			t.Errorf("notes %v, want one that makes the run incomplete", notes)
		}
	}
}
