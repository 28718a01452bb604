package lang

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exception is when a rule does not hold: by the values of fields.
type exception struct {
	name   string
	src    *source
	node   *yaml.Node
	fields *entry
	comps  *entry
	values []entry
	hint   string // what a key of it that is unknown may mean
}

// entry is a text, or a list of entries.
type entry struct {
	text  text
	pos   Pos
	list  bool
	items []entry
}

func cloneAll(list []*exception) []*exception {
	out := make([]*exception, len(list))
	for i, e := range list {
		c := *e
		c.values = c.values[:len(c.values):len(c.values)]
		out[i] = &c
	}
	return out
}

// except takes over exceptions: in place of those that there are, or with more values for them.
func (d *ruleDef) except(o *object, more bool) error {
	n := o.keys["exceptions"]
	if !more {
		d.exceptions = nil
	}
	if null(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return o.fail("exceptions", "exceptions of %s have to be a list", o.what)
	}
	named := map[string]bool{}
	for _, c := range n.Content {
		e, err := d.exception(o.src, deref(c), more)
		if err != nil {
			return err
		}
		if named[e.name] {
			d.note(o.src.pos(c), "LOAD_EXCEPTION_NAME_NOT_UNIQUE", "the exception %s is given twice in %s; both count", quoteOf(e.name), o.what)
		}
		named[e.name] = true
		if err := d.withException(e, more); err != nil {
			return err
		}
	}
	return nil
}

// withException adds an exception, or its values to the one of that name.
func (d *ruleDef) withException(e *exception, more bool) error {
	at := e.src.pos(e.node)
	for _, was := range d.exceptions {
		if was.name != e.name || !more {
			continue
		}
		if e.fields != nil || e.comps != nil {
			return &syntaxError{pos: at, text: fmt.Sprintf("the exception %s is there already: only values can be appended, not fields or comps", quoteOf(e.name))}
		}
		was.values = append(was.values, e.values...)
		return nil
	}
	if e.fields == nil {
		wrong := &syntaxError{pos: at, text: fmt.Sprintf("the exception %s has no fields%s", quoteOf(e.name), e.hint)}
		if !more {
			wrong.code = CodeForm
		}
		return wrong
	}
	if more && len(e.values) == 0 {
		return &syntaxError{pos: at, text: fmt.Sprintf("the exception %s is appended without values", quoteOf(e.name))}
	}
	d.exceptions = append(d.exceptions, e)
	return nil
}

// exceptionKeys are the keys of an exception.
var exceptionKeys = []string{"name", "fields", "comps", "values"}

// exception reads an exception, which with more set adds to what the rule has.
func (d *ruleDef) exception(src *source, n *yaml.Node, more bool) (*exception, error) {
	if n.Kind != yaml.MappingNode {
		return nil, &syntaxError{pos: src.pos(n), text: "an exception has name, fields and values", code: CodeForm}
	}
	o := newObject(src, n)
	o.what = "the exception"
	name, err := o.string("name")
	if err != nil {
		return nil, err
	}
	o.what += " " + quoteOf(name)
	e := &exception{name: name, src: src, node: n}
	for key := range o.unknown(exceptionKeys) {
		e.hint = meant(key, slices.Values(exceptionKeys))
		d.note(o.at[key], "LOAD_UNKNOWN_KEY", "%s has no key %s%s", o.what, quoteOf(key), e.hint)
	}
	if e.fields, err = part(o, "fields"); err != nil {
		return nil, err
	}
	if e.comps, err = part(o, "comps"); err != nil {
		return nil, err
	}
	if e.comps != nil && e.comps.list && len(e.comps.items) == 0 {
		e.comps = nil
	}
	values := o.keys["values"]
	if values == nil {
		if more {
			d.note(src.pos(n), "LOAD_APPEND_NO_VALUES", "%s is appended without values", o.what)
		}
		return e, nil
	}
	if values.Kind != yaml.SequenceNode {
		return nil, o.fail("values", "values of %s have to be a list", o.what)
	}
	left := maxNodes
	for _, c := range values.Content {
		v, err := readEntry(src, deref(c), 3, &left)
		if err != nil {
			return nil, err
		}
		e.values = append(e.values, *v)
	}
	return e, nil
}

// part reads the value of a key, a text or a list of them; nil where it is not there.
func part(o *object, key string) (*entry, error) {
	n := o.keys[key]
	if n == nil || null(n) {
		return nil, nil
	}
	left := 1000
	return readEntry(o.src, n, 2, &left)
}

func readEntry(src *source, n *yaml.Node, depth int, left *int) (*entry, error) {
	e := &entry{pos: src.pos(n)}
	*left--
	switch {
	case depth == 0 || *left < 0:
		return nil, &syntaxError{pos: e.pos, text: "too many values, or too deep, in an exception"}
	case n.Kind == yaml.ScalarNode && (null(n) || n.Value == ""):
		return nil, &syntaxError{pos: e.pos, text: "an empty value in an exception"}
	case n.Kind == yaml.ScalarNode:
		e.text = src.text(n)
	case n.Kind == yaml.SequenceNode:
		e.list = true
		for _, c := range n.Content {
			i, err := readEntry(src, deref(c), depth-1, left)
			if err != nil {
				return nil, err
			}
			e.items = append(e.items, *i)
		}
	default:
		return nil, &syntaxError{pos: e.pos, text: "a value in an exception is a text or a list"}
	}
	return e, nil
}

// condition is when the exception holds; nil where it has no values.
func (e *exception) condition() (Expr, error) {
	if e.fields.list {
		return e.tuples()
	}
	c, err := e.check(e.fields, e.compOf(0, "in"))
	if err != nil || len(e.values) == 0 {
		return nil, err
	}
	if !c.Op.List() && c.Modifier == Plain {
		return nil, &syntaxError{pos: c.OpPos, text: fmt.Sprintf("%s of one field compares with a list: in, pmatch, intersects, or an operator with oneof, anyof or allof; not %s", e.what(), c.Op)}
	}
	for i := range e.values {
		v := &e.values[i]
		if v.list {
			return nil, &syntaxError{pos: v.pos, text: e.what() + " has one field: its values are texts, not lists"}
		}
		vals, err := v.values()
		if err != nil {
			return nil, err
		}
		c.Values = append(c.Values, vals...)
	}
	return c, nil
}

func (e *exception) what() string { return "the exception " + quoteOf(e.name) }

// compOf is the operator of field i.
func (e *exception) compOf(i int, unless string) *entry {
	switch {
	case e.comps == nil:
		return &entry{text: text{s: unless}, pos: e.src.pos(e.node)}
	case e.comps.list:
		return &e.comps.items[i]
	}
	return e.comps
}

// tuples is the condition of an exception with several fields.
func (e *exception) tuples() (Expr, error) {
	n := len(e.fields.items)
	if e.comps != nil && (!e.comps.list || len(e.comps.items) != n) {
		return nil, &syntaxError{pos: e.comps.pos, text: fmt.Sprintf("%s has %d fields, and needs a list of as many comps", e.what(), n)}
	}
	if n == 0 {
		return nil, &syntaxError{pos: e.fields.pos, text: e.what() + " has no fields"}
	}
	for i := range n {
		if _, err := e.check(&e.fields.items[i], e.compOf(i, "=")); err != nil {
			return nil, err
		}
	}
	var any []Expr
	for i := range e.values {
		t, err := e.tuple(&e.values[i])
		if err != nil {
			return nil, err
		}
		any = append(any, t)
	}
	if len(any) < 2 {
		return first(any), nil
	}
	return &Or{e.src.pos(e.node), any}, nil
}

// tuple is the condition of one line of values.
func (e *exception) tuple(v *entry) (Expr, error) {
	n := len(e.fields.items)
	if !v.list || len(v.items) != n {
		return nil, &syntaxError{pos: v.pos, text: fmt.Sprintf("%s has %d fields: each of its values is a list of as many", e.what(), n)}
	}
	var all []Expr
	for i := range n {
		c, err := e.check(&e.fields.items[i], e.compOf(i, "="))
		if err != nil {
			return nil, err
		}
		if err := c.take(&v.items[i]); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if n == 1 {
		return all[0], nil
	}
	return &And{v.pos, all}, nil
}

// take makes v what the check compares with.
func (c *Check) take(v *entry) error {
	list := c.Op.List() || c.Modifier != Plain
	switch {
	case v.list && !list:
		return &syntaxError{pos: v.pos, text: fmt.Sprintf("%s compares with one value, not with a list", c.Op)}
	case !v.list && !list:
		right, err := v.term()
		if err != nil || right != nil {
			c.Right = right
			return err
		}
		val := v.literal()
		if c.Op.number() && !numeric(val.Text) {
			return &syntaxError{pos: v.pos, text: fmt.Sprintf("%s compares with a number, not with %s", c.Op, quoteOf(val.Text))}
		}
		c.Values = []Value{val}
		return nil
	}
	vals, err := v.values()
	c.Values = vals
	return err
}

// check is the comparison of a field, without what it is compared with.
func (e *exception) check(field, comp *entry) (*Check, error) {
	if field.list || comp.list {
		return nil, &syntaxError{pos: field.pos, text: e.what() + " has a list in its fields or comps"}
	}
	p := parser{lexer: lexer{text: &field.text, s: field.text.s}}
	p.blank()
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	if p.blank(); !p.end() {
		return nil, p.fail(p.i, "%s is no field", quoteOf(field.text.s))
	}
	c := &Check{Pos: left.Where(), Left: left, OpPos: comp.pos}
	words := strings.Fields(comp.text.s)
	if len(words) > 0 {
		c.Op = ops[words[0]]
	}
	if len(words) == 2 {
		c.Modifier = modifiers[words[1]]
	}
	if c.Op == 0 || c.Op == Exists || len(words) > 2 || (len(words) == 2) != (c.Modifier != Plain) || c.Modifier != Plain && !c.Op.modifiable() {
		return nil, &syntaxError{pos: comp.pos, text: quoteOf(comp.text.s) + " is no operator that an exception may have" + meant(comp.text.s, opNames)}
	}
	return c, nil
}

func opNames(yield func(string) bool) {
	for name := range ops {
		if !yield(name) {
			return
		}
	}
}

// literal is a text as value: one that has quotes of its own is what is in them.
func (v *entry) literal() Value {
	n := item(v.text.segs[0].from.src, &yaml.Node{Kind: yaml.ScalarNode, Value: v.text.s})
	n.Pos = v.pos
	return n
}

// term is what the text gives where it is a transformer or val() and has no blanks; else nil.
func (v *entry) term() (Term, error) {
	if strings.Contains(v.text.s, " ") {
		return nil, nil
	}
	p := parser{lexer: lexer{text: &v.text, s: v.text.s}}
	t, err := p.right()
	if err == nil && t != nil && !p.end() {
		err = p.unexpected()
	}
	return t, err
}

// values are what is listed: texts one by one, or in one text with parentheses.
func (v *entry) values() ([]Value, error) {
	if v.list {
		var out []Value
		for i := range v.items {
			if v.items[i].list {
				return nil, &syntaxError{pos: v.items[i].pos, text: "a list in a list in an exception"}
			}
			out = append(out, v.items[i].literal())
		}
		return out, nil
	}
	if !strings.HasPrefix(v.text.s, "(") {
		return []Value{v.literal()}, nil
	}
	p := parser{lexer: lexer{text: &v.text, s: v.text.s}}
	list, err := p.values()
	if err == nil && !p.end() {
		err = p.unexpected()
	}
	return list, err
}
