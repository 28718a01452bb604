package yara

import (
	"encoding/base64"
	"strings"

	"bulwark/check/internal/yara/pattern"
	"bulwark/check/internal/yara/syntax"
)

// text is a string of a rule, made ready.
type text struct {
	id       string
	rule     *Rule
	fullword bool
	private  bool
	greedy   bool
	// every is true when all matches matter, not only that there is one.
	every bool
	used  bool
	// pinned is true when the string matters at the offset pin alone.
	pinned bool
	pin    int64
	// parts are found on their own and joined by their gaps; most strings have one.
	parts []part
}

// part is a piece of a string, and how far behind the end of the part before it begins;
// hi is negative without a bound.
type part struct {
	lo, hi   int64
	patterns []*pattern.Pattern
}

func newText(s *syntax.String, rule *Rule) *text {
	t := &text{id: s.ID, rule: rule, fullword: s.FullWord, private: s.Private}
	switch {
	case s.Hex:
		t.parts = split(s.Expr)
	case s.Expr != nil:
		t.parts = []part{{patterns: expressions(s)}}
	default:
		t.parts = []part{{patterns: literals(s)}}
	}
	t.every = len(t.parts) > 1
	for _, p := range t.parts {
		for _, x := range p.patterns {
			t.greedy = t.greedy || x.Greedy
		}
	}
	return t
}

// expressions are the forms of a regular expression.
func expressions(s *syntax.String) []*pattern.Pattern {
	n := s.Expr
	if s.NoCase {
		n = n.NoCase()
	}
	var all []*pattern.Pattern
	if s.ASCII {
		all = pattern.Compile(n)
	}
	if s.Wide {
		wide := pattern.Compile(n.Widened())
		for _, p := range wide {
			p.Wide = true
		}
		all = append(all, wide...)
	}
	return all
}

// literals are the forms of a text string.
func literals(s *syntax.String) []*pattern.Pattern {
	var all []*pattern.Pattern
	form := func(b []byte, wide bool) {
		switch {
		case s.Base64 || s.Base64Wide:
			for _, v := range base64Forms(b, s.Base64Alphabet) {
				if s.Base64 {
					all = append(all, pattern.Literal([]byte(v), false))
				}
				if s.Base64Wide {
					all = append(all, pattern.Literal(widen([]byte(v)), false))
				}
			}
			return
		case s.XOR:
			all = append(all, pattern.XOR(b, s.XORLo, s.XORHi))
		default:
			all = append(all, pattern.Literal(b, s.NoCase))
		}
		all[len(all)-1].Wide = wide
	}
	if s.ASCII {
		form(s.Text, false)
	}
	if s.Wide {
		form(widen(s.Text), true)
	}
	return all
}

func widen(b []byte) []byte {
	out := make([]byte, 2*len(b))
	for i, c := range b {
		out[2*i] = c
	}
	return out
}

// base64Forms is what b looks like inside of a longer text in base64, at the three places
// where it may begin: without the characters that depend on its neighbours.
func base64Forms(b []byte, alphabet string) []string {
	var out []string
	for lead := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, lead), b...))
		body := strings.TrimRight(enc, "=")
		if pad := len(enc) - len(body); pad > 0 {
			body = body[:len(body)-1]
		}
		if lead > 0 {
			body = body[lead+1:]
		}
		out = append(out, translate(body, alphabet))
	}
	return out
}

func translate(s, alphabet string) string {
	const standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	out := []byte(s)
	for i, c := range out {
		out[i] = alphabet[strings.IndexByte(standard, c)]
	}
	return string(out)
}

// split takes a hex string apart at its long jumps.
func split(n *pattern.Node) []part {
	nodes := []*pattern.Node{n}
	if n.Op == pattern.OpCat {
		nodes = n.Sub
	}
	var parts []part
	from, cur := 0, part{}
	flush := func(to int) {
		cur.patterns = pattern.Compile(pattern.Cat(nodes[from:to]...))
		parts = append(parts, cur)
	}
	for i, x := range nodes {
		if x.Op == pattern.OpRepeat && (x.Min > syntax.Far || x.Max > syntax.Far || x.Max < 0) && i > from {
			flush(i)
			from, cur = i+1, part{lo: int64(x.Min), hi: int64(x.Max)}
		}
	}
	flush(len(nodes))
	return parts
}
