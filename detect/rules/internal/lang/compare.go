package lang

import (
	"maps"
	"strings"
)

// comparison reads what is behind a left side.
func (p *parser) comparison(left Term) (Expr, error) {
	p.blank()
	c := &Check{Pos: left.Where(), Left: left, OpPos: p.pos()}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	c.Op = op
	if op == Exists {
		return c, nil
	}
	p.blank()
	if op.modifiable() {
		c.Modifier = p.modifier()
		p.blank()
	}
	if p.end() {
		return nil, p.fail(p.i, "what to compare with is missing behind %q", op.String())
	}
	if c.Right, err = p.right(); err != nil || c.Right != nil {
		return c, err
	}
	switch {
	case op.List() || c.Modifier != Plain:
		c.Values, err = p.values()
	default:
		var v Value
		v, err = p.value(op)
		c.Values = []Value{v}
	}
	return c, err
}

func (p *parser) operator() (Op, error) {
	rest := p.rest()
	for _, n := range []int{2, 1} {
		if len(rest) >= n && !letter(rest[0]) && ops[rest[:n]] != 0 {
			p.i += n
			return ops[rest[:n]], nil
		}
	}
	w := word(rest)
	op := ops[w]
	switch {
	case op != 0:
		p.i += len(w)
		return op, nil
	case p.end():
		return 0, p.fail(p.i, "an operator is missing at the end")
	case w != "":
		return 0, p.fail(p.i, "%s is no operator%s", quoteOf(w), meant(strings.ToLower(w), maps.Keys(ops)))
	}
	return 0, p.fail(p.i, "expected an operator, found %s", quoteOf(p.shown()))
}

// modifier passes and gives a modifier: one of its words that a list follows.
func (p *parser) modifier() Modifier {
	w := word(p.rest())
	m := modifiers[w]
	if m == Plain {
		return Plain
	}
	after := strings.TrimLeft(p.rest()[len(w):], " \t\r\n\b")
	if next := word(after); !strings.HasPrefix(after, "(") && (next == "" || next == "and" || next == "or") {
		return Plain
	}
	p.i += len(w)
	return m
}

// right reads a field or transformer on the right; nil where there is none.
func (p *parser) right() (Term, error) {
	name := word(p.rest())
	if !p.opens(len(name)) {
		return nil, nil
	}
	if _, ok := transformers[name]; ok {
		return p.term()
	}
	if name != "val" {
		return nil, nil
	}
	from := p.i
	p.i += len("val(")
	p.blank()
	at, name := p.pos(), p.name()
	if !strings.Contains(name, ".") {
		return nil, p.fail(p.i, "val() is of a field")
	}
	p.i += len(name)
	f, err := p.field(at, name)
	if err != nil {
		return nil, err
	}
	p.blank()
	if !p.sign(')') {
		return nil, p.fail(from, "the parenthesis of val is not closed")
	}
	return f, nil
}

// value reads one value.
func (p *parser) value(op Op) (Value, error) {
	from := p.i
	v, err := p.literal()
	if err != nil {
		return v, err
	}
	if op.number() && (v.Quoted || !numeric(v.Text)) && (v.Quoted || word(v.Text) != v.Text) {
		return v, p.fail(from, "%s compares with a number, not with %s", op, quoteOf(v.Text))
	}
	return v, nil
}

// literal reads a text, in quotes or bare.
func (p *parser) literal() (Value, error) {
	at, from := p.pos(), p.i
	s, ok, err := p.quoted()
	if err != nil || ok {
		return Value{s, true, at}, err
	}
	if s = p.bare(stopsValue); s != "" {
		return Value{s, false, at}, nil
	}
	switch {
	case p.end():
		return Value{}, p.fail(from, "a value is missing at the end")
	case p.s[from] == '(':
		return Value{}, p.fail(from, "this operator compares with one value; a list needs in, intersects, pmatch, or anyof, oneof or allof before it")
	}
	return Value{}, p.fail(from, "expected a value, found %s", quoteOf(p.s[from:from+1]))
}

// values reads a list, or the name of one.
func (p *parser) values() ([]Value, error) {
	from := p.i
	if !p.sign('(') {
		at, name := p.pos(), p.bare(stopsValue)
		if name == "" {
			return nil, p.fail(from, "expected a list in parentheses, or the name of one")
		}
		return []Value{{name, false, at}}, nil
	}
	list := []Value{}
	for p.blank(); !p.sign(')'); p.blank() {
		if p.end() {
			return nil, p.fail(from, "this ( is not closed")
		}
		if len(list) > 0 && !p.sign(',') {
			return nil, p.fail(p.i, `expected "," or ")", found %s`, quoteOf(p.shown()))
		}
		p.blank()
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// numeric tells whether a text is a number as a whole.
func numeric(s string) bool {
	l := lexer{s: s}
	return l.number() != "" && l.end()
}
