package syntax

import (
	"strings"
)

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// modifiers reads what follows a string.
func (p *parser) modifiers(s *String) {
	seen := map[string]bool{}
	for p.err == nil && p.tok.kind == tKeyword && p.modifier(s, seen) {
	}
	if p.err == nil {
		p.combination(s, seen)
	}
	if !s.Wide {
		s.ASCII = true
	}
}

// modifier reads one; it gives false when there is none.
func (p *parser) modifier(s *String, seen map[string]bool) bool {
	t := p.tok
	switch t.text {
	case "nocase", "wide", "ascii", "fullword", "private", "xor", "base64", "base64wide":
	default:
		return false
	}
	if seen[t.text] {
		p.fail(t.Pos, "duplicated modifier %q", t.text)
	}
	seen[t.text] = true
	p.shift()
	switch t.text {
	case "nocase":
		s.NoCase = true
	case "wide":
		s.Wide = true
	case "ascii":
		s.ASCII = true
	case "fullword":
		s.FullWord = true
	case "private":
		s.Private = true
	case "xor":
		p.keys(s)
	case "base64":
		s.Base64 = true
		p.alphabet(s)
	case "base64wide":
		s.Base64Wide = true
		p.alphabet(s)
	}
	return true
}

// keys reads the range of xor.
func (p *parser) keys(s *String) {
	s.XOR, s.XORLo, s.XORHi = true, 0, 255
	if !p.accept("(") {
		return
	}
	lo := p.take(tInt, "a number")
	hi := lo
	if p.accept("-") {
		hi = p.take(tInt, "a number")
	}
	p.expect(")")
	if lo.num > 255 || hi.num > 255 || lo.num > hi.num {
		p.fail(lo.Pos, "invalid xor range")
		return
	}
	s.XORLo, s.XORHi = byte(lo.num), byte(hi.num)
}

// alphabet reads the alphabet of base64.
func (p *parser) alphabet(s *String) {
	alphabet := base64Alphabet
	if p.accept("(") {
		t := p.take(tString, "an alphabet")
		p.expect(")")
		if alphabet = t.text; len(alphabet) != 64 {
			p.fail(t.Pos, "the alphabet of base64 has %d bytes, not 64", len(alphabet))
		}
	}
	if s.Base64Alphabet != "" && s.Base64Alphabet != alphabet {
		p.fail(p.tok.Pos, "base64 and base64wide with two alphabets")
	}
	s.Base64Alphabet = alphabet
}

// combination refuses modifiers that do not go together.
func (p *parser) combination(s *String, seen map[string]bool) {
	if s.Expr != nil {
		for _, m := range []string{"xor", "base64", "base64wide"} {
			if seen[m] {
				p.fail(s.Pos, "invalid modifier %q: %s is no text string", m, s.ID)
			}
		}
	}
	for m := range seen {
		if s.Hex && m != "private" {
			p.fail(s.Pos, "invalid modifier %q: %s is a hex string", m, s.ID)
		}
	}
	for _, pair := range []string{"xor nocase", "base64 nocase", "base64wide nocase", "base64 fullword", "base64wide fullword", "base64 xor", "base64wide xor"} {
		a, b, _ := strings.Cut(pair, " ")
		if seen[a] && seen[b] {
			p.fail(s.Pos, "invalid modifier combination: %s of %s", pair, s.ID)
		}
	}
	if (s.Base64 || s.Base64Wide) && len(s.Text) < 3 {
		p.fail(s.Pos, "base64 needs a string of at least 3 bytes")
	}
}
