package advisory

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestExploitation(t *testing.T) {
	db, err := openCopy(t, smallFile(t))
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := db.KEV("CVE-2024-1000"); !ok || k != (KEV{day(2025, 8, 25), day(2025, 9, 15), true}) {
		t.Errorf("KEV = %+v, %v", k, ok)
	}
	if _, ok := db.KEV("CVE-2024-1001"); ok {
		t.Error("CVE-2024-1001 is not known to be exploited")
	}
	if e, ok := db.EPSS("CVE-2024-1000"); !ok || e != (bulwark.EPSS{Score: 0.03351, Percentile: 0.8765}) {
		t.Errorf("EPSS = %+v, %v", e, ok)
	}
	if e, ok := db.EPSS("CVE-2024-1001"); !ok || e != (bulwark.EPSS{Score: 1, Percentile: 1}) {
		t.Errorf("EPSS = %+v, %v", e, ok)
	}
	for _, cve := range []string{"CVE-2024-0999", "CVE-2024-1002", "CVE-1969-0001", "", "CVE-2024-"} {
		if e, ok := db.EPSS(cve); ok {
			t.Errorf("EPSS(%q) = %+v, want none", cve, e)
		}
	}
}

func TestParseEOL(t *testing.T) {
	api := `{"generated_at":"2026-08-22T01:02:03Z","result":[{"name":"nodejs","label":"Node.js","category":"framework","identifiers":[{"type":"purl","id":"pkg:generic/node"},{"type":"cpe","id":"cpe:/a"}],
		"releases":[{"name":"22","codename":"Jod","releaseDate":"2024-04-24","isLts":true,"isEol":false,"eolFrom":"2027-04-30","isEoes":false,"eoesFrom":null,"latest":{"name":"22.1.0","date":"2026-07-29"}},{"name":"21","isEol":true,"eolFrom":null}]}]}`
	own := `{"date":"2026-08-22","products":{"nodejs":{"title":"Node.js","category":"framework","identifiers":[{"purl":"pkg:generic/node"},{"cpe":"cpe:/a"}],
		"releases":[{"releaseCycle":"22","codename":"Jod","releaseDate":"2024-04-24","lts":"2024-10-29","eol":"2027-04-30","eoes":false,"latest":"22.1.0","latestReleaseDate":"2026-07-29"},{"releaseCycle":"21","eol":true}]}}}`
	want := []Product{{Name: "nodejs", Title: "Node.js", Category: "framework", Releases: []ProductRelease{
		{Cycle: "22", Codename: "Jod", Latest: "22.1.0", Released: day(2024, 4, 24), LatestReleased: day(2026, 7, 29), EOL: day(2027, 4, 30), LTS: true},
		{Cycle: "21", Ended: true},
	}}}
	for name, text := range map[string]string{"own": own, "api": api, "array": api[strings.Index(api, "[") : len(api)-1]} {
		data, err := parseEOL(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, data.products); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if data.purls["pkg:generic/node"] != "nodejs" {
			t.Errorf("%s: package URLs %v", name, data.purls)
		}
		if name != "array" && data.newest.Format(time.DateOnly) != "2026-08-22" {
			t.Errorf("%s: newest %v", name, data.newest)
		}
	}
}

// TestSharedData looks into the real data: dates, numbers, products.
func TestSharedData(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	db := sharedDB(t)
	info := db.Info()
	total := 0
	for _, s := range info.Sources {
		if s.Newest.IsZero() || s.Newest.After(now.Add(24*time.Hour)) || s.Records == 0 {
			t.Errorf("source %+v", s)
		}
		total += s.Records
	}
	if info.Records < 69_000 || !info.Built.Equal(now) || total < 400_000 {
		t.Errorf("%d records, %d in all, built %v", info.Records, total, info.Built)
	}
	if p, ok := db.Product("debian"); !ok || len(p.Releases) < 10 || p.Releases[0].Cycle != "13" || !p.Releases[1].EOL.Equal(day(2026, 7, 11)) || !p.Releases[1].Extended.Equal(day(2028, 6, 30)) {
		t.Errorf("debian = %+v, %v", p, ok)
	}
	if p, ok := db.ProductOfPURL("pkg:generic/node"); !ok || p.Name != "nodejs" {
		t.Errorf("pkg:generic/node = %v, %v", p.Name, ok)
	}
	if _, ok := db.Product("nothing"); ok {
		t.Error("there is a product nothing")
	}
	if e, ok := db.EPSS("CVE-1999-0001"); !ok || e != (bulwark.EPSS{Score: 0.03351, Percentile: 0.8765}) {
		t.Errorf("EPSS(CVE-1999-0001) = %+v, %v", e, ok)
	}
	if err := db.Err(); err != nil {
		t.Error(err)
	}
}

// TestTraps: records of another distribution that call themselves plain "Alpine".
func TestTraps(t *testing.T) {
	dir := filepath.Join(sharedData(t), "osv-traps")
	out := filepath.Join(t.TempDir(), "a.db")
	if err := Build(t.Context(), BuildOptions{OSV: dir, Now: now}, out); err != nil {
		t.Fatal(err)
	}
	db, err := Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if db.Info().Records != 25 {
		t.Errorf("%d records, want 25", db.Info().Records)
	}
	r, err := db.Record("CLEANSTART-2026-AA33839")
	if err != nil || len(r.Affected) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, eco := range []string{"Alpine", "Alpine:v3.19", "Alpine:v3.11", "Alpine:edge", "Wolfi"} {
		if hits, err := db.Match(nil, Query{eco, "activemq", "6.2.3-r0"}); err != nil || len(hits) != 0 || db.Has(eco) {
			t.Errorf("%s: %v, %v, want nothing", eco, hits, err)
		}
	}
}
