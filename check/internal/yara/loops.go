package yara

import (
	"strings"

	"bulwark/check/internal/yara/syntax"
)

// quantifier decides when enough of n things are true: it gives the least number, or -1
// where that is undefined; none is true when there must be no true one.
type quantifier func(v *evaluator, n int) (least int64, none bool)

// quantifier compiles how many; some is true when at least one must be true.
func (x *expression) quantifier(q *syntax.Quantifier) (f quantifier, some bool) {
	switch q.Kind {
	case "any":
		return func(*evaluator, int) (int64, bool) { return 1, false }, true
	case "all":
		return func(_ *evaluator, n int) (int64, bool) { return int64(n), false }, true
	case "none":
		return func(*evaluator, int) (int64, bool) { return 0, true }, false
	}
	n := x.operand(q.X, "of", integer)
	some = n.lit != nil && n.lit.i > 0
	if q.Kind == "percent" {
		if n.lit != nil && (n.lit.i < 1 || n.lit.i > 100) {
			x.fail(q.X.At(), "a percentage is from 1 to 100")
		}
		return func(v *evaluator, of int) (int64, bool) {
			p := n.run(v)
			if p.k != integer {
				return -1, false
			}
			return ceil(p.i, int64(of)), false
		}, some
	}
	return func(v *evaluator, _ int) (int64, bool) {
		c := n.run(v)
		if c.k != integer {
			return -1, false
		}
		return max(c.i, 0), c.i == 0
	}, some
}

// ceil is p per cent of n, rounded up.
func ceil(p, n int64) int64 {
	if p < 0 || p > 1<<40 {
		return max(0, min(p, 1<<40))
	}
	return (p*n + 99) / 100
}

// tally says whether count of n things is what the quantifier asks for.
func (q quantifier) tally(v *evaluator, count int64, n int) value {
	least, none := q(v, n)
	switch {
	case least < 0:
		return value{}
	case none:
		return boolValue(count == 0)
	}
	return boolValue(count >= least)
}

func (x *expression) of(e *syntax.Of) compiled {
	q, some := x.quantifier(&e.Quantifier)
	if e.Set.Rules {
		return x.ofRules(e, q)
	}
	set := x.set(&e.Set)
	x.every(set, e.In != nil || e.Where != nil)
	test := func(v *evaluator, i int) bool { return len(v.matches(i)) > 0 }
	switch {
	case e.In != nil:
		in := x.span(e.In)
		test = func(v *evaluator, i int) bool {
			lo, hi, ok := in(v)
			return ok && v.within(i, lo, hi) > 0
		}
	case e.Where != nil:
		where := x.operand(e.Where, "at", integer)
		test = func(v *evaluator, i int) bool {
			off := where.run(v)
			return off.k == integer && v.within(i, off, off) > 0
		}
	}
	base := x.base
	return compiled{t: aBoolean, void: some, run: func(v *evaluator) value {
		if !v.spend(int64(len(set))) {
			return value{}
		}
		var n int64
		for _, i := range set {
			if test(v, base+i) {
				n++
			}
		}
		return q.tally(v, n, len(set))
	}}
}

func (x *expression) every(set []int, every bool) {
	for _, i := range set {
		x.texts[i].every = x.texts[i].every || every
	}
}

// ofRules counts rules before this one.
func (x *expression) ofRules(e *syntax.Of, q quantifier) compiled {
	var set []*Rule
	for _, item := range e.Set.Items {
		n := len(set)
		for _, r := range x.c.space.order {
			if r.Name == item.Name || item.Wild && strings.HasPrefix(r.Name, item.Name) {
				set = append(set, r)
			}
		}
		for name, why := range x.c.space.refused {
			if name == item.Name || item.Wild && strings.HasPrefix(name, item.Name) {
				return x.fail(item.Pos, "it refers to rule %s: %s", name, why)
			}
		}
		if len(set) == n {
			return x.fail(item.Pos, "undefined rule %q", item.Name)
		}
	}
	return compiled{t: aBoolean, run: func(v *evaluator) value {
		var n int64
		for _, r := range set {
			if v.s.matched[r.index] {
				n++
			}
		}
		v.spend(int64(len(set)))
		return q.tally(v, n, len(set))
	}}
}

func (x *expression) enter(at syntax.Pos) bool {
	x.loops++
	if x.loops > maxLoops {
		x.fail(at, "loops nested more than %d deep", maxLoops)
	}
	return x.err == nil
}

func (x *expression) forOf(e *syntax.ForOf) compiled {
	q, some := x.quantifier(&e.Quantifier)
	set := x.set(&e.Set)
	if !x.enter(e.Pos) {
		return nowhere
	}
	x.sets = append(x.sets, set)
	body := x.condition(e.Body)
	x.sets = x.sets[:len(x.sets)-1]
	x.loops--
	base := x.base
	return compiled{t: aBoolean, void: some && body.void, run: func(v *evaluator) value {
		outer := v.current
		defer func() { v.current = outer }()
		var n int64
		for _, i := range set {
			v.current = base + i
			if !v.spend(1) {
				return value{}
			}
			if got := body.run(v); got.truth() {
				n++
			}
		}
		return q.tally(v, n, len(set))
	}}
}

// forIn compiles a loop over a range, a list or an array.
func (x *expression) forIn(e *syntax.ForIn) compiled {
	q, some := x.quantifier(&e.Quantifier)
	each, t := x.iterator(e)
	if x.err != nil || !x.enter(e.Pos) {
		return nowhere
	}
	if len(e.Vars) != 1 {
		return x.fail(e.Pos, "a loop over this has one variable")
	}
	for _, v := range x.vars {
		if v.name == e.Vars[0] {
			return x.fail(e.Pos, "duplicated loop variable %q", v.name)
		}
	}
	slot := len(x.vars)
	x.vars = append(x.vars, variable{e.Vars[0], t, slot})
	body := x.condition(e.Body)
	x.vars = x.vars[:slot]
	x.loops--
	all := e.Quantifier.Kind == "all"
	return compiled{t: aBoolean, void: some && !all && body.void, run: func(v *evaluator) value {
		for len(v.vars) <= slot {
			v.vars = append(v.vars, value{})
		}
		var n int64
		rounds := 0
		least, none := int64(-1), false
		if !all {
			least, none = q(v, 0)
		}
		known := each(v, func(item value) bool {
			rounds++
			v.vars[slot] = item
			if !v.spend(1) {
				return false
			}
			got := body.run(v)
			ok := got.truth()
			if ok {
				n++
			}
			switch {
			case all:
				return ok
			case none:
				return !ok
			}
			return e.Quantifier.Kind == "percent" || n < least || least < 1
		})
		if !known || rounds == 0 {
			return boolValue(false)
		}
		return q.tally(v, n, rounds)
	}}
}

// iterator compiles what a loop goes over: each gives the items to a function until it
// returns false, and gives false itself where there are none because something is
// undefined.
func (x *expression) iterator(e *syntax.ForIn) (each func(*evaluator, func(value) bool) bool, t *typ) {
	switch {
	case e.Range != nil:
		in := x.span(e.Range)
		return func(v *evaluator, do func(value) bool) bool {
			lo, hi, ok := in(v)
			if !ok {
				return false
			}
			for i := lo.i; i <= hi.i && do(intValue(i)); i++ {
				if i == hi.i {
					break
				}
			}
			return true
		}, anInteger
	case e.Over != nil:
		of := x.compile(e.Over)
		if x.err == nil && of.t.k != array {
			x.fail(e.Over.At(), "a %s has no elements", of.t.k)
			return nil, nil
		}
		return func(v *evaluator, do func(value) bool) bool {
			list := of.run(v)
			for _, item := range list.items {
				if !do(item) {
					break
				}
			}
			return list.k == array
		}, of.t.elem
	}
	return x.list(e.List)
}

func (x *expression) list(items []syntax.Expr) (each func(*evaluator, func(value) bool) bool, t *typ) {
	nodes := make([]compiled, len(items))
	for i, item := range items {
		nodes[i] = x.operand(item, "list", integer, str)
		if x.err == nil && nodes[i].t.k != nodes[0].t.k {
			x.fail(item.At(), "a list of numbers and strings")
		}
	}
	return func(v *evaluator, do func(value) bool) bool {
		for i := range nodes {
			if !do(nodes[i].run(v)) {
				break
			}
		}
		return true
	}, nodes[0].t
}
