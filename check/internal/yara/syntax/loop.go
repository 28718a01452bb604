package syntax

// of reads what follows a quantifier outside of a for.
func (p *parser) of(at Pos, q Quantifier) Expr {
	p.expect("of")
	x := &Of{Pos: at, Quantifier: q, Set: p.set(true)}
	switch {
	case x.Set.Rules:
	case p.accept("in"):
		x.In = p.span()
	case p.accept("at"):
		x.Where = p.number()
	}
	return x
}

// set reads them, ($a, $b*), or, where that is allowed, (rule, rule*).
func (p *parser) set(rules bool) Set {
	s := Set{Pos: p.tok.Pos}
	if p.accept("them") {
		s.Them = true
		return s
	}
	p.expect("(")
	s.Rules = p.tok.kind == tName
	for p.err == nil {
		t := p.tok
		if t.kind != tID && !(s.Rules && rules && t.kind == tName) || s.Rules && t.kind == tID {
			p.unexpected("a string's name")
			return s
		}
		p.shift()
		// The star belongs to the name: no white space between them.
		wild := p.is("*")
		if wild {
			p.shift()
		}
		s.Items = append(s.Items, SetItem{t.Pos, t.text, wild})
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return s
}

// loop reads what follows for.
func (p *parser) loop(at Pos) Expr {
	p.enter()
	defer p.leave()
	q := p.quantifier()
	if p.accept("of") {
		x := &ForOf{Pos: at, Quantifier: q, Set: p.set(false)}
		x.Body = p.body()
		return x
	}
	x := &ForIn{Pos: at, Quantifier: q}
	for p.err == nil {
		x.Vars = append(x.Vars, p.take(tName, "a name").text)
		if !p.accept(",") {
			break
		}
	}
	p.expect("in")
	p.iterator(x)
	x.Body = p.body()
	return x
}

func (p *parser) quantifier() Quantifier {
	for _, k := range []string{"any", "all", "none"} {
		if p.accept(k) {
			return Quantifier{Kind: k}
		}
	}
	p.bare = true
	q := Quantifier{Kind: "count", X: p.number()}
	p.bare = false
	if p.accept("%") {
		q.Kind = "percent"
	}
	return q
}

func (p *parser) iterator(x *ForIn) {
	if !p.accept("(") {
		if p.tok.kind != tName {
			p.unexpected("a range, a list or an array")
			return
		}
		x.Over = p.named()
		return
	}
	first := p.number()
	if p.accept("..") {
		x.Range = &Range{first, p.number()}
		p.expect(")")
		return
	}
	x.List = []Expr{first}
	for p.accept(",") {
		x.List = append(x.List, p.number())
	}
	p.expect(")")
}

func (p *parser) body() Expr {
	p.expect(":")
	p.expect("(")
	x := p.expr()
	p.expect(")")
	return x
}
