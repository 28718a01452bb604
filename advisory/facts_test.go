package advisory

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// build makes a database of hand-written records, files by name below its OSV folder.
func build(tb testing.TB, files map[string]string) *DB {
	tb.Helper()
	db, _ := buildSaying(tb, files)
	return db
}

func buildSaying(tb testing.TB, files map[string]string) (*DB, string) {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		write(tb, filepath.Join(dir, "osv", name), text)
	}
	var said strings.Builder
	path := filepath.Join(dir, "a.db")
	o := BuildOptions{OSV: filepath.Join(dir, "osv"), Now: now, Progress: func(s string) { fmt.Fprintln(&said, s) }}
	for _, s := range []struct {
		dst  *string
		name string
	}{{&o.KEV, "kev.json"}, {&o.EPSS, "epss.csv"}, {&o.EOL, "eol.json"}} {
		if file := filepath.Join(dir, "osv", "..", s.name); files["../"+s.name] != "" {
			*s.dst = file
		}
	}
	if err := Build(tb.Context(), o, path); err != nil {
		tb.Fatal(err)
	}
	db, err := Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db, said.String()
}

func write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// record writes a record with one affected package.
func record(id, ecosystem, name, rest string, more ...string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-01-02T03:04:05Z","published":"2026-01-01T00:00:00Z","summary":"about %s",%s
		"affected":[{"package":{"ecosystem":%q,"name":%q},%s}]}`, id, id, strings.Join(more, ""), ecosystem, name, rest)
}

func ranges(kind string, events ...string) string {
	var list []string
	for _, e := range events {
		k, v, _ := strings.Cut(e, " ")
		list = append(list, fmt.Sprintf(`{%q:%q}`, k, v))
	}
	return fmt.Sprintf(`"ranges":[{"type":%q,"events":[%s]}]`, kind, strings.Join(list, ","))
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name      string
		record    string
		ecosystem string
		pkg       string
		hit, miss string // versions
	}{
		{"fixed", record("A-1", "npm", "x", ranges("SEMVER", "introduced 0", "fixed 1.2.3")), "npm", "x", "0.0.0-0 1.2.3-rc.1 1.2.2 v1.2.2", "1.2.3 1.2.4 2.0.0"},
		{"introduced", record("A-1", "npm", "x", ranges("SEMVER", "introduced 1.0.0")), "npm", "x", "1.0.0 99.0.0", "1.0.0-rc.1 0.9.0"},
		{"last affected", record("A-1", "npm", "x", ranges("SEMVER", "introduced 1.0.0", "last_affected 1.5.0")), "npm", "x", "1.0.0 1.5.0 1.5.0+build", "1.5.1 0.1.0"},
		{"one version", record("A-1", "npm", "x", ranges("SEMVER", "introduced 1.0.0", "last_affected 1.0.0")), "npm", "x", "1.0.0", "1.0.1 0.9.9"},
		{"several intervals, out of order", record("A-1", "PyPI", "x", ranges("ECOSYSTEM", "fixed 3.1", "introduced 0", "introduced 3.0", "fixed 2.2")), "PyPI", "x", "1.0 2.1 3.0 3.0.5", "2.2 2.9 3.0rc1 3.1 4"},
		{"intervals that touch", record("A-1", "PyPI", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 2.0.0", "introduced 2.0.0", "fixed 2.11.2")), "PyPI", "x", "1.0 2.0.0 2.11.1", "2.11.2"},
		{"empty interval", record("A-1", "PyPI", "x", ranges("ECOSYSTEM", "introduced 2.0", "fixed 2.0")), "PyPI", "x", "", "1.9 2.0 2.1"},
		{"limit", record("A-1", "npm", "x", ranges("SEMVER", "introduced 0", "limit 2.0.0")), "npm", "x", "1.9.9", "2.0.0 3.0.0"},
		{"no limit", record("A-1", "npm", "x", ranges("SEMVER", "introduced 0", "limit *")), "npm", "x", "1.9.9 99.0.0", ""},
		{"without introduced", record("A-1", "npm", "x", ranges("SEMVER", "fixed 2.0.0")), "npm", "x", "", "1.0.0 2.0.0"},
		{"several ranges", record("A-1", "npm", "x", `"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.1.0"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.1.0"}]}]`), "npm", "x", "1.0.5 2.0.5", "0.9.0 1.1.0 1.5.0 2.1.0"},
		{"overlapping ranges", record("A-1", "AlmaLinux:8", "x", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.el8"}]},{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-3.el8"}]}]`), "AlmaLinux:8", "x", "1-0.el8 1-1.el8 1-2.el8", "1-3.el8 1:0-1"},
		{"enumerated", record("A-1", "npm", "x", `"versions":["1.0.0","1.0.2"]`), "npm", "x", "1.0.0 1.0.2", "1.0.1 1.0.0+build"},
		{"enumerated as well", record("A-1", "PyPI", "x", ranges("ECOSYSTEM", "introduced 2", "fixed 3")+`,"versions":["1.0","2.5"]`), "PyPI", "x", "1.0 1.0.0 2.5 2.6", "1.1 3.0"},
		{"enumerated, no order", record("A-1", "PyPI", "x", `"versions":["2004d","latest"]`), "PyPI", "x", "2004d latest", "2004 late"},
		{"unknown ecosystem", record("A-1", "Nowhere", "x", ranges("ECOSYSTEM", "introduced 0")+`,"versions":["a"]`), "Nowhere", "x", "a", "b 1.0"},
		{"semver range in another ecosystem", record("A-1", "PyPI", "x", ranges("SEMVER", "introduced 0", "fixed 1.0.0")), "PyPI", "x", "0.9.0 1.0.0-rc.1", "1.0.0"},
		{"commits", record("A-1", "npm", "x", ranges("GIT", "introduced 0")), "npm", "x", "", "1.0.0"},
		{"withdrawn", record("A-1", "npm", "x", ranges("SEMVER", "introduced 0"), `"withdrawn":"2026-02-01T00:00:00Z",`), "npm", "x", "", "1.0.0"},
		{"release", record("A-1", "Debian:12", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 1:2.0-1")), "Debian:12", "x", "1.0-1 9.9-1 1:2.0~rc1-1 1:1.9+b2-1 0:3-1", "1:2.0-1 1:2.0-1+b1 1:2.0-1+deb12u1 2:0-1"},
		{"rebuild", record("A-1", "Debian:12", "x", ranges("ECOSYSTEM", "introduced 0", "last_affected 2.0-1")), "Debian:12", "x", "2.0-1 2.0-1+b3", "2.0-1+deb12u1 2.0-2"},
		{"other release", record("A-1", "Debian:13", "x", ranges("ECOSYSTEM", "introduced 0")), "Debian:12", "x", "", "1.0-1"},
		{"no release asked for", record("A-1", "Debian:12", "x", ranges("ECOSYSTEM", "introduced 0")), "Debian", "x", "", "1.0-1"},
		{"no release in the record", record("A-1", "Alpine", "x", ranges("ECOSYSTEM", "introduced 0")), "Alpine:v3.19", "x", "", "1.0-r0"},
		{"no release on either side", record("A-1", "Alpine", "x", ranges("ECOSYSTEM", "introduced 0")), "Alpine", "x", "", "1.0-r0"},
		{"long-term release", record("A-1", "Ubuntu:22.04:LTS", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 2")), "Ubuntu:22.04", "x", "1", "2"},
		{"paid support", record("A-1", "Ubuntu:Pro:22.04:LTS", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 2")), "Ubuntu:22.04", "x", "", "1"},
		{"Red Hat's streams", record("A-1", "Red Hat:enterprise_linux:9::baseos", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 0:2-1.el9")), "Red Hat:9.4", "x", "1-1.el9", "2-1.el9"},
		{"SUSE's modules", record("A-1", "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 2-1")), "SUSE:Linux Enterprise Server 15 SP5", "x", "1-1", "2-1"},
		{"alpine", record("A-1", "Alpine:v3.19", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 1.2.3-r4")), "Alpine:v3.19", "x", "1.2.3_rc1-r9 1.2.3-r3", "1.2.3-r4 1.2.3-r10 1.2.3_p1-r0"},
		{"rpm", record("A-1", "Rocky Linux:9", "x", ranges("ECOSYSTEM", "introduced 0", "fixed 0:1.0^git2-1.el9")), "Rocky Linux:9", "x", "1.0-9.el9 1.0~rc1-1.el9 1.0^git1-3.el9", "1.0^git2-1.el9 1.0.1-1.el9 1:0-1"},
		{"python names", record("A-1", "PyPI", "Foo_.Bar", ranges("ECOSYSTEM", "introduced 0")), "PyPI", "foo-bar", "1", ""},
		{"python names asked for", record("A-1", "PyPI", "foo-bar", ranges("ECOSYSTEM", "introduced 0")), "PyPI", "FOO__bar", "1", ""},
		{"nuget names", record("A-1", "NuGet", "Foo.Bar", ranges("ECOSYSTEM", "introduced 0", "fixed 2.0.0")), "NuGet", "foo.bar", "1.0.0 1.9.9.9", "2.0.0"},
		{"composer names", record("A-1", "Packagist", "Foo/bar", ranges("ECOSYSTEM", "introduced 0", "fixed 2.0.0")), "Packagist", "foo/Bar", "1.0.0 v1.9 2.0.0-beta1", "2.0.0 v2.0.1"},
		{"swift names", record("A-1", "SwiftURL", "github.com/a/B", ranges("SEMVER", "introduced 0")), "SwiftURL", "https://github.com/a/b.git", "1.0.0", ""},
		{"npm names are exact", record("A-1", "npm", "Foo", ranges("SEMVER", "introduced 0")), "npm", "foo", "", "1.0.0"},
		{"maven", record("A-1", "Maven", "org.a:b", ranges("ECOSYSTEM", "introduced 2.0-beta9", "fixed 2.15.0")), "Maven", "org.a:b", "2.0 2.14.1 2.15.0-rc1", "2.15.0 2.0-beta8"},
		{"pseudo-version", record("A-1", "Go", "golang.org/x/text", ranges("SEMVER", "introduced 0", "fixed 0.3.7")), "Go", "golang.org/x/text", "v0.0.0-20210921155107-089bfa567519 v0.3.7-0.20210503195748-5c7c50ebbd4f v0.3.6", "v0.3.7 v0.3.8-0.20211105212822-18b340fc7af2"},
		{"incompatible", record("A-1", "Go", "x", ranges("SEMVER", "introduced 0", "fixed 20.10.8")), "Go", "x", "v20.10.7+incompatible", "v20.10.8+incompatible"},
		{"go names as package URLs have them", record("A-1", "Go", "github.com/Masterminds/goutils", ranges("SEMVER", "introduced 0", "fixed 1.1.1")), "Go", "github.com/masterminds/goutils", "v1.1.0", "v1.1.1"},
		{"go names in another case", record("A-1", "Go", "github.com/sirupsen/logrus", ranges("SEMVER", "introduced 0", "fixed 1.1.1")), "Go", "github.com/Sirupsen/logrus", "v1.1.0", "v1.1.1"},
		{"standard library", record("A-1", "Go", "stdlib", ranges("SEMVER", "introduced 1.21.0-0", "fixed 1.21.5")), "Go", "stdlib", "go1.21 go1.21rc2 1.21.0-rc.3 go1.21.4 go1.21.4-fips v1.21.4", "go1.20.14 go1.21.5 go1.21.5-fips go1.22rc1"},
		{"not released", record("A-1", "Go", "x", ranges("SEMVER", "introduced 0")), "Go", "x", "", "(devel) unknown"},
		{"packaging revision", record("A-1", "Bitnami", "nginx", ranges("SEMVER", "introduced 0", "fixed 1.25.3")), "Bitnami", "nginx", "1.25.2-9", "1.25.3-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := build(t, map[string]string{"A-1.json": tt.record})
			for want, versions := range map[int]string{1: tt.hit, 0: tt.miss} {
				for _, v := range strings.Fields(versions) {
					hits, err := db.Match(nil, Query{tt.ecosystem, tt.pkg, v})
					if err != nil || len(hits) != want {
						t.Errorf("Match(%s, %s, %s): %d hits, %v, want %d", tt.ecosystem, tt.pkg, v, len(hits), err, want)
					}
				}
			}
			for _, q := range []Query{{tt.ecosystem, tt.pkg, ""}, {tt.ecosystem, "", "1"}, {"", tt.pkg, "1"}, {tt.ecosystem, tt.pkg + "x", "1.0.0"}, {tt.ecosystem, tt.pkg, "\x00\xff:-"}, {tt.ecosystem, tt.pkg, strings.Repeat("9", 9000)}} {
				if hits, err := db.Match(nil, q); err != nil || len(hits) != 0 {
					t.Errorf("Match(%.60q) = %v, %v, want nothing", q, hits, err)
				}
			}
		})
	}
}

// TestSpelling: what is matched in one case is shown as the record has it.
func TestSpelling(t *testing.T) {
	const name = "github.com/Masterminds/goutils"
	twice := `"affected":[{"package":{"ecosystem":"Go","name":"` + name + `"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]}]},` +
		`{"package":{"ecosystem":"Go","name":"` + strings.ToLower(name) + `"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]`
	db := build(t, map[string]string{"A-1.json": `{"id":"A-1","modified":"2026-01-02T03:04:05Z",` + twice + `}`})
	for _, asked := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
		for _, v := range []string{"v1.0.0", "v1.1.0"} {
			if hits, err := db.Match(nil, Query{"Go", asked, v}); err != nil || len(hits) != 1 {
				t.Errorf("Match(%s, %s): %d hits, %v, want one", asked, v, len(hits), err)
			}
		}
	}
	r, err := db.Record("A-1")
	if err != nil || len(r.Affected) != 2 || r.Affected[0].Name != name {
		t.Errorf("Record: %+v, %v, want the record's own spelling", r.Affected, err)
	}
}

func TestFixed(t *testing.T) {
	for _, tt := range []struct {
		name, ranges, version string
		want                  []string
	}{
		{"the one", ranges("SEMVER", "introduced 0", "fixed 1.2.0"), "1.0.0", []string{"1.2.0"}},
		{"nearest first", ranges("SEMVER", "introduced 0", "fixed 1.2.5", "introduced 1.3.0", "fixed 1.3.4", "introduced 2.0.0", "fixed 2.0.1"), "1.3.1", []string{"1.3.4", "2.0.1"}},
		{"all above", ranges("SEMVER", "introduced 0", "fixed 1.2.5", "introduced 1.3.0", "fixed 1.3.4"), "1.0.0", []string{"1.2.5", "1.3.4"}},
		{"none", ranges("SEMVER", "introduced 0", "last_affected 1.5.0"), "1.0.0", nil},
		{"limit is none", ranges("SEMVER", "introduced 0", "limit 1.5.0"), "1.0.0", nil},
		{"later branch", ranges("SEMVER", "introduced 0", "last_affected 1.5.0", "introduced 2.0.0", "fixed 2.1.0"), "1.0.0", []string{"2.1.0"}},
		{"not into another range", `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]},{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.4.0"}]}]`, "1.0.0", []string{"1.4.0"}},
		{"enumerated", ranges("SEMVER", "introduced 2.0.0", "fixed 2.1.0") + `,"versions":["1.0.0"]`, "1.0.0", []string{"2.1.0"}},
	} {
		db := build(t, map[string]string{"A-1.json": record("A-1", "npm", "x", tt.ranges)})
		hits, err := db.Match(nil, Query{"npm", "x", tt.version})
		if err != nil || len(hits) != 1 {
			t.Errorf("%s: %v, %v, want one hit", tt.name, hits, err)
			continue
		}
		if diff := cmp.Diff(tt.want, hits[0].Fixed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSeverity(t *testing.T) {
	all := ranges("ECOSYSTEM", "introduced 0")
	const v2, v31, v4 = "AV:N/AC:L/Au:N/C:N/I:N/A:C", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	for _, tt := range []struct {
		name, record string
		want         bulwark.Severity
		cvss         []string
	}{
		{"none", record("A-1", "Debian:12", "x", all), bulwark.SeverityUnknown, nil},
		{"urgency", record("A-1", "Debian:12", "x", all+`,"ecosystem_specific":{"urgency":"unimportant"}`), bulwark.SeverityLow, nil},
		{"not assigned", record("A-1", "Debian:12", "x", all+`,"ecosystem_specific":{"urgency":"not yet assigned"}`), bulwark.SeverityUnknown, nil},
		{"Ubuntu's priority", record("A-1", "Debian:12", "x", all, `"severity":[{"type":"Ubuntu","score":"medium"},{"type":"CVSS_V3","score":"`+v31+`"}],`), bulwark.SeverityMedium, []string{v31}},
		{"in the title", record("A-1", "AlmaLinux:8", "x", all, `"summary":"Important: x security update",`), bulwark.SeverityHigh, nil},
		{"in words", record("A-1", "npm", "x", all, `"database_specific":{"severity":"MODERATE"},`), bulwark.SeverityMedium, nil},
		{"as a score", record("A-1", "RubyGems", "x", all, `"database_specific":{"cvss_v3_base":9.8,"cvss_v4_base":null},`), bulwark.SeverityCritical, nil},
		{"best version last", record("A-1", "PyPI", "x", all, `"severity":[{"type":"CVSS_V4","score":"`+v4+`"},{"type":"CVSS_V2","score":"`+v2+`"},{"type":"CVSS_V3","score":"`+v31+`"}],`), bulwark.SeverityUnknown, []string{v2, v31, v4}},
		{"vectors of the package", record("A-1", "Bitnami", "x", ranges("SEMVER", "introduced 0")+`,"severity":[{"type":"CVSS_V3","score":"`+v31+`"}]`), bulwark.SeverityUnknown, []string{v31}},
		{"no vector", record("A-1", "PyPI", "x", all, `"severity":[{"type":"CVSS_V3","score":"9.8 (critical)"}],`), bulwark.SeverityUnknown, nil},
	} {
		rec := tt.record
		if i := strings.LastIndex(rec, `"summary":"Important`); i > 0 { // JSON keeps the last of two
			rec = strings.Replace(rec, `"summary":"about A-1",`, "", 1)
		}
		db := build(t, map[string]string{"A-1.json": rec})
		e := db.ecosystems[0].name
		hits, err := db.Match(nil, Query{e, "x", "1.0"})
		if err != nil || len(hits) != 1 {
			t.Errorf("%s: %v, %v, want one hit", tt.name, hits, err)
			continue
		}
		if hits[0].Severity != tt.want || !cmp.Equal(tt.cvss, hits[0].CVSS) {
			t.Errorf("%s: %v %v, want %v %v", tt.name, hits[0].Severity, hits[0].CVSS, tt.want, tt.cvss)
		}
	}
}

func TestByCVE(t *testing.T) {
	all := ranges("ECOSYSTEM", "introduced 0")
	const low, high, v4 = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	vector := func(v string) string { return `"severity":[{"type":"CVSS_V3","score":"` + v + `"}],` }
	db := build(t, map[string]string{
		"1.json": record("DEBIAN-CVE-2024-1000", "Debian:12", "x", all, `"upstream":["CVE-2024-1000"],`),
		"2.json": record("PYSEC-1", "PyPI", "x", all, vector(low), `"aliases":["CVE-2024-1000"],`),
		"3.json": record("BELL-1", "Alpaquita:23", "x", all, vector(high), `"upstream":["CVE-2024-1000"],`),
		"4.json": record("DSA-1", "Debian:12", "x", all, vector(v4), `"upstream":["CVE-2024-1000","CVE-2024-1001"],`),
		"5.json": record("GHSA-1", "npm", "x", all, `"aliases":["CVE-2024-1002"],"database_specific":{"severity":"HIGH"},`),
		"6.json": record("CVE-2024-1003", "Packagist", "x", all, vector(v4)),
		"7.json": record("W-1", "npm", "x", all, vector(v4), `"withdrawn":"2026-01-01T00:00:00Z","aliases":["CVE-2024-1000"],`),
		"8.json": record("ALSA-1", "AlmaLinux:8", "x", all, vector(v4), `"related":["CVE-2024-1001"],`),
	})
	for _, tt := range []struct {
		cve      string
		severity bulwark.Severity
		cvss     *bulwark.CVSS
		naming   []string
	}{
		{"CVE-2024-1000", bulwark.SeverityCritical, &bulwark.CVSS{Vector: high, Score: 9.1}, []string{"BELL-1", "DEBIAN-CVE-2024-1000", "DSA-1", "PYSEC-1"}},
		{"CVE-2024-1001", bulwark.SeverityUnknown, nil, []string{"DSA-1"}},
		{"CVE-2024-1002", bulwark.SeverityHigh, nil, []string{"GHSA-1"}},
		{"CVE-2024-1003", bulwark.SeverityCritical, &bulwark.CVSS{Vector: v4, Score: 9.3}, []string{"CVE-2024-1003"}},
		{"CVE-2024-9999", bulwark.SeverityUnknown, nil, nil},
		{"GHSA-1", bulwark.SeverityUnknown, nil, nil},
		{"CVE-2024-99999999999999999999", bulwark.SeverityUnknown, nil, nil},
	} {
		s, c := db.ByCVE(tt.cve)
		if s != tt.severity || !cmp.Equal(tt.cvss, c) {
			t.Errorf("ByCVE(%s) = %v, %v, want %v, %v", tt.cve, s, c, tt.severity, tt.cvss)
		}
		if diff := cmp.Diff(tt.naming, db.Naming(tt.cve)); diff != "" {
			t.Errorf("Naming(%s) (-want +got):\n%s", tt.cve, diff)
		}
	}
}

func TestImports(t *testing.T) {
	imports := `,"ecosystem_specific":{"imports":[{"path":"x/y","symbols":["F","T.M"],"goos":["windows"]}]}`
	twice := strings.Replace(record("GO-2", "Go", "b", ranges("SEMVER", "introduced 0", "fixed 1.0.0")+imports), `"affected":[`,
		`"affected":[{"package":{"ecosystem":"Go","name":"b"},`+ranges("SEMVER", "introduced 0", "fixed 2.0.0")+`,"ecosystem_specific":{"imports":[{"path":"x/z"}]}},`, 1)
	db := build(t, map[string]string{"1.json": record("GO-1", "Go", "a", ranges("SEMVER", "introduced 0")+imports), "2.json": twice})
	want := []Import{{Path: "x/y", Symbols: []string{"F", "T.M"}, GOOS: []string{"windows"}}}
	for _, tt := range []struct {
		name, version string
		want          []Import
	}{
		{"a", "v1.0.0", want}, {"b", "v1.5.0", []Import{{Path: "x/z"}}}, {"b", "v0.1.0", append(want, Import{Path: "x/z"})},
	} {
		hits, err := db.Match(nil, Query{"Go", tt.name, tt.version})
		if err != nil || len(hits) != 1 {
			t.Fatalf("%s: %v, %v, want one hit", tt.name, hits, err)
		}
		if diff := cmp.Diff(tt.want, hits[0].Imports); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.name, tt.version, diff)
		}
	}
}

func TestRecord(t *testing.T) {
	db := build(t, map[string]string{
		"1.json": record("A-1", "npm", "x", ranges("SEMVER", "introduced 1.0.0", "fixed 1.2.0")+`,"versions":["1.0.0"]`,
			`"details":"line\u001b[31m one\nline two","references":[{"type":"WEB","url":"https://example.com/1"}],"aliases":["CVE-2024-1000"],"database_specific":{"cwe_ids":["CWE-79"]},`),
		"2.json": record("W-1", "npm", "x", ranges("SEMVER", "introduced 0"), `"withdrawn":"2026-02-01T00:00:00Z",`),
		"3.json": record("Z-1", "npm", "x", ranges("SEMVER", "introduced 0"), `"modified":"0001-01-01T00:00:00Z",`),
	})
	want := Record{
		ID: "A-1", Summary: "about A-1", Details: "line[31m one\nline two", Aliases: []string{"CVE-2024-1000"},
		Published: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		References: []string{"https://example.com/1"}, CWEs: []string{"CWE-79"},
		Affected: []Affected{{Ecosystem: "npm", Name: "x", Ranges: []string{">= 1.0.0, < 1.2.0"}, Versions: 1, Fixed: []string{"1.2.0"}}},
	}
	got, err := db.Record("A-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.References, db.References("A-1")); diff != "" {
		t.Errorf("References (-want +got):\n%s", diff)
	}
	if r, err := db.Record("W-1"); err != nil || r.Withdrawn.IsZero() || r.Summary != "about W-1" {
		t.Errorf("Record(W-1) = %+v, %v, want it as withdrawn", r, err)
	}
	if _, err := db.Record("nope"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("Record(nope) = %v, want ErrNotFound", err)
	}
	if n := db.Info().Records; n != 2 {
		t.Errorf("%d live records, want 2", n)
	}
}

// TestCopies: the copies of a record in one folder replace each other, those in two add up.
func TestCopies(t *testing.T) {
	old := record("A-1", "npm", "x", ranges("SEMVER", "introduced 0"))
	newer := strings.Replace(record("A-1", "npm", "y", ranges("SEMVER", "introduced 0")), "2026-01-02", "2026-03-01", 1)
	gem := record("A-1", "RubyGems", "z", ranges("ECOSYSTEM", "introduced 0"), `"aliases":["CVE-2024-1000"],`)
	db := build(t, map[string]string{"npm/1.json": old, "npm/2.json": newer, "RubyGems/1.json": gem})
	for _, tt := range []struct {
		q    Query
		want int
	}{{Query{"npm", "x", "1.0.0"}, 0}, {Query{"npm", "y", "1.0.0"}, 1}, {Query{"RubyGems", "z", "1.0.0"}, 1}} {
		hits, err := db.Match(nil, tt.q)
		if err != nil || len(hits) != tt.want {
			t.Errorf("%v: %d hits, %v, want %d", tt.q, len(hits), err, tt.want)
			continue
		}
		if tt.want == 1 && !cmp.Equal(hits[0].Aliases, []string{"CVE-2024-1000"}) {
			t.Errorf("%v: aliases %v, want those of both copies", tt.q, hits[0].Aliases)
		}
	}
}

func TestHas(t *testing.T) {
	db := build(t, map[string]string{
		"1.json": record("A-1", "Debian:12", "x", ranges("ECOSYSTEM", "introduced 0")),
		"2.json": record("A-2", "Alpine", "x", ranges("ECOSYSTEM", "introduced 0")),
		"3.json": record("A-3", "PyPI", "x", ranges("ECOSYSTEM", "introduced 0"), `"withdrawn":"2026-02-01T00:00:00Z",`),
		"4.json": record("A-4", "Ubuntu:24.04:LTS", "x", ranges("ECOSYSTEM", "introduced 0")),
	})
	for eco, want := range map[string]bool{"Debian:12": true, "Debian": false, "Debian:13": false, "Alpine": false, "Alpine:v3.19": false, "PyPI": false, "Ubuntu:24.04": true, "": false} {
		if db.Has(eco) != want {
			t.Errorf("Has(%q) = %v, want %v", eco, !want, want)
		}
	}
}

func TestBadRecords(t *testing.T) {
	good := record("A-1", "npm", "x", ranges("SEMVER", "introduced 0"))
	db, said := buildSaying(t, map[string]string{
		"good.json": good, "cut.json": good[:50], "type.json": `{"id":7}`, "no-id.json": `{"affected":[]}`, "null.json": "null",
		"escape.json": strings.Replace(good, "A-1", `A\u001b[2J`, 1), "list.json": `[]`, "empty.json": "",
		"odd.json":   record("A-2", "npm", "x", `"ranges":[{"type":"SEMVER","events":[{"introduced":"newest"}]},{"type":"SEMVER","events":[{"introduced":"1.0.0"}]}]`),
		"notes.txt":  "not looked at",
		"plain.json": record("A-3", "Alpine", "x", ranges("ECOSYSTEM", "introduced 0")),
	})
	for _, want := range []string{"7 documents skipped", "1 ranges skipped", "1 packages left out", "3 advisories read"} {
		if !strings.Contains(said, want) {
			t.Errorf("progress does not say %q:\n%s", want, said)
		}
	}
	if hits, err := db.Match(nil, Query{"npm", "x", "1.0.0"}); err != nil || len(hits) != 2 {
		t.Errorf("%v, %v, want two hits", hits, err)
	}
}

func TestBuildFails(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bad", "a.json"), "{")
	write(t, filepath.Join(dir, "zip", "npm", "all.zip"), "no zip")
	write(t, filepath.Join(dir, "empty", "readme.txt"), "")
	write(t, filepath.Join(dir, "kev.json"), `{"vulnerabilities":"none"}`)
	out := filepath.Join(dir, "out", "a.db")
	write(t, out, "the old one")
	for _, tt := range []struct {
		o    BuildOptions
		want error
	}{
		{BuildOptions{}, bulwark.ErrNotFound},
		{BuildOptions{OSV: filepath.Join(dir, "nowhere")}, bulwark.ErrNotFound},
		{BuildOptions{OSV: filepath.Join(dir, "empty")}, bulwark.ErrNotFound},
		{BuildOptions{OSV: filepath.Join(dir, "bad")}, bulwark.ErrMalformed},
		{BuildOptions{OSV: filepath.Join(dir, "zip")}, bulwark.ErrMalformed},
		{BuildOptions{KEV: filepath.Join(dir, "kev.json")}, bulwark.ErrMalformed},
		{BuildOptions{EPSS: filepath.Join(dir, "kev.json")}, bulwark.ErrMalformed},
		{BuildOptions{EOL: filepath.Join(dir, "kev.json")}, bulwark.ErrMalformed},
	} {
		if err := Build(t.Context(), tt.o, out); !errors.Is(err, tt.want) {
			t.Errorf("Build(%+v) = %v, want %v", tt.o, err, tt.want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != "the old one" {
		t.Errorf("the old database is gone: %q, %v", b, err)
	}
}

// TestZip: a zip in the bucket's layout gives the same bytes as the same build again.
func TestZip(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "npm", "all.zip")
	write(t, name, "")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for i := range 200 {
		w, err := z.Create(fmt.Sprintf("A-%d.json", i))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, record(fmt.Sprintf("A-%d", i), "npm", fmt.Sprintf("p%d", i%7), ranges("SEMVER", "introduced 0", fmt.Sprintf("fixed 1.%d.0", i))))
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	var first []byte
	for i := range 3 {
		out := filepath.Join(dir, fmt.Sprint(i))
		if err := Build(t.Context(), BuildOptions{OSV: dir, Now: now}, out); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(b) != string(first) {
			t.Error("two builds of the same input differ")
		}
	}
	db, err := Open(filepath.Join(dir, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if hits, err := db.Match(nil, Query{"npm", "p3", "1.100.0"}); err != nil || len(hits) != 15 {
		t.Errorf("%d hits, %v, want 15", len(hits), err)
	}
}
