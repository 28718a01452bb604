package telling

import (
	"strings"
	"unicode/utf8"
)

// Expressions cost microseconds, and nearly every text has nothing that they look for: each
// is tried only on texts that have a word without which it cannot match. Texts that are not
// ASCII are tried always, because letters fold in more ways there.

// needed tells whether a text that ASCII lower has one of the words.
func needed(lower string, words []string) bool {
	for _, w := range words {
		if strings.Contains(lower, w) {
			return true
		}
	}
	return false
}

// lowered is the text in lower case; ok is false when it is not ASCII.
func lowered(s string) (lower string, ok bool) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// names are parts of the names of secrets.
var names = []string{"pass", "pwd", "secret", "token", "api", "key", "credential"}

// prefixes are how tokens begin, in lower case.
var prefixes = []string{"akia", "asia", "gh", "glpat-", "xox", "sk_live_", "sk-", "rk_live_", "npm_", "pypi-", "hf_", "dckr_pat_", "hvs.", "aiza"}

// shapes are what lines that have a secret's shape have, but for those that are one long word.
var shapes = append([]string{"://", "-----begin", "chpasswd", "useradd", "usermod", "authorization:", "bearer", "-u"}, prefixes...)

const longWord = 40 // what secretShape takes for encoded bytes

// mayHaveShape tells whether secretShape can match.
func mayHaveShape(line string) bool {
	lower, ok := lowered(line)
	if !ok || needed(lower, shapes) {
		return true
	}
	word := strings.TrimSpace(line)
	return len(word) >= longWord && !strings.ContainsAny(word, " \t")
}

// mayHaveValue tells whether secretValue can match.
func mayHaveValue(line string) bool {
	lower, ok := lowered(line)
	return !ok || needed(lower, names)
}
