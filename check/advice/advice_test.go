package advice

import (
	"fmt"
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

// memory tells which ids still affect a version, and one product.
type memory map[string][]string

func (m memory) Match(dst []advisory.Hit, q advisory.Query) ([]advisory.Hit, error) {
	for _, id := range m[q.Name+"@"+q.Version] {
		dst = append(dst, advisory.Hit{ID: id})
	}
	return dst, nil
}

func (memory) Product(name string) (advisory.Product, bool) {
	return advisory.Product{Name: "debian", Title: "Debian", Releases: []advisory.ProductRelease{
		{Cycle: "13", Latest: "13.6", Released: day("2025-08-09"), EOL: day("2028-08-09")},
		{Cycle: "12", Latest: "12.15", Released: day("2023-06-10"), EOL: day("2026-07-11"), Extended: day("2028-06-30")},
	}}, name == "debian"
}

type builder struct {
	inv      bulwark.Inventory
	findings []bulwark.Finding
}

// add adds a package with findings: each is a list of fixed versions.
func (b *builder) add(p bulwark.Package, fixed ...[]string) {
	b.inv.Packages = append(b.inv.Packages, p)
	for i, versions := range fixed {
		f := bulwark.Finding{Kind: bulwark.KindVulnerability, Subject: p.PURL, Risk: 10, FromBase: p.FromBase,
			Vulnerability: &bulwark.Vulnerability{ID: fmt.Sprintf("%s-%d", p.Name, i), Package: p.Name, Installed: p.Version, Fixed: versions}}
		if len(versions) > 0 {
			f.Fix = &bulwark.Fix{Version: versions[0]}
		}
		b.findings = append(b.findings, f)
	}
}

func deb(name, source string, base bool) bulwark.Package {
	return bulwark.Package{Name: name, Version: "1.0-1", Source: &bulwark.SourcePackage{Name: source, Version: "1.0-1"}, Format: "deb",
		Ecosystem: "Debian:12", PURL: "pkg:deb/debian/" + name + "@1.0-1", FromBase: base}
}

func npm(name, version string) bulwark.Package {
	return bulwark.Package{Name: name, Version: version, Format: "npm", Ecosystem: "npm", PURL: "pkg:npm/" + name + "@" + version}
}

func texts(t *testing.T, a *Advisor, b *builder) []string {
	t.Helper()
	steps, err := a.Advise(t.Context(), &bulwark.Target{Asset: bulwark.Asset{ID: "image:x"}}, &b.inv, b.findings)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range steps {
		if s.Asset != "image:x" || s.Of == 0 {
			t.Errorf("step %+v lacks asset or total", s)
		}
		out = append(out, s.Text)
	}
	return out
}

func v(versions ...string) []string { return versions }

func TestBaseFirst(t *testing.T) {
	b := &builder{inv: bulwark.Inventory{Release: &bulwark.Release{ID: "debian", VersionID: "12", Point: "12.0"}}}
	b.add(deb("libssl3", "openssl", true), v("1.0-2"), v("1.0-3"), nil)
	b.add(deb("libc6", "glibc", true), v("1.0-2"))
	b.add(deb("curl", "curl", false), v("1.0-4"))
	b.add(deb("libcurl4", "curl", false), v("1.0-3"))
	b.add(npm("lodash", "4.17.15"), v("4.17.21"), v("4.17.19"), v("4.17.20"), v("4.17.21"), v("4.17.21"))
	b.findings[len(b.findings)-1].Exception = &bulwark.Exception{Reason: "no"}
	got := texts(t, &Advisor{db: memory{}, now: day("2026-01-01")}, b)
	want := []string{
		"debian 12.0 -> 12.15 clears 3 of 10",
		"lodash 4.17.15 -> 4.17.21 clears 4 of 10",
		"curl 1.0-1 -> 1.0-4 clears 2 of 10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	ended := texts(t, &Advisor{db: memory{}, now: day("2026-11-22")}, b)
	if want := "move to debian 13, supported until 2028-08-09: debian 12 is past its end of life, with extended support until 2028-06-30; it has no fix for 1 of 10 findings"; ended[1] != want {
		t.Errorf("step after the base %q, want %q", ended[1], want)
	}
}

func TestUnknownBase(t *testing.T) {
	b := &builder{inv: bulwark.Inventory{Release: &bulwark.Release{ID: "debian", VersionID: "12"}}}
	b.add(deb("curl", "curl", false), v("1.0-4"))
	for a, want := range map[*Advisor]string{
		{db: memory{}}: "debian 12 -> 12.15 clears 1 of 1",
		{}:             "debian 12: a rebuild on the current base image clears 1 of 1",
	} {
		if diff := cmp.Diff([]string{want}, texts(t, a, b)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestVersionChoice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		db    memory
		fixed [][]string
		want  string
	}{
		{"the lowest that clears all", nil, [][]string{v("1.2.0", "2.1.0"), v("1.10.0", "2.3.0")}, "a 1.0.0 -> 1.10.0 clears 2 of 2"},
		{"across a major where one fix needs it", nil, [][]string{v("1.2.0"), v("3.0.0")}, "a 1.0.0 -> 3.0.0 clears 2 of 2"},
		{"a problem that came back", memory{"a@3.0.0": {"a-0"}}, [][]string{v("1.2.0", "3.1.0"), v("3.0.0")}, "a 1.0.0 -> 3.1.0 clears 2 of 2"},
		{"the most that can be cleared", memory{"a@3.0.0": {"a-0"}, "a@3.1.0": {"a-0", "a-1"}}, [][]string{v("1.2.0", "3.1.0"), v("3.0.0"), v("1.0.1")}, "a 1.0.0 -> 3.0.0 clears 2 of 3"},
	} {
		b := &builder{}
		b.add(npm("a", "1.0.0"), tt.fixed...)
		if diff := cmp.Diff([]string{tt.want}, texts(t, &Advisor{db: tt.db}, b)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestShortList(t *testing.T) {
	b := &builder{}
	for i := range 30 {
		b.add(npm(fmt.Sprintf("p%02d", i), "1.0.0"), v("1.0.1"))
	}
	if n := len(texts(t, &Advisor{}, b)); n != maxSteps {
		t.Errorf("%d steps, want %d", n, maxSteps)
	}
}
