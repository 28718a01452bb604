// Package glob matches names against patterns: "*" and "?" do not cross "/", "**"
// does, "[a-z]" is a class. A name that has no "/" is a pattern's only if the whole fits.
package glob

import (
	"path"
	"strings"
)

// Match tells whether pattern fits the whole of name. A malformed pattern fits nothing;
// see [Valid].
func Match(pattern, name string) bool {
	return match(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// Valid tells whether pattern is well formed.
func Valid(pattern string) bool {
	_, err := path.Match(strings.ReplaceAll(pattern, "**", "*"), "")
	return err == nil
}

// match steps through the elements; after the last "**" that could have taken more it
// tries again there, so the cost is the product of the lengths and not exponential.
func match(pattern, name []string) bool {
	retryPattern, retryName := -1, 0
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == "**" {
			retryPattern, retryName = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if ok, err := path.Match(pattern[p], name[n]); ok && err == nil {
				p, n = p+1, n+1
				continue
			}
		}
		if retryPattern < 0 {
			return false
		}
		retryName++
		p, n = retryPattern+1, retryName
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}
