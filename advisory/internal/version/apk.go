package version

import "strings"

// apkVersion is digits{.digits}[letter[digits{.digits}]]{_suffix[digits]}[~hash][-r digits].
type apkVersion struct {
	numbers  string // "1.2.3"
	letter   byte
	update   string // numbers after the letter, as in "8u372"
	suffixes string // "_rc1_p2"
	revision string // digits
	hasRev   bool
	ok       bool
}

func validAPK(v string) bool { return printable(v) && parseAPK(v).ok }

func parseAPK(v string) apkVersion {
	var out apkVersion
	if digits(v) == 0 {
		return out
	}
	out.numbers, v = cutNumbers(v)
	if v != "" && v[0] >= 'a' && v[0] <= 'z' {
		out.letter = v[0]
		out.update, v = cutNumbers(v[1:])
	}
	out.suffixes, v = cutSuffixes(v)
	if v != "" && v[0] == '~' {
		n := 1
		for n < len(v) && (isDigit(v[n]) || isLetter(v[n])) {
			n++
		}
		v = v[n:]
	}
	if strings.HasPrefix(v, "-r") && digits(v[2:]) > 0 {
		n := 2 + digits(v[2:])
		out.revision, out.hasRev, v = v[2:n], true, v[n:]
	}
	out.ok = v == ""
	return out
}

// cutNumbers takes digits{.digits} off the front.
func cutNumbers(v string) (numbers, rest string) {
	i := 0
	for i < len(v) && (isDigit(v[i]) || i > 0 && v[i] == '.' && i+1 < len(v) && isDigit(v[i+1])) {
		i++
	}
	return v[:i], v[i:]
}

// cutSuffixes takes known suffixes off the front.
func cutSuffixes(v string) (suffixes, rest string) {
	i := 0
	for i < len(v) && v[i] == '_' {
		n := letters(v[i+1:])
		if suffixRank(v[i+1:i+1+n]) == 0 {
			break
		}
		i += 1 + n
		i += digits(v[i:])
	}
	return v[:i], v[i:]
}

// suffixRank is below zero before the release and above zero after it; 0: not known.
func suffixRank(s string) int {
	switch s {
	case "alpha":
		return -4
	case "beta":
		return -3
	case "pre":
		return -2
	case "rc":
		return -1
	case "cvs":
		return 1
	case "svn":
		return 2
	case "git":
		return 3
	case "hg":
		return 4
	case "p":
		return 5
	}
	return 0
}

func compareAPK(a, b string) int {
	x, y := parseAPK(a), parseAPK(b)
	if c := compareAPKNumbers(x.numbers, y.numbers); c != 0 {
		return c
	}
	if x.letter != y.letter {
		return sign(int(x.letter) - int(y.letter))
	}
	if c := compareAPKNumbers(x.update, y.update); c != 0 {
		return c
	}
	if c := compareSuffixes(x.suffixes, y.suffixes); c != 0 {
		return c
	}
	if x.hasRev != y.hasRev {
		if x.hasRev {
			return 1
		}
		return -1
	}
	return compareNumbers(x.revision, y.revision)
}

// compareAPKNumbers compares component by component: the first as a number, the
// others as fractions where one begins with 0. More components are newer.
func compareAPKNumbers(a, b string) int {
	for first := true; a != "" && b != ""; first = false {
		i, j := digits(a), digits(b)
		p, q := a[:i], b[:j]
		c := 0
		if !first && (p[0] == '0' || q[0] == '0') {
			c = strings.Compare(p, q)
		} else {
			c = compareNumbers(p, q)
		}
		if c != 0 {
			return c
		}
		a, b = strings.TrimPrefix(a[i:], "."), strings.TrimPrefix(b[j:], ".")
	}
	return sign(len(a) - len(b))
}

// compareSuffixes: a release is newer than its _rc and older than its _p.
func compareSuffixes(a, b string) int {
	for a != "" || b != "" {
		ra, na, restA := nextSuffix(a)
		rb, nb, restB := nextSuffix(b)
		if ra != rb {
			return sign(ra - rb)
		}
		if c := compareNumbers(na, nb); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return 0
}

func nextSuffix(s string) (rank int, number, rest string) {
	if s == "" {
		return 0, "", ""
	}
	n := 1 + letters(s[1:])
	d := n + digits(s[n:])
	return suffixRank(s[1:n]), s[n:d], s[d:]
}
