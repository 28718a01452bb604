package version

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		order *Order
		asc   string // versions, the oldest first; = joins equal ones
	}{
		{Dpkg, "0~0 0 1.0~rc1-1 1.0-1~bpo12+1 1.0-1=0:1.0-1=1.00-1 1.0-1ubuntu1 1.0-1+b1 1.0-1+deb12u9 1.0+dfsg-1 1:0.9-1"},
		{RPM, "1.0~rc1-1 1.0-1.el8 1.0-1.el8_9.1 1.0-2.el8 1.0^git1-1 1.0.1-1 10-1 1:0.1-1"},
		{APK, "1.0_alpha 1.0_beta2 1.0_rc1 1.0 1.0-r0 1.0-r10 1.0_p1 1.0a 1.0a_p1 1.0a1 1.0.1 1.0.9 1.0.10 1.2.0 8u 8u99-r0 8u372_p7-r0 8u372_p7-r1 8u392_p9-r1 8v 10.0"},
		{Semver, "0.0.0-0 0.0.0-20210921155107-089bfa567519 0.3.7 1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0=v1.0.0+incompatible=1.0 1.0.1 1.0.1.1 1.10.0"},
		{PEP440, "1.0.dev1 1.0a1.dev3 1.0a1=1.0-alpha_1 1.0b2 1.0rc1=1.0_rc1 1.0=v1.0.0 1.0+abc 1.0+local.1 1.0+local.10 1.0.post1.dev2 1.0-1=1.0.post1=1.0r1 1.10 1!0.5"},
		{Gem, "1.a9 1.b 1.0-1 1=1.0=1.0.0 1.0.1 1.9 1.10 2.2.6.4 3.0.0.beta1 3.0.0"},
		{Maven, "1.0-alpha-1 1.0-SNAPSHOT 1.0=1=1.0.0 1.0.1 1.10"},
		{NuGet, "1.0.0-alpha 1.0.0=1.0 1.0.0.1 2.0.0"},
		{Packagist, "1.0.0-beta1 1.0.0 1.0.1 v1.10.0"},
	} {
		var classes [][]string
		for _, c := range strings.Fields(tt.asc) {
			classes = append(classes, strings.Split(c, "="))
		}
		for i, as := range classes {
			for j, bs := range classes {
				for _, a := range as {
					for _, b := range bs {
						if !tt.order.Valid(a) {
							t.Errorf("%s: %q is not valid", tt.order.Name, a)
						}
						if got := tt.order.Compare(a, b); got != sign(i-j) {
							t.Errorf("%s: Compare(%q, %q) = %d, want %d", tt.order.Name, a, b, got, sign(i-j))
						}
					}
				}
			}
		}
	}
}

func TestValid(t *testing.T) {
	for _, tt := range []struct {
		order *Order
		v     string
		want  bool
	}{
		{Dpkg, "", false}, {Dpkg, "a:1", false}, {Dpkg, "1 2", false}, {Dpkg, "1:2-3", true},
		{APK, "1.2.3-r0", true}, {APK, "latest", false}, {APK, "8u372_p7-r0", true}, {APK, "1.7.5.-r1", false}, {APK, "1a.5", false}, {APK, "1.2_foo", false}, {APK, "1.2.3_git20200101-r1", true},
		{Semver, "(devel)", false}, {Semver, "v1", true}, {Semver, "master", false}, {Semver, "\x1b[31m", false},
		{PEP440, "2004d", false}, {PEP440, "1.0.post", true}, {PEP440, "1.0+", false}, {PEP440, "1.0rc", true},
		{Gem, "1.0", true}, {Gem, "x", false}, {Gem, "1_0", false},
		{nil, "1", false}, {Of("nothing"), "1", false},
		{Semver, strings.Repeat("1", maxLength+1), false},
	} {
		if got := tt.order.Valid(tt.v); got != tt.want {
			t.Errorf("Valid(%q) = %v, want %v", tt.v, got, tt.want)
		}
	}
}

// TestTruth runs the comparisons that two independent programs agreed on.
func TestTruth(t *testing.T) {
	file := filepath.Join("..", "..", "..", "..", "shared", "data", "truth", "truth-public.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("SKIPPED, there is no %s beside the repository", "shared/data/truth")
	}
	var truth struct {
		Compare []struct {
			Scheme, A, B string
			Cmp          int
		} `json:"version_compare"`
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	compare := map[string]func(a, b string) int{
		"dpkg": Dpkg.Compare, "semver": Semver.Compare, "pep440": PEP440.Compare,
		"rubygems": Gem.Compare, "rpmvercmp-segment": RPMSegment,
	}
	for _, c := range truth.Compare {
		f := compare[c.Scheme]
		if f == nil {
			t.Errorf("scheme %q is not known", c.Scheme)
			continue
		}
		if got := f(c.A, c.B); got != c.Cmp {
			t.Errorf("%s: %q against %q = %d, want %d", c.Scheme, c.A, c.B, got, c.Cmp)
		}
	}
	t.Logf("%d comparisons", len(truth.Compare))
}

// words are the pieces that versions are put together from.
var words = strings.Fields("0 00 1 01 2 9 10 11 20210101 99999999999999999999 . . . - - ~ + ^ _ : a b rc alpha beta pre dev post p git el8 deb12u1 r0 x Z")

func random(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(words[r.IntN(10)])
	for range r.IntN(6) {
		b.WriteString(words[r.IntN(len(words))])
	}
	return b.String()
}

// TestTotal: every order is antisymmetric and transitive over what it accepts.
func TestTotal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, o := range orders[:6] {
		var valid []string
		for len(valid) < 150 {
			if v := random(r); o.Valid(v) {
				valid = append(valid, v)
			}
		}
		for _, a := range valid {
			for _, b := range valid {
				ab := o.Compare(a, b)
				if ba := o.Compare(b, a); ab != -ba {
					t.Fatalf("%s: %q against %q is %d, turned round %d", o.Name, a, b, ab, ba)
				}
				for _, c := range valid[:40] {
					if ab <= 0 && o.Compare(b, c) <= 0 && o.Compare(a, c) > 0 {
						t.Fatalf("%s: %q <= %q <= %q, yet the first is above the last", o.Name, a, b, c)
					}
				}
			}
		}
	}
}

func TestAgainstDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("SKIPPED, this machine has no dpkg to compare with")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 250 {
		a, b := random(r), random(r)
		if !Dpkg.Valid(a) || !Dpkg.Valid(b) ||
			exec.Command("dpkg", "--validate-version", a).Run() != nil || exec.Command("dpkg", "--validate-version", b).Run() != nil {
			continue
		}
		op := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[Dpkg.Compare(a, b)]
		if exec.Command("dpkg", "--compare-versions", a, op, b).Run() != nil {
			t.Errorf("dpkg does not find %q %s %q", a, op, b)
		}
	}
}

// TestAgainstLibrary compares with osv-scalibr's implementation of the same orders.
func TestAgainstLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for ecosystem, o := range map[string]*Order{"Debian": Dpkg, "AlmaLinux": RPM, "Alpine": APK, "Go": Semver, "PyPI": PEP440, "RubyGems": Gem} {
		differ := 0
		for range 3000 {
			a, b := random(r), random(r)
			if !o.Valid(a) || !o.Valid(b) {
				continue
			}
			want, err := compareLibrary(ecosystem, a, b)
			if err != nil {
				continue
			}
			if got := o.Compare(a, b); got != want {
				if differ++; differ <= 8 {
					t.Logf("%s: %q against %q = %d, the library %d", o.Name, a, b, got, want)
				}
			}
		}
		if differ > 30 { // the rest are forms that neither of them defines ("1.0_-")
			t.Errorf("%s: %d of 3000 differ", o.Name, differ)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("1:1.0~rc1-1+b1", "1.0.post1.dev2+l.1")
	f.Add("1.2.3_rc1-r0", "v1.0.0-beta.11+x")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, o := range orders {
			if !o.Valid(a) || !o.Valid(b) {
				continue
			}
			if x, y := o.Compare(a, b), o.Compare(b, a); o.ID <= Gem.ID && x != -y {
				t.Errorf("%s: %q against %q is %d, turned round %d", o.Name, a, b, x, y)
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	for _, tt := range []struct {
		o    *Order
		x, y string
	}{
		{Dpkg, "1:9.2p1-2+deb12u9", "1:9.2p1-2+deb12u10"}, {RPM, "1:1.1.1k-14.el8_6", "1:1.1.1k-6.el8_5"}, {APK, "1.2.3-r10", "1.2.3-r2"},
		{Semver, "1.2.3-rc.1", "1.2.3-rc.10"}, {PEP440, "4.2rc1", "4.2.1"}, {Gem, "6.1.7.1", "6.1.7.4"}, {Maven, "2.14.1", "2.15.0"},
	} {
		b.Run(tt.o.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tt.o.Compare(tt.x, tt.y)
			}
		})
	}
}
