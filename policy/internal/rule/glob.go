package rule

import "strings"

// Glob tells whether pattern means all of s: "?" is any one byte, "*" any number of
// them. Nothing is special about "/": ids and names of assets are no paths. The cost is
// at most the product of the lengths.
func Glob(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // where the last star was, and where it ends now
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// literal tells whether a pattern holds no wildcard.
func literal(pattern string) bool { return !strings.ContainsAny(pattern, "*?") }
