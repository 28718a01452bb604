package version

import "strings"

// semver is a version as semver.org has it, read leniently: a leading v, any number
// of components, and a pre-release that no hyphen introduces ("1.2.0rc1").
type semver struct {
	core, pre string
	hasPre    bool
}

func validSemver(v string) bool {
	v = trimV(v)
	return v != "" && isDigit(v[0]) && printable(v)
}

func trimV(v string) string {
	v = strings.TrimLeft(v, "= ")
	if len(v) > 1 && (v[0] == 'v' || v[0] == 'V') {
		return v[1:]
	}
	return v
}

func parseSemver(v string) semver {
	v = trimV(v)
	if i := strings.IndexByte(v, '+'); i >= 0 { // build metadata has no rank
		v = v[:i]
	}
	i := 0
	for i < len(v) && (isDigit(v[i]) || v[i] == '.' && i+1 < len(v) && isDigit(v[i+1])) {
		i++
	}
	s := semver{core: v[:i], pre: v[i:], hasPre: i < len(v)}
	s.pre = strings.TrimLeft(s.pre, "-._")
	if s.pre == "" { // "1.0." and "1.0-" are 1.0
		s.hasPre = false
	}
	if strings.HasPrefix(v[i:], "--") { // semver.org allows hyphens in a pre-release
		s.pre, s.hasPre = v[i+1:], true
	}
	return s
}

func compareSemver(a, b string) int {
	x, y := parseSemver(a), parseSemver(b)
	if c := compareCore(x.core, y.core); c != 0 {
		return c
	}
	switch {
	case x.hasPre && y.hasPre:
		return comparePre(x.pre, y.pre)
	case x.hasPre:
		return -1
	case y.hasPre:
		return 1
	}
	return 0
}

// compareCore compares dotted numbers; missing ones are zero.
func compareCore(a, b string) int {
	for a != "" || b != "" {
		i, j := digits(a), digits(b)
		if c := compareNumbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = strings.TrimPrefix(a[i:], "."), strings.TrimPrefix(b[j:], ".")
	}
	return 0
}

// comparePre compares pre-releases identifier by identifier: numbers as such and
// before words, words by ASCII, the shorter list first.
func comparePre(a, b string) int {
	for {
		p, restA, moreA := strings.Cut(a, ".")
		q, restB, moreB := strings.Cut(b, ".")
		if c := compareIdentifier(p, q); c != 0 {
			return c
		}
		switch {
		case moreA && !moreB:
			return 1
		case moreB && !moreA:
			return -1
		case !moreA:
			return 0
		}
		a, b = restA, restB
	}
}

func compareIdentifier(a, b string) int {
	x, y := a != "" && digits(a) == len(a), b != "" && digits(b) == len(b)
	switch {
	case x && y:
		return compareNumbers(a, b)
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}
