package lang

import (
	"maps"
	"strings"
)

// maxDepth is how deep parentheses and transformers may be nested, and macros in each other.
const maxDepth = 500

// parser reads conditions. Names of macros and lists are left as they are.
type parser struct {
	lexer
	depth int
}

// parseCondition reads a whole condition.
func parseCondition(t *text) (Expr, error) {
	p := parser{lexer: lexer{text: t, s: t.s, code: CodeCondition}}
	e, err := p.or()
	if err == nil && !p.end() {
		err = p.unexpected()
	}
	return e, err
}

// unexpected says what is wrong with what stands behind a whole condition.
func (p *parser) unexpected() error {
	found := p.s[p.i:]
	w := word(found)
	switch low := strings.ToLower(w); {
	case found[0] == ')':
		return p.fail(p.i, "this ) closes nothing")
	case w == "not" || w == "and" || w == "or":
		return p.fail(p.i, "%s has to be followed by a blank or a parenthesis", w)
	case low == "and" || low == "or" || low == "not":
		return p.fail(p.i, "%s is written %s", w, low)
	case strings.HasPrefix(found, "&&"):
		return p.fail(p.i, "&& is written and")
	case strings.HasPrefix(found, "||"):
		return p.fail(p.i, "|| is written or")
	}
	if found[0] == '"' || found[0] == '\'' {
		return p.fail(p.i, "a quote in the middle of a value: the whole value has to be in quotes")
	}
	return p.fail(p.i, `expected "and", "or" or the end, found %s`, quoteOf(p.shown()))
}

// shown is what the text goes on with, for errors.
func (p *parser) shown() string {
	if w := p.name(); w != "" {
		return w
	}
	rest := p.rest()
	if i := strings.IndexAny(rest, " \t\r\n"); i > 0 {
		rest = rest[:i]
	}
	return rest
}

func (p *parser) or() (Expr, error) {
	at, terms, err := p.chain("or", p.and)
	if err != nil || len(terms) == 1 {
		return first(terms), err
	}
	return &Or{at, terms}, nil
}

func (p *parser) and() (Expr, error) {
	at, terms, err := p.chain("and", p.not)
	if err != nil || len(terms) == 1 {
		return first(terms), err
	}
	return &And{at, terms}, nil
}

func first(terms []Expr) Expr {
	if len(terms) == 0 {
		return nil
	}
	return terms[0]
}

// chain reads terms with a word between them.
func (p *parser) chain(between string, term func() (Expr, error)) (at Pos, terms []Expr, err error) {
	p.blank()
	at = p.pos()
	for {
		e, err := term()
		if err != nil {
			return at, nil, err
		}
		terms = append(terms, e)
		p.blank()
		if !p.keyword(between) {
			return at, terms, nil
		}
		p.blank()
	}
}

func (p *parser) not() (Expr, error) {
	p.blank()
	at, odd := p.pos(), false
	for p.keyword("not") {
		odd = !odd
		p.blank()
	}
	e, err := p.check()
	if err != nil || !odd {
		return e, err
	}
	if inner, ok := e.(*Not); ok {
		return inner.Term, nil
	}
	return &Not{at, e}, nil
}

// deeper counts a level of nesting.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail(p.i, "nested deeper than %d", maxDepth)
	}
	return nil
}

func (p *parser) check() (Expr, error) {
	from := p.i
	if p.sign('(') {
		return p.embedded(from)
	}
	name := p.name()
	switch {
	case p.end():
		return nil, p.fail(from, "a condition is missing at the end")
	case name == "" && (p.s[from] == '"' || p.s[from] == '\''):
		return nil, p.fail(from, "expected a field, macro or parenthesis; a text alone is no condition")
	case name == "":
		return nil, p.fail(from, "expected a field, macro or parenthesis, found %s", quoteOf(p.shown()))
	case name == "and" || name == "or" || name == "not":
		return nil, p.fail(from, "a condition is missing before %q", name)
	}
	plain := !strings.Contains(name, ".")
	if _, call := transformers[name]; plain && !(call && p.opens(len(name))) {
		if p.opens(len(name)) {
			return nil, p.noTransformer(name)
		}
		at := p.pos()
		p.i += len(name)
		return &Macro{Pos: at, Name: name}, nil
	}
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	return p.comparison(left)
}

// opens tells whether a parenthesis stands n bytes on.
func (p *parser) opens(n int) bool { return strings.HasPrefix(p.rest()[n:], "(") }

func (p *parser) noTransformer(name string) error {
	if name == "val" {
		return p.fail(p.i, "val() stands on the right side of a comparison only")
	}
	return p.fail(p.i, "%s is no transformer%s", quoteOf(name), meant(name, maps.Keys(transformers)))
}

// embedded reads what is in parentheses after the first of them, which stands at from.
func (p *parser) embedded(from int) (Expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.sign(')') {
		return e, nil
	}
	if p.end() {
		return nil, p.fail(from, "this ( is not closed")
	}
	return nil, p.unexpected()
}

// term reads a field or transformer.
func (p *parser) term() (Term, error) {
	at, name := p.pos(), p.name()
	if _, ok := transformers[name]; ok && p.opens(len(name)) {
		return p.call(name)
	}
	switch {
	case p.end():
		return nil, p.fail(p.i, "a field is missing at the end")
	case strings.Contains(name, "."):
		p.i += len(name)
		return p.field(at, name)
	case name != "" && p.opens(len(name)):
		return nil, p.noTransformer(name)
	}
	return nil, p.fail(p.i, "expected a field or transformer, found %s", quoteOf(p.shown()))
}

// field reads what is in brackets behind a field.
func (p *parser) field(at Pos, name string) (Term, error) {
	f := &Field{Pos: at, Name: name}
	from := p.i
	if !p.sign('[') {
		return f, nil
	}
	f.HasArg, f.ArgPos = true, p.pos()
	s, ok, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if !ok {
		s = p.bare(stopsArg)
		if s == "" {
			return nil, p.fail(from, "%s[ has to be followed by a text, and ]", name)
		}
	}
	f.Arg = s
	if !p.sign(']') {
		return nil, p.fail(from, "this [ is not closed, or there are blanks or quotes in it that do not belong there")
	}
	return f, nil
}

func (p *parser) call(name string) (Term, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	from := p.i
	c := &Call{Pos: p.pos(), Name: name}
	p.i += len(name) + 1
	for {
		p.blank()
		arg, err := p.argument(true)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
		p.blank()
		if !p.sign(',') {
			break
		}
	}
	if !p.sign(')') {
		return nil, p.fail(from, "the parenthesis of %s is not closed", name)
	}
	if most := transformers[name][1]; len(c.Args) > most {
		return nil, p.fail(from, "%s has %d arguments, and may have %d", name, len(c.Args), most)
	}
	if _, ok := c.Args[0].(*Value); ok && transformers[name][1] == 1 {
		return nil, p.fail(from, "%s is of a field or transformer, not of a text", name)
	}
	return c, nil
}

// argument reads an argument of a transformer.
func (p *parser) argument(list bool) (Term, error) {
	at := p.pos()
	s, ok, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if ok {
		return &Value{s, true, at}, nil
	}
	if n := p.number(); n != "" {
		return &Value{n, false, at}, nil
	}
	if list && p.sign('(') {
		return p.arguments(at)
	}
	return p.term()
}

// arguments reads the rest of an argument that is a list.
func (p *parser) arguments(at Pos) (Term, error) {
	l := &List{Pos: at}
	for p.blank(); !p.sign(')'); p.blank() {
		if len(l.Items) > 0 && !p.sign(',') {
			return nil, p.fail(p.i, `expected "," or ")"`)
		}
		p.blank()
		item, err := p.argument(false)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, item)
	}
	return l, nil
}
