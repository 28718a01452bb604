package group

import (
	"cmp"
	"strings"
)

// Later tells whether version a comes after b, as far as that can be told without
// knowing the ecosystem: numbers count as numbers, "~" comes before everything, an
// epoch leads. It chooses what to show; it decides nothing. Any version comes after
// the empty one.
func Later(a, b string) bool {
	if a == "" || b == "" {
		return a != ""
	}
	ea, ra := epoch(a)
	eb, rb := epoch(b)
	return cmp.Or(compareNumbers(ea, eb), compareVersions(ra, rb)) > 0
}

func epoch(v string) (string, string) {
	if e, rest, ok := strings.Cut(v, ":"); ok && digits(e) == len(e) {
		return e, rest
	}
	return "0", v
}

func compareVersions(a, b string) int {
	for a != "" || b != "" {
		i, j := words(a), words(b)
		if c := compareWords(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
		i, j = digits(a), digits(b)
		if c := compareNumbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

func digits(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func words(s string) int {
	i := 0
	for i < len(s) && (s[i] < '0' || s[i] > '9') {
		i++
	}
	return i
}

func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func compareWords(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(order(a, i), order(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// order of the character at i: "~" before the end, the end before letters, letters
// before the rest.
func order(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z':
		return int(s[i])
	}
	return int(s[i]) + 256
}
