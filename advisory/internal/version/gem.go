package version

import "strings"

func validGem(v string) bool {
	v = strings.TrimSpace(v)
	if v == "" || !isDigit(v[0]) {
		return false
	}
	for i := range len(v) {
		if c := v[i]; !isDigit(c) && !isLetter(c) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// gemSegments reads the segments of a Gem::Version: runs of digits and of letters,
// a hyphen standing for ".pre.", zeros dropped at the end of the release and at the end.
func gemSegments(dst []string, v string) []string {
	v = strings.TrimSpace(v)
	words := false
	for v != "" {
		n := digits(v)
		switch {
		case n > 0:
			dst, v = append(dst, v[:n]), v[n:]
			continue
		case v[0] == '-':
			dst, v, words = startWords(dst, "pre", words), v[1:], true
			continue
		}
		n = letters(v)
		if n == 0 {
			v = v[1:]
			continue
		}
		dst, v, words = startWords(dst, v[:n], words), v[n:], true
	}
	return trimZeros(dst)
}

// startWords appends a word; before the first one the zeros that end the release go.
func startWords(dst []string, word string, words bool) []string {
	if !words {
		dst = trimZeros(dst)
	}
	return append(dst, word)
}

func trimZeros(s []string) []string {
	for len(s) > 0 && strings.Trim(s[len(s)-1], "0") == "" {
		s = s[:len(s)-1]
	}
	return s
}

func compareGem(a, b string) int {
	var bufA, bufB [16]string
	x, y := gemSegments(bufA[:0], a), gemSegments(bufB[:0], b)
	for i := range max(len(x), len(y)) {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := compareSegment(p, q); c != 0 {
			return c
		}
	}
	return 0
}

func compareSegment(a, b string) int {
	x, y := isDigit(a[0]), isDigit(b[0])
	switch {
	case x && y:
		return compareNumbers(a, b)
	case x:
		return 1
	case y:
		return -1
	}
	return strings.Compare(a, b)
}
