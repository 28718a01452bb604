package network

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/kube"
)

// validLabels holds keys and values of a selector to what API servers take.
func validLabels(n *kube.Node) error {
	for key, v := range n.Get("matchLabels").Fields() {
		if err := validLabel(key, v.Text(), "matchLabels", key); err != nil {
			return err
		}
	}
	for i, e := range n.Get("matchExpressions").Items() {
		key := e.Get("key").Text()
		if err := validLabel(key, "", "matchExpressions", i, "key"); err != nil {
			return err
		}
		for j, v := range e.Get("values").Items() {
			if err := validLabel(key, v.Text(), "matchExpressions", i, "values", j); err != nil {
				return err
			}
		}
	}
	return nil
}

// validLabel tells what is wrong with a label that a selector has at a path.
func validLabel(key, value string, at ...any) error {
	switch {
	case !validKey(key):
		return &wrongPart{slices.Clone(at), fmt.Sprintf("no label can have the name %q", key)}
	case value != "" && !validWord(value):
		return &wrongPart{slices.Clone(at), fmt.Sprintf("no label can have the value %q", value)}
	}
	return nil
}

// validKey tells whether a label may have a name: a word, or a domain and a word.
func validKey(key string) bool {
	domain, name, ok := strings.Cut(key, "/")
	if !ok {
		return validWord(key)
	}
	if !validWord(name) || domain == "" || len(domain) > 253 {
		return false
	}
	for part := range strings.SplitSeq(domain, ".") {
		if !validWord(part) && len(part) <= 63 || strings.ContainsAny(part, "_") || part != strings.ToLower(part) {
			return false
		}
	}
	return true
}

// validWord tells whether a text is at most 63 letters, digits, dashes, underscores and dots,
// with a letter or digit at both ends.
func validWord(s string) bool {
	if s == "" || len(s) > 63 || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// validPortName tells whether a port may be called so: at most 15 lower letters, digits and
// single dashes between them, one letter at least.
func validPortName(s string) bool {
	letters := false
	for i := range len(s) {
		c := s[i]
		letters = letters || 'a' <= c && c <= 'z'
		if c != '-' && (!alphanumeric(c) || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return letters && len(s) <= 15 && s[0] != '-' && s[len(s)-1] != '-' && !strings.Contains(s, "--")
}
