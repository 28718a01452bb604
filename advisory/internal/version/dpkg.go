package version

import "strings"

// validDpkg is more lenient than dpkg: what sits in real records may lack the leading digit.
func validDpkg(v string) bool {
	if i := strings.IndexByte(v, ':'); i >= 0 && digits(v[:i]) != i {
		return false
	}
	return printable(v)
}

// compareDpkg follows deb-version(7): epoch, upstream version, revision.
func compareDpkg(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	if c := compareNumbers(ea, eb); c != 0 {
		return c
	}
	ua, ra := revision(a)
	ub, rb := revision(b)
	if c := compareDpkgPart(ua, ub); c != 0 {
		return c
	}
	return compareDpkgPart(ra, rb)
}

// epoch cuts "1:" off.
func epoch(v string) (number, rest string) {
	n := digits(v)
	if n < len(v) && v[n] == ':' {
		return v[:n], v[n+1:]
	}
	return "", v
}

func revision(v string) (upstream, rev string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// compareDpkgPart compares non-digits and digits in turn.
func compareDpkgPart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if c := weight(a) - weight(b); c != 0 {
				return sign(c)
			}
			if a != "" {
				a = a[1:]
			}
			if b != "" {
				b = b[1:]
			}
		}
		i, j := digits(a), digits(b)
		if c := compareNumbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

// weight is the rank of the next character: ~ before the end, the end as digits,
// letters, then everything else.
func weight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isLetter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}
