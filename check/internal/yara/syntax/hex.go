package syntax

import (
	"strings"

	"bulwark/check/internal/yara/pattern"
)

const (
	maxTokens = 10_000 // of a hex string
	maxDepth  = 50
)

// hex reads a hex string whose opening brace has been read.
type hex struct {
	*lexer
	tokens int
}

func (l *lexer) hex() *pattern.Node {
	h := hex{lexer: l}
	at := l.pos()
	n := h.sequence(0)
	l.space()
	if l.err == nil && l.peek(0) != '}' {
		l.fail(l.pos(), "hex string: a byte, a jump or } was expected")
	}
	l.off++
	if n.Op == pattern.OpEmpty {
		l.fail(at, "empty hex string")
	}
	if l.err == nil && (isJump(n) || n.Op == pattern.OpCat && (isJump(n.Sub[0]) || isJump(n.Sub[len(n.Sub)-1]))) {
		l.fail(at, "hex string: begins or ends with a jump")
	}
	return n
}

func isJump(n *pattern.Node) bool { return n.Op == pattern.OpRepeat }

func (h *hex) sequence(depth int) *pattern.Node {
	var nodes []*pattern.Node
	if depth > maxDepth {
		h.fail(h.pos(), "hex string: alternatives nested too deep")
	}
	for h.err == nil {
		h.space()
		h.tokens++
		if h.tokens > maxTokens {
			h.fail(h.pos(), "hex string of more than %d bytes", maxTokens)
			break
		}
		switch c := h.peek(0); {
		case c == '[':
			nodes = append(nodes, h.jump(depth))
		case c == '(':
			nodes = append(nodes, h.alternatives(depth))
		case c == '~' || c == '?' || hexDigit(c) >= 0:
			nodes = append(nodes, h.byte())
		default:
			return pattern.Cat(nodes...)
		}
	}
	return pattern.Cat(nodes...)
}

func (h *hex) alternatives(depth int) *pattern.Node {
	at := h.pos()
	n := &pattern.Node{Op: pattern.OpAlt}
	for {
		h.off++
		s := h.sequence(depth + 1)
		if s.Op == pattern.OpEmpty {
			h.fail(at, "hex string: empty alternative")
		}
		n.Sub = append(n.Sub, s)
		if h.err != nil || h.peek(0) != '|' {
			break
		}
	}
	if h.peek(0) != ')' {
		h.fail(at, "hex string: ( without )")
	}
	h.off++
	if len(n.Sub) == 1 {
		return n.Sub[0]
	}
	return n
}

// byte reads a byte: two digits or wildcards, after ~ what it must not be.
func (h *hex) byte() *pattern.Node {
	not := h.peek(0) == '~'
	if not {
		h.off++
	}
	var value, mask byte
	for i := range 2 {
		c := h.peek(i)
		d := hexDigit(c)
		if d < 0 && c != '?' {
			h.fail(h.pos(), "hex string: half a byte")
			return &pattern.Node{}
		}
		value, mask = value<<4, mask<<4
		if d >= 0 {
			value, mask = value|byte(d), mask|0xf
		}
	}
	if not && mask == 0 {
		h.fail(h.pos(), "hex string: ~?? can match nothing")
	}
	h.off += 2
	s := pattern.Masked(value, mask)
	if not {
		s = s.Not()
	}
	return pattern.Byte(s)
}

func hexDigit(c byte) int {
	switch {
	case digit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// jump reads [n], [n-m], [n-] or [-].
func (h *hex) jump(depth int) *pattern.Node {
	at := h.pos()
	end := strings.IndexByte(h.src[h.off:], ']')
	if end < 0 || end > 100 {
		h.fail(at, "hex string: [ without ]")
		return &pattern.Node{}
	}
	text := strings.Join(strings.Fields(h.src[h.off+1:h.off+end]), "")
	h.advance(h.off + end + 1)
	from, to, dash := strings.Cut(text, "-")
	lo, ok1 := number(from, 0)
	hi, ok2 := number(to, pattern.Unbounded)
	if !dash {
		hi, ok2 = lo, ok1 && from != ""
	}
	switch {
	case !ok1 || !ok2:
		h.fail(at, "hex string: illegal jump [%s]", text)
	case hi >= 0 && lo > hi:
		h.fail(at, "hex string: jump from %d to %d", lo, hi)
	case depth > 0 && (hi < 0 || hi > Far):
		h.fail(at, "hex string: a jump without bound, or of more than %d bytes, inside of alternatives", Far)
	}
	if lo == 0 && hi == 0 {
		return &pattern.Node{}
	}
	return pattern.Repeat(pattern.Byte(pattern.All), lo, hi, true)
}

// Far is the longest jump that is matched as a part of one expression; a longer one
// separates parts of a string that are looked for on their own.
const Far = 200

// number reads a count of at most 31 bits; empty gives none.
func number(s string, none int) (int, bool) {
	if s == "" {
		return none, true
	}
	n := 0
	for i := range len(s) {
		if !digit(s[i]) || n > 1<<27 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
