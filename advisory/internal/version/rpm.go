package version

import "strings"

func validRPM(v string) bool { return printable(v) }

// compareRPM compares epoch, version and release. No epoch is epoch 0; no release
// comes before any.
func compareRPM(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	if c := compareNumbers(ea, eb); c != 0 {
		return c
	}
	va, ra, _ := strings.Cut(a, "-")
	vb, rb, _ := strings.Cut(b, "-")
	if c := RPMSegment(va, vb); c != 0 {
		return c
	}
	return RPMSegment(ra, rb)
}

// RPMSegment compares versions, or releases, as rpmvercmp does: runs of digits and
// of letters in turn, ~ before the end, ^ after it and before anything else.
func RPMSegment(a, b string) int {
	if a == b {
		return 0
	}
	for a != "" || b != "" {
		a, b = skipSeparators(a), skipSeparators(b)
		if c, more := compareMark(a, b, '~', -1); more {
			a, b = a[1:], b[1:]
			continue
		} else if c != 0 {
			return c
		}
		if c, more := compareCaret(a, b); more {
			a, b = a[1:], b[1:]
			continue
		} else if c != 0 {
			return c
		}
		if a == "" || b == "" {
			break
		}
		run := letters
		if isDigit(a[0]) {
			run = digits
		}
		i, j := run(a), run(b)
		if j == 0 { // of another kind: digits are newer than letters
			if isDigit(a[0]) {
				return 1
			}
			return -1
		}
		c := strings.Compare(a[:i], b[:j])
		if isDigit(a[0]) {
			c = compareNumbers(a[:i], b[:j])
		}
		if c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return sign(len(a) - len(b))
}

func skipSeparators(s string) string {
	for s != "" && !isDigit(s[0]) && !isLetter(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

// compareMark tells who is first when one of them has the mark here; more is true
// when both have.
func compareMark(a, b string, mark byte, with int) (c int, more bool) {
	x, y := a != "" && a[0] == mark, b != "" && b[0] == mark
	switch {
	case x && y:
		return 0, true
	case x:
		return with, false
	case y:
		return -with, false
	}
	return 0, false
}

// compareCaret: 1.0 < 1.0^git1 < 1.0.1.
func compareCaret(a, b string) (c int, more bool) {
	switch {
	case a == "" && b != "" && b[0] == '^':
		return -1, false
	case b == "" && a != "" && a[0] == '^':
		return 1, false
	}
	return compareMark(a, b, '^', -1)
}
