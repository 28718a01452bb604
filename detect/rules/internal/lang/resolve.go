package lang

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"bulwark/internal/near"
)

// weight is how large and how deep a condition is with macros in place of their names.
type weight struct{ checks, depth int }

// resolve makes rules of what files say.
func (l *loader) resolve() {
	for _, d := range l.order.lists {
		if _, err := l.listed(d); err != nil {
			l.wrong(err, named{"list", d.name})
		}
	}
	for _, d := range l.order.macros {
		if err := l.expand(d); err != nil {
			d.failed = true
			l.cause(err, d.name)
		}
	}
	for _, d := range l.order.rules {
		if err := l.compose(d); err != nil {
			from := len(l.set.Problems)
			l.wrong(err, named{"rule", d.Name})
			for i := range l.set.Problems[from:] {
				l.set.Problems[from+i].Source = d.Source
			}
			continue
		}
		r := d.Rule // apart from what was read for it, which can go
		l.set.Rules = append(l.set.Rules, &r)
	}
	l.unused()
}

// unused warns of what no rule and no macro names, and tells of all lists and macros.
func (l *loader) unused() {
	for _, d := range l.order.macros {
		if !d.used {
			l.warn(d.pos, named{"macro", d.name}, "LOAD_UNUSED_MACRO", "no rule and no macro uses this macro")
		}
		if !d.failed {
			l.set.Macros = append(l.set.Macros, &Named{Name: d.name, Pos: d.pos, Used: d.used, Expr: d.expr})
		}
	}
	for _, d := range l.order.lists {
		if !d.used {
			l.warn(d.pos, named{"list", d.name}, "LOAD_UNUSED_LIST", "no rule, macro or list uses this list")
		}
		l.set.Lists = append(l.set.Lists, &Named{Name: d.name, Pos: d.pos, Used: d.used, Vals: d.vals})
	}
}

// cause keeps what is wrong with a macro, where it is not that another is wrong.
func (l *loader) cause(err error, name string) {
	if e, ok := err.(*syntaxError); !ok || !e.follows {
		l.wrong(err, named{"macro", name})
	}
}

// listed is what a list holds, with the items of other lists in place of their names. The name of the list itself in
// it, or of one that is being looked into, is an item as any other.
func (l *loader) listed(d *listDef) ([]Value, error) {
	if d.state != untouched {
		return d.vals, nil
	}
	d.state = making
	defer func() { d.state = made }()
	out := make([]Value, 0, len(d.items))
	for _, v := range d.items {
		in := l.lists[v.Text]
		if in == nil || in.state == making || v.Quoted {
			out = append(out, v)
			continue
		}
		in.used = true
		more, err := l.listed(in)
		if err != nil {
			return nil, err
		}
		if err := l.room(v.Pos, len(more)); err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	d.vals = out
	return out, nil
}

// expand makes the condition of a macro.
func (l *loader) expand(d *macroDef) error {
	if d.state == made {
		return nil
	}
	d.state = making
	defer func() { d.state = made }()
	t := join(d.cond)
	e, err := parseCondition(&t)
	if err != nil {
		d.failed = true
		return err
	}
	r := resolver{l: l, seen: d.seen}
	d.expr = e
	if d.weight, err = r.expr(e); err != nil {
		d.failed = true
	}
	return err
}

// compose makes the condition and output of a rule.
func (l *loader) compose(d *ruleDef) error {
	err := l.condition(d)
	var parts []text
	for _, t := range d.output {
		parts = append(parts, trim(t))
	}
	out := join(parts)
	var wrong error
	d.Output, wrong = parseOutput(&out)
	l.deprecated(d)
	return errors.Join(err, wrong)
}

func (l *loader) condition(d *ruleDef) error {
	t := join(d.cond)
	cond, err := parseCondition(&t)
	if err != nil {
		return err
	}
	d.Text = strings.TrimSpace(t.s)
	if cond, err = d.withExceptions(cond); err != nil {
		return err
	}
	r := resolver{l: l, seen: maxItems + 1}
	w, err := r.expr(cond)
	if err != nil {
		return err
	}
	if l.checks += w.checks; l.checks > maxAll {
		l.checks -= w.checks
		return &syntaxError{pos: d.ConditionPos, text: "the conditions of all rules together are too large"}
	}
	d.Condition = cond
	return nil
}

// trim is the text without white space around it.
func trim(t text) text {
	s := strings.TrimLeft(t.s, " \t\r\n")
	cut := len(t.s) - len(s)
	if cut > 0 {
		segs := make([]segment, len(t.segs))
		for i, g := range t.segs {
			segs[i] = segment{g.start - cut, g.from}
		}
		if len(segs) > 0 {
			segs[0] = shifted(segs[0], cut)
		}
		t.segs = segs
	}
	t.s = strings.TrimRight(s, " \t\r\n")
	return t
}

// shifted is a segment that begins at 0 though the first bytes of what it is from are cut off.
func shifted(s segment, cut int) segment {
	from := *s.from
	from.value = from.value[min(cut, len(from.value)):]
	from.i, from.now = 0, from.begin
	return segment{0, &from}
}

// deprecated takes out of the output what engines do not fill any more.
func (l *loader) deprecated(d *ruleDef) {
	kept := d.Output.Pieces[:0]
	for _, p := range d.Output.Pieces {
		if f, ok := p.Term.(*Field); ok && f.Name == "container.info" && !f.HasArg {
			l.warn(p.Pos, named{"rule", d.Name}, CodeDeprecated, "%%container.info is deprecated and gives nothing: name the fields, such as %%container.id")
			continue
		}
		kept = append(kept, p)
	}
	d.Output.Pieces = kept
}

// withExceptions is the condition with the exceptions of the rule.
func (d *ruleDef) withExceptions(cond Expr) (Expr, error) {
	terms := []Expr{cond}
	for _, e := range d.exceptions {
		c, err := e.condition()
		if err != nil {
			return nil, err
		}
		d.Exceptions = append(d.Exceptions, Exception{e.name, c})
		if c != nil {
			terms = append(terms, &Not{c.Where(), c})
		}
	}
	if len(terms) == 1 {
		return cond, nil
	}
	return &And{cond.Where(), terms}, nil
}

// resolver puts what names stand for in place of them.
type resolver struct {
	l    *loader
	seen int // macros that were first named after that are not known yet
}

func (r *resolver) expr(e Expr) (w weight, err error) {
	switch e := e.(type) {
	case *And:
		w, err = r.all(e.Terms)
	case *Or:
		w, err = r.all(e.Terms)
	case *Not:
		w, err = r.expr(e.Term)
	case *Macro:
		w, err = r.macro(e)
	case *Check:
		w.checks, err = 1, r.check(e)
	}
	w.depth++
	switch {
	case err != nil:
	case w.checks > maxChecks:
		err = &syntaxError{pos: e.Where(), text: fmt.Sprintf("more than %d comparisons, with what macros stand for", maxChecks)}
	case w.depth > 4*maxDepth:
		err = &syntaxError{pos: e.Where(), text: fmt.Sprintf("nested deeper than %d, with what macros stand for", 4*maxDepth)}
	}
	return w, err
}

func (r *resolver) all(terms []Expr) (sum weight, err error) {
	for _, t := range terms {
		w, err := r.expr(t)
		if err != nil {
			return sum, err
		}
		sum.checks += w.checks
		sum.depth = max(sum.depth, w.depth)
	}
	return sum, nil
}

func (r *resolver) macro(m *Macro) (weight, error) {
	d := r.l.macros[m.Name]
	if d == nil {
		return weight{}, r.noMacro(m)
	}
	d.used = true
	if d.state == making {
		return weight{}, &syntaxError{pos: m.Pos, text: fmt.Sprintf("the macro %s stands for itself, through what it uses", m.Name)}
	}
	if d.state == untouched {
		if d.index > r.seen {
			r.l.warn(m.Pos, named{"macro", m.Name}, CodeOdd, "the macro %s is only given later, at line %d; Falco refuses that", m.Name, d.pos.Line)
		}
		if err := r.deep(d, m); err != nil {
			return weight{}, err
		}
	}
	if d.failed {
		return weight{}, &syntaxError{pos: m.Pos, text: fmt.Sprintf("the macro %s at line %d cannot be taken", m.Name, d.pos.Line), follows: true}
	}
	m.Expr = d.expr
	return d.weight, nil
}

// deep makes a macro that is used before it was come to.
func (r *resolver) deep(d *macroDef, m *Macro) error {
	if r.l.nested++; r.l.nested > maxDepth {
		r.l.nested--
		return &syntaxError{pos: m.Pos, text: fmt.Sprintf("macros in macros deeper than %d", maxDepth)}
	}
	err := r.l.expand(d)
	r.l.nested--
	if err != nil {
		r.l.cause(err, d.name)
	}
	return nil
}

func (r *resolver) noMacro(m *Macro) error {
	if d := r.l.lists[m.Name]; d != nil {
		return &syntaxError{pos: m.Pos, text: fmt.Sprintf("%s is a list, and here a macro or comparison is needed", m.Name)}
	}
	return &syntaxError{pos: m.Pos, text: fmt.Sprintf("no macro %s%s", m.Name, meant(m.Name, maps.Keys(r.l.macros)))}
}

// check puts the items of lists in place of their names.
func (r *resolver) check(c *Check) error {
	if c.Op == Exists || c.Right != nil {
		return nil
	}
	if !c.Op.List() && c.Modifier == Plain {
		return r.one(c)
	}
	if len(c.Values) == 1 {
		if d := r.list(c.Values[0]); d != nil {
			c.Values = d.vals
			c.empty(d)
		} else {
			r.nearly(c.Values[0])
		}
		return nil
	}
	size, any := 0, false
	var last *listDef
	for _, v := range c.Values {
		if d := r.list(v); d != nil {
			last = d
			size += len(d.vals)
			any = true
			continue
		}
		size++
	}
	if !any {
		return nil
	}
	if err := r.l.room(c.OpPos, size); err != nil {
		return err
	}
	vals := make([]Value, 0, size)
	for _, v := range c.Values {
		if d := r.list(v); d != nil {
			vals = append(vals, d.vals...)
			continue
		}
		vals = append(vals, v)
	}
	c.Values = vals
	c.empty(last)
	return nil
}

// empty keeps the name of the list that left nothing to compare with.
func (c *Check) empty(d *listDef) {
	if len(c.Values) == 0 {
		c.Empty = d.name
	}
}

// nearly warns of a value that is nearly the name of a list.
func (r *resolver) nearly(v Value) {
	if v.Quoted || !strings.Contains(v.Text, "_") {
		return
	}
	if n := near.Nearest(v.Text, maps.Keys(r.l.lists)); n != "" {
		r.l.warn(v.Pos, named{}, CodeOdd, "no list %s, so it is a text; is the list %s meant?", quoteOf(v.Text), n)
	}
}

// list is the list that a bare value names, or nil.
func (r *resolver) list(v Value) *listDef {
	if v.Quoted {
		return nil
	}
	d := r.l.lists[v.Text]
	if d != nil {
		d.used = true
	}
	return d
}

// one resolves what is compared with one value: the name of a list of one item stands for that.
func (r *resolver) one(c *Check) error {
	v := c.Values[0]
	if d := r.list(v); d != nil {
		if len(d.vals) != 1 {
			return &syntaxError{pos: v.Pos, text: fmt.Sprintf("%s compares with one value, and the list %s has %d; in (%s) compares with all", c.Op, v.Text, len(d.vals), v.Text)}
		}
		c.Values = d.vals
		v = d.vals[0]
	}
	if c.Op.number() && !numeric(v.Text) {
		return &syntaxError{pos: v.Pos, text: fmt.Sprintf("%s compares with a number, not with %s", c.Op, quoteOf(v.Text))}
	}
	return nil
}
