package workflow

import "strings"

// Expression is one ${{ ... }}, or the condition of an if.
type Expression struct {
	Text string
	Line int
}

const (
	maxExpressions = 200 // of one text
	maxDepth       = 40
)

// Expressions are those in a scalar.
func Expressions(n Node) []Expression {
	text := n.Text()
	line := n.Line()
	if n.IsBlock() {
		line++
	}
	var out []Expression
	for len(out) < maxExpressions {
		i := strings.Index(text, "${{")
		if i < 0 {
			break
		}
		if n.IsBlock() {
			line += strings.Count(text[:i], "\n")
		}
		inside, rest, ok := cutExpression(text[i+3:])
		if !ok {
			break
		}
		out = append(out, Expression{strings.TrimSpace(inside), line})
		if n.IsBlock() {
			line += strings.Count(inside, "\n")
		}
		text = rest
	}
	return out
}

// cutExpression finds the end, which a text in quotes cannot be.
func cutExpression(s string) (inside, rest string, ok bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], "}}"):
			return s[:i], s[i+2:], true
		}
	}
	return "", "", false
}

// Call is a function call in an expression.
type Call struct {
	Name string // in lower case
	Args []Value
}

// Value is what an operand of an expression is.
type Value struct {
	// Contexts are the values that it may become, in lower case: "github.event.issue.title";
	// an index is a name, or "*".
	Contexts []string
	// Literal is a text in quotes, Quoted that it is one.
	Literal string
	Quoted  bool
}

// Parsed is what an expression may become, and everything in it.
type Parsed struct {
	Value
	// All are the contexts that stand anywhere in it.
	All   []string
	Calls []Call
	// Compared are contexts that are compared with a text: context, "=", text.
	Compared [][2]string
	// Constant is true for one that is a literal alone.
	Constant bool
}

// ParseExpression reads an expression. What it does not understand it passes over, so
// that as much as possible is seen.
func ParseExpression(text string) *Parsed {
	p := &parser{rest: text, out: &Parsed{}}
	p.out.Value = p.or(0)
	for p.skip(); p.rest != "" && p.steps < len(text)+10; p.skip() { // what is left is no expression, but may name contexts
		before := len(p.rest)
		p.or(0)
		if len(p.rest) == before {
			p.rest = p.rest[1:]
		}
	}
	p.out.Constant = p.out.Quoted && len(p.out.All) == 0 && len(p.out.Calls) == 0
	return p.out
}

type parser struct {
	rest  string
	out   *Parsed
	steps int
}

func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *parser) eat(s string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// or may become either side.
func (p *parser) or(depth int) Value {
	v := p.and(depth)
	for p.eat("||") {
		v = either(v, p.and(depth))
	}
	return v
}

// and becomes its last side, or something that counts as false.
func (p *parser) and(depth int) Value {
	v := p.compare(depth)
	for p.eat("&&") {
		v = p.compare(depth)
	}
	return v
}

// compare becomes true or false.
func (p *parser) compare(depth int) Value {
	v := p.unary(depth)
	for {
		op := ""
		for _, o := range []string{"==", "!=", "<=", ">=", "<", ">"} {
			if p.eat(o) {
				op = o
				break
			}
		}
		if op == "" {
			return v
		}
		w := p.unary(depth)
		p.compared(v, w)
		p.compared(w, v)
		v = Value{}
	}
}

func (p *parser) compared(v, w Value) {
	if w.Quoted && len(p.out.Compared) < maxExpressions {
		for _, c := range v.Contexts {
			p.out.Compared = append(p.out.Compared, [2]string{c, w.Literal})
		}
	}
}

func (p *parser) unary(depth int) Value {
	p.skip()
	if strings.HasPrefix(p.rest, "!=") {
		return Value{}
	}
	if p.eat("!") {
		for p.eat("!") {
		}
		p.primary(depth)
		return Value{}
	}
	return p.primary(depth)
}

func (p *parser) primary(depth int) Value {
	p.steps++
	p.skip()
	if depth > maxDepth || p.rest == "" {
		return Value{}
	}
	switch c := p.rest[0]; {
	case c == '(':
		p.rest = p.rest[1:]
		v := p.or(depth + 1)
		p.eat(")")
		return p.members(v, depth)
	case c == '\'':
		return Value{Literal: p.quoted(), Quoted: true}
	case isWord(c):
		return p.name(depth)
	}
	return Value{}
}

// quoted reads a text in quotes; two quotes are one of the text.
func (p *parser) quoted() string {
	var b strings.Builder
	s := p.rest[1:]
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			b.WriteString(s)
			p.rest = ""
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, "'") {
			p.rest = s
			return b.String()
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (p *parser) word() string {
	i := 0
	for i < len(p.rest) && isWord(p.rest[i]) {
		i++
	}
	w := strings.ToLower(p.rest[:i])
	p.rest = p.rest[i:]
	return w
}

// name reads a call, a context or a number.
func (p *parser) name(depth int) Value {
	w := p.word()
	if p.eat("(") {
		return p.call(w, depth)
	}
	switch {
	case w == "true", w == "false", w == "null", w[0] >= '0' && w[0] <= '9', w[0] == '-':
		return Value{}
	}
	return p.members(Value{Contexts: []string{w}}, depth)
}

// members reads .name, .* and [index].
func (p *parser) members(v Value, depth int) Value {
	for {
		part := ""
		switch {
		case p.eat("."):
			p.skip()
			if part = p.word(); part == "" && p.eat("*") {
				part = "*"
			}
		case p.eat("["):
			index := p.or(depth + 1)
			p.eat("]")
			part = "*"
			if index.Quoted {
				part = strings.ToLower(index.Literal)
			}
		}
		if part == "" {
			break
		}
		for i := range v.Contexts {
			if len(v.Contexts[i]) < 500 {
				v.Contexts[i] += "." + part
			}
		}
	}
	if len(p.out.All) < maxExpressions {
		p.out.All = append(p.out.All, v.Contexts...)
	}
	return v
}

// truths are functions that give true, false or a digest.
var truths = map[string]bool{"contains": true, "startswith": true, "endswith": true, "hashfiles": true, "success": true, "failure": true, "always": true, "cancelled": true}

func (p *parser) call(name string, depth int) Value {
	c := Call{Name: name}
	out := Value{}
	for !p.eat(")") {
		before := len(p.rest)
		arg := p.or(depth + 1)
		c.Args = append(c.Args, arg)
		out = either(out, arg)
		if p.eat(","); len(p.rest) == before {
			break
		}
	}
	if len(p.out.Calls) < maxExpressions {
		p.out.Calls = append(p.out.Calls, c)
	}
	if truths[name] {
		out = Value{}
	}
	out.Quoted, out.Literal = false, ""
	return p.members(out, depth)
}

// either is a value that may be one or the other.
func either(v, w Value) Value {
	out := Value{Contexts: v.Contexts, Literal: v.Literal, Quoted: v.Quoted && w.Quoted && v.Literal == w.Literal}
	if len(out.Contexts) < maxExpressions {
		out.Contexts = append(out.Contexts[:len(out.Contexts):len(out.Contexts)], w.Contexts...)
	}
	return out
}
