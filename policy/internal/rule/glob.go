package rule

import "strings"

// maxSteps bounds what matching one pattern may cost; patterns are foreign when they
// come with a VEX document.
const maxSteps = 1 << 20

// Glob tells whether pattern means all of s: "?" is any one byte, "*" any number of
// them. In a path (sep is '/') neither crosses a separator, "**" does, and "**/" also
// stands for nothing. With sep 0 "*" crosses everything.
func Glob(pattern, s string, sep byte) bool {
	steps := maxSteps
	return glob(pattern, s, sep, &steps)
}

// literal tells whether a pattern holds no wildcard.
func literal(pattern string) bool { return !strings.ContainsAny(pattern, "*?") }

func glob(p, s string, sep byte, steps *int) bool {
	for p != "" {
		if *steps--; *steps < 0 {
			return false
		}
		switch {
		case strings.HasPrefix(p, "**/") && sep != 0:
			return glob(p[3:], s, sep, steps) || afterSeparator(p[3:], s, sep, steps)
		case p[0] == '*':
			rest := strings.TrimLeft(p, "*")
			cross := sep == 0 || len(p)-len(rest) > 1
			return star(rest, s, sep, cross, steps)
		case s == "" || p[0] != s[0] && (p[0] != '?' || s[0] == sep):
			return false
		}
		p, s = p[1:], s[1:]
	}
	return s == ""
}

// star matches rest at every place of s that a star may reach.
func star(rest, s string, sep byte, cross bool, steps *int) bool {
	if rest == "" && cross {
		return true
	}
	for i := 0; i <= len(s); i++ {
		if glob(rest, s[i:], sep, steps) {
			return true
		}
		if *steps < 0 || i < len(s) && s[i] == sep && !cross {
			return false
		}
	}
	return false
}

func afterSeparator(rest, s string, sep byte, steps *int) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == sep && glob(rest, s[i+1:], sep, steps) {
			return true
		}
	}
	return false
}
