// Package licence tells SPDX licence ids and expressions from other words.
package licence

import (
	_ "embed"
	"strings"
	"sync"
)

// ids are the identifiers and exceptions of the SPDX licence list 3.17.
//
//go:embed ids.txt
var ids string

var known = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for id := range strings.FieldsSeq(ids) {
		m[id] = true
	}
	return m
})

// IsID tells whether s is the id of a licence.
func IsID(s string) bool { return known()[s] && !strings.Contains(strings.ToLower(s), "-exception") }

// IsExpression tells whether s is an SPDX licence expression of known ids.
func IsExpression(s string) bool {
	if len(s) > 4096 {
		return false
	}
	p := parser{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))}
	return p.any(0) && len(p.tokens) == 0
}

type parser struct{ tokens []string }

func (p *parser) take(want string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != want {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// any takes terms joined by AND and OR.
func (p *parser) any(depth int) bool {
	if depth > 20 || !p.term(depth) {
		return false
	}
	for p.take("AND") || p.take("OR") {
		if !p.term(depth) {
			return false
		}
	}
	return true
}

func (p *parser) term(depth int) bool {
	if p.take("(") {
		return p.any(depth+1) && p.take(")")
	}
	if len(p.tokens) == 0 || !IsID(strings.TrimSuffix(p.tokens[0], "+")) {
		return false
	}
	p.tokens = p.tokens[1:]
	if !p.take("WITH") {
		return true
	}
	if len(p.tokens) == 0 || !known()[p.tokens[0]] {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}
