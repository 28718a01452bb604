package syntax

import "strings"

// levels are the operators of two operands from the loosest on; not and defined stand
// between the second and the third.
var levels = [][]string{
	{"or"},
	{"and"},
	{"==", "!=", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals", "matches"},
	{"<", "<=", ">", ">="},
	{"|"},
	{"^"},
	{"&"},
	{"<<", ">>"},
	{"+", "-"},
	{"*", `\`, "%"},
}

const (
	notLevel = 2
	// maxPostfix is how many fields, indexes and calls may follow a name.
	maxPostfix = 32
	plainExpr  = 4 // from here on: what gives numbers
)

func (p *parser) expr() Expr { return p.binary(0) }

// number parses what may stand as an operand of a comparison.
func (p *parser) number() Expr { return p.binary(plainExpr) }

func (p *parser) binary(level int) Expr {
	if level == len(levels) {
		return p.unary()
	}
	if level == notLevel && (p.is("not") || p.is("defined")) {
		return p.not()
	}
	p.enter()
	defer p.leave()
	l := p.binary(level + 1)
	for {
		op := p.operator(level)
		if op == "" {
			return l
		}
		at := p.tok.Pos
		if op == "%" && p.percentOf() {
			return l
		}
		p.shift()
		r := p.operand(op, level)
		l = &Binary{at, op, l, r}
	}
}

func (p *parser) operand(op string, level int) Expr {
	if op == "matches" {
		at := p.tok.Pos
		if !p.is("/") {
			p.unexpected("a regular expression")
			return &Literal{Pos: at}
		}
		n := p.regexp()
		p.shift()
		return &Regexp{at, n}
	}
	return p.binary(level + 1)
}

// operator is the current token when it is an operator of that level.
func (p *parser) operator(level int) string {
	if p.err != nil {
		return ""
	}
	for _, op := range levels[level] {
		if p.is(op) {
			return op
		}
	}
	return ""
}

// percentOf tells whether the % that is the current token is followed by of.
func (p *parser) percentOf() bool {
	l := p.lexer
	t := l.next()
	return t.kind == tKeyword && t.text == "of"
}

func (p *parser) enter() {
	p.depth++
	if p.depth > maxNesting*len(levels) {
		p.fail(p.tok.Pos, "condition nested too deep")
		p.tok.kind = tEOF
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) not() Expr {
	p.enter()
	defer p.leave()
	at, op := p.tok.Pos, p.tok.text
	p.shift()
	return &Unary{at, op, p.binary(notLevel)}
}

func (p *parser) unary() Expr {
	p.enter()
	defer p.leave()
	at := p.tok.Pos
	for _, op := range []string{"-", "~"} {
		if p.accept(op) {
			return &Unary{at, op, p.unary()}
		}
	}
	x := p.primary()
	if p.err == nil && !p.bare && (p.is("of") || p.is("%") && p.percentOf()) {
		q := Quantifier{Kind: "count", X: x}
		if p.accept("%") {
			q.Kind = "percent"
		}
		return p.of(at, q)
	}
	return x
}

func (p *parser) primary() Expr {
	t := p.tok
	if p.nodes++; p.nodes > maxNodes {
		p.fail(t.Pos, "condition of more than %d parts", maxNodes)
	}
	if p.err != nil {
		return &Literal{Pos: t.Pos}
	}
	switch t.kind {
	case tInt:
		p.shift()
		return &Literal{t.Pos, t.num}
	case tFloat:
		p.shift()
		return &Literal{t.Pos, t.real}
	case tString:
		p.shift()
		return &Literal{t.Pos, t.text}
	case tID:
		return p.match()
	case tCount:
		p.shift()
		c := &Count{Pos: t.Pos, ID: t.text}
		if p.accept("in") {
			c.In = p.span()
		}
		return c
	case tAt, tLen:
		p.shift()
		x := &Place{Pos: t.Pos, ID: t.text, Length: t.kind == tLen}
		if p.accept("[") {
			x.I = p.number()
			p.expect("]")
		}
		return x
	case tName:
		return p.named()
	}
	return p.keyword()
}

func (p *parser) keyword() Expr {
	t := p.tok
	switch {
	case p.accept("("):
		x := p.expr()
		p.expect(")")
		return x
	case p.accept("true"), p.accept("false"):
		return &Literal{t.Pos, t.text == "true"}
	case p.accept("filesize"), p.accept("entrypoint"):
		return &Name{t.Pos, t.text}
	case p.is("any"), p.is("all"), p.is("none"):
		p.shift()
		return p.of(t.Pos, Quantifier{Kind: t.text})
	case p.accept("for"):
		return p.loop(t.Pos)
	case t.kind == tKeyword && (strings.HasPrefix(t.text, "int") || strings.HasPrefix(t.text, "uint")):
		p.shift()
		p.expect("(")
		x := p.number()
		p.expect(")")
		return &Call{t.Pos, &Name{t.Pos, t.text}, []Expr{x}}
	}
	p.unexpected("an expression")
	return &Literal{Pos: t.Pos}
}

// match is a string that is there, perhaps at some place.
func (p *parser) match() Expr {
	m := &Match{Pos: p.tok.Pos, ID: p.tok.text}
	p.shift()
	switch {
	case p.accept("at"):
		m.Where = p.number()
	case p.accept("in"):
		m.In = p.span()
	}
	return m
}

func (p *parser) named() Expr {
	var x Expr = &Name{p.tok.Pos, p.tok.text}
	p.shift()
	for n := 0; p.err == nil; n++ {
		at := p.tok.Pos
		if n > maxPostfix {
			p.fail(at, "condition nested too deep")
		}
		switch {
		case p.accept("."):
			x = &Field{at, x, p.tok.text}
			if p.tok.kind != tName && p.tok.kind != tKeyword {
				p.unexpected("a name")
			}
			p.shift()
		case p.accept("["):
			x = &Index{at, x, p.number()}
			p.expect("]")
		case p.accept("("):
			x = &Call{at, x, p.args()}
		default:
			return x
		}
	}
	return x
}

func (p *parser) args() []Expr {
	var args []Expr
	if p.accept(")") {
		return nil
	}
	for p.err == nil {
		if p.is("/") {
			at := p.tok.Pos
			n := p.regexp()
			p.shift()
			args = append(args, &Regexp{at, n})
		} else {
			args = append(args, p.expr())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return args
}

// span is (lo..hi).
func (p *parser) span() *Range {
	p.expect("(")
	lo := p.number()
	p.expect("..")
	hi := p.number()
	p.expect(")")
	return &Range{lo, hi}
}
