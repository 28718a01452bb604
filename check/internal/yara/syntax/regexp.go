package syntax

import (
	"strconv"
	"strings"

	"bulwark/check/internal/yara/pattern"
)

const (
	maxRegexp = 32 << 10
	maxCount  = 32767
)

// class escapes
var (
	wordSet  = setOf("_", "09", "az", "AZ")
	digitSet = setOf("09")
	spaceSet = setOf(" ", "\t\r")
)

func setOf(ranges ...string) pattern.Set {
	var s pattern.Set
	for _, r := range ranges {
		s.Range(r[0], r[len(r)-1])
	}
	return s
}

// expression reads a regular expression whose opening slash has been read, and what flags
// follow it.
type expression struct {
	*lexer
	depth  int
	dotAll bool
}

func (l *lexer) regexp() *pattern.Node {
	at, from := l.pos(), l.off
	end := from
	for ; ; end++ {
		if end >= len(l.src) || l.src[end] == '\n' || end-from > maxRegexp {
			l.fail(at, "regular expression without an end")
			return &pattern.Node{}
		}
		if l.src[end] == '\\' {
			end++
			continue
		}
		if l.src[end] == '/' {
			break
		}
	}
	flags := end + 1
	for flags < len(l.src) && (l.src[flags] == 'i' || l.src[flags] == 's') {
		flags++
	}
	body := lexer{src: l.src[:end], off: from, line: l.line, bol: l.bol}
	r := expression{lexer: &body, dotAll: strings.Contains(l.src[end:flags], "s")}
	n := r.alternatives()
	if body.err == nil && body.off < end {
		body.fail(body.pos(), "regular expression: unexpected %q", rune(body.src[body.off]))
	}
	if body.err == nil && from == end {
		body.fail(at, "empty regular expression")
	}
	l.err = body.err
	l.off = flags
	if strings.Contains(l.src[end:flags], "i") {
		n = n.NoCase()
	}
	return n
}

func (r *expression) more() bool { return r.err == nil && r.off < len(r.src) }

func (r *expression) alternatives() *pattern.Node {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth {
		r.fail(r.pos(), "regular expression: groups nested too deep")
		return &pattern.Node{}
	}
	n := &pattern.Node{Op: pattern.OpAlt, Sub: []*pattern.Node{r.sequence()}}
	for r.more() && r.peek(0) == '|' {
		r.off++
		n.Sub = append(n.Sub, r.sequence())
	}
	if len(n.Sub) == 1 {
		return n.Sub[0]
	}
	return n
}

func (r *expression) sequence() *pattern.Node {
	var nodes []*pattern.Node
	for r.more() && r.peek(0) != '|' && r.peek(0) != ')' {
		nodes = append(nodes, r.repeated())
	}
	return pattern.Cat(nodes...)
}

// repeated is one thing and how often.
func (r *expression) repeated() *pattern.Node {
	at := r.pos()
	n := r.single()
	lo, hi, ok := r.count()
	if !ok || r.err != nil {
		return n
	}
	lazy := r.more() && r.peek(0) == '?'
	if lazy {
		r.off++
	}
	switch n.Op {
	case pattern.OpStart, pattern.OpEnd, pattern.OpWord, pattern.OpNotWord:
		r.fail(at, "regular expression: a repeated assertion")
	case pattern.OpEmpty:
		return n
	}
	if r.more() && strings.IndexByte("*+?", r.peek(0)) >= 0 {
		r.fail(r.pos(), "regular expression: repetition of a repetition")
	}
	if hi == 0 {
		return &pattern.Node{}
	}
	return pattern.Repeat(n, lo, hi, lazy)
}

// count reads a repetition; ok is false when there is none.
func (r *expression) count() (lo, hi int, ok bool) {
	if !r.more() {
		return 0, 0, false
	}
	switch r.peek(0) {
	case '*':
		r.off++
		return 0, pattern.Unbounded, true
	case '+':
		r.off++
		return 1, pattern.Unbounded, true
	case '?':
		r.off++
		return 0, 1, true
	case '{':
		return r.braces()
	}
	return 0, 0, false
}

// braces reads {n}, {n,}, {,m} or {n,m}. What looks otherwise stands for itself.
func (r *expression) braces() (lo, hi int, ok bool) {
	at := r.pos()
	end := strings.IndexByte(r.src[r.off:], '}')
	if end < 0 {
		return 0, 0, false
	}
	from, to, comma := strings.Cut(r.src[r.off+1:r.off+end], ",")
	lo, ok1 := number(from, 0)
	hi, ok2 := number(to, pattern.Unbounded)
	if !comma {
		hi, ok2 = lo, ok1 && from != ""
	}
	if !ok1 || !ok2 || from == "" && to == "" {
		return 0, 0, false
	}
	r.off += end + 1
	if lo > maxCount || hi > maxCount || hi >= 0 && lo > hi || hi == 0 {
		r.fail(at, "regular expression: illegal repetition {%s,%s}", from, to)
	}
	return lo, hi, true
}

func (r *expression) single() *pattern.Node {
	at, c := r.pos(), r.peek(0)
	r.off++
	switch c {
	case '(':
		return r.group(at)
	case '[':
		return r.class(at)
	case '.':
		if r.dotAll {
			return pattern.Byte(pattern.All)
		}
		return pattern.Byte(pattern.One('\n').Not())
	case '^':
		return &pattern.Node{Op: pattern.OpStart}
	case '$':
		return &pattern.Node{Op: pattern.OpEnd}
	case '*', '+', '?':
		r.fail(at, "regular expression: nothing to repeat")
	case '\\':
		switch r.peek(0) {
		case 'b':
			r.off++
			return &pattern.Node{Op: pattern.OpWord}
		case 'B':
			r.off++
			return &pattern.Node{Op: pattern.OpNotWord}
		}
		return pattern.Byte(r.escape())
	}
	return pattern.Byte(pattern.One(c))
}

func (r *expression) group(at Pos) *pattern.Node {
	if r.more() && r.peek(0) == '?' {
		r.fail(at, "regular expression: (? is not part of the language")
		return &pattern.Node{}
	}
	n := r.alternatives()
	if !r.more() || r.peek(0) != ')' {
		r.fail(at, "regular expression: ( without )")
		return n
	}
	r.off++
	return n
}

// escape reads what follows a backslash.
func (r *expression) escape() pattern.Set {
	at := r.pos()
	if !r.more() {
		r.fail(at, "regular expression: ends in a backslash")
		return pattern.Set{}
	}
	c := r.peek(0)
	r.off++
	switch c {
	case 'w':
		return wordSet
	case 'W':
		return wordSet.Not()
	case 'd':
		return digitSet
	case 'D':
		return digitSet.Not()
	case 's':
		return spaceSet
	case 'S':
		return spaceSet.Not()
	case 't':
		return pattern.One('\t')
	case 'n':
		return pattern.One('\n')
	case 'r':
		return pattern.One('\r')
	case 'f':
		return pattern.One('\f')
	case 'a':
		return pattern.One('\a')
	case 'v':
		return pattern.One('\v')
	case 'x':
		if r.off+2 <= len(r.src) {
			if n, err := strconv.ParseUint(r.src[r.off:r.off+2], 16, 8); err == nil {
				r.off += 2
				return pattern.One(byte(n))
			}
		}
		r.fail(at, "regular expression: illegal escape sequence")
	}
	if digit(c) {
		r.fail(at, "regular expression: references back are not supported")
	}
	return pattern.One(c)
}

// class reads a class whose opening bracket has been read.
func (r *expression) class(at Pos) *pattern.Node {
	var s pattern.Set
	not := r.peek(0) == '^'
	if not {
		r.off++
	}
	for first := true; ; first = false {
		if !r.more() {
			r.fail(at, "regular expression: [ without ]")
			return &pattern.Node{}
		}
		if r.peek(0) == ']' && !first {
			r.off++
			break
		}
		lo := r.member()
		if r.peek(0) != '-' || r.peek(1) == ']' || lo.Len() != 1 {
			s = s.Or(lo)
			continue
		}
		r.off++
		hi := r.member()
		a, b := least(lo), least(hi)
		if hi.Len() != 1 || b < a {
			r.fail(at, "regular expression: illegal range in a class")
			return &pattern.Node{}
		}
		s.Range(a, b)
	}
	if not {
		return &pattern.Node{Op: pattern.OpSet, Set: s.Not(), Not: true}
	}
	return pattern.Byte(s)
}

func (r *expression) member() pattern.Set {
	if !r.more() {
		return pattern.Set{}
	}
	c := r.peek(0)
	r.off++
	if c == '\\' {
		return r.escape()
	}
	return pattern.One(c)
}

func least(s pattern.Set) byte {
	for b := range 256 {
		if s.Has(byte(b)) {
			return byte(b)
		}
	}
	return 0
}
