package yara

import (
	"strings"

	"bulwark/check/internal/yara/syntax"
)

// lookup finds a string of the rule; -1 is the one that $ stands for.
func (x *expression) lookup(at syntax.Pos, id string, every bool) int {
	if id == "$" {
		if len(x.sets) == 0 {
			x.fail(at, "$ stands for nothing outside of for ... of")
			return 0
		}
		for _, i := range x.sets[len(x.sets)-1] {
			t := x.texts[i]
			t.every = t.every || every
		}
		return -1
	}
	for i, t := range x.texts {
		if t.id == id {
			t.use(nil)
			t.every = t.every || every
			return x.base + i
		}
	}
	x.fail(at, "undefined string %q", id)
	return 0
}

// named is the string of that name, or nil.
func (x *expression) named(id string) *text {
	for _, t := range x.texts {
		if t.id == id && id != "$" {
			return t
		}
	}
	return nil
}

// use notes that the condition asks for the string, perhaps at one known offset.
func (t *text) use(at *value) {
	known := at != nil && at.k == integer && len(t.parts) == 1
	if !t.used && known {
		t.used, t.pinned, t.pin = true, true, at.i
		return
	}
	t.used, t.pinned = true, t.pinned && known && at.i == t.pin
}

func (x *expression) match(e *syntax.Match) compiled {
	if e.Where != nil {
		return x.matchAt(e)
	}
	i := x.lookup(e.Pos, e.ID, e.In != nil)
	switch {
	case e.In != nil:
		in := x.span(e.In)
		return compiled{t: aBoolean, void: true, run: func(v *evaluator) value {
			lo, hi, ok := in(v)
			if !ok {
				return value{}
			}
			return boolValue(v.within(i, lo, hi) > 0)
		}}
	}
	return compiled{t: aBoolean, void: true, run: func(v *evaluator) value { return boolValue(len(v.matches(i)) > 0) }}
}

func (x *expression) matchAt(e *syntax.Match) compiled {
	where := x.operand(e.Where, "at", integer)
	var before text
	t := x.named(e.ID)
	if t != nil {
		before = *t
	}
	i := x.lookup(e.Pos, e.ID, true)
	if t != nil {
		t.used, t.pinned, t.pin = before.used, before.pinned, before.pin
		t.use(where.lit)
	}
	return compiled{t: aBoolean, void: true, run: func(v *evaluator) value {
		off := where.run(v)
		if off.k != integer {
			return value{}
		}
		return boolValue(v.within(i, off, off) > 0)
	}}
}

// span compiles a range; it gives false where one end is undefined.
func (x *expression) span(r *syntax.Range) func(*evaluator) (lo, hi value, ok bool) {
	l, h := x.operand(r.Lo, "range", integer), x.operand(r.Hi, "range", integer)
	if x.err == nil && l.lit != nil {
		switch {
		case l.lit.i < 0:
			x.fail(r.Lo.At(), "range: the lower bound is negative")
		case h.lit != nil && l.lit.i > h.lit.i:
			x.fail(r.Lo.At(), "range: the lower bound is above the upper")
		}
	}
	return func(v *evaluator) (lo, hi value, ok bool) {
		lo, hi = l.run(v), h.run(v)
		return lo, hi, lo.k == integer && hi.k == integer
	}
}

func (x *expression) count(e *syntax.Count) compiled {
	i := x.lookup(e.Pos, e.ID, true)
	if e.In != nil {
		in := x.span(e.In)
		return compiled{t: anInteger, void: true, run: func(v *evaluator) value {
			lo, hi, ok := in(v)
			if !ok {
				return value{}
			}
			return intValue(v.within(i, lo, hi))
		}}
	}
	return compiled{t: anInteger, void: true, run: func(v *evaluator) value { return intValue(int64(len(v.matches(i)))) }}
}

func (x *expression) place(e *syntax.Place) compiled {
	i := x.lookup(e.Pos, e.ID, true)
	at := constant(intValue(1))
	if e.I != nil {
		at = x.operand(e.I, "index", integer)
	}
	return compiled{t: anInteger, void: true, nothing: true, run: func(v *evaluator) value {
		n, list := at.run(v), v.matches(i)
		if n.k != integer || n.i < 1 || n.i > int64(len(list)) {
			return value{}
		}
		m := list[n.i-1]
		if e.Length {
			return intValue(int64(m.Length))
		}
		return intValue(m.Offset)
	}}
}

// set gives the strings that a set names, as indexes into x.texts.
func (x *expression) set(s *syntax.Set) []int {
	var out []int
	if s.Them {
		for i, t := range x.texts {
			t.use(nil)
			out = append(out, i)
		}
		if len(out) == 0 {
			x.fail(s.Pos, "them: the rule has no strings")
		}
		return out
	}
	for _, item := range s.Items {
		n := len(out)
		for i, t := range x.texts {
			if t.id == item.Name || item.Wild && strings.HasPrefix(t.id, item.Name) {
				t.use(nil)
				out = append(out, i)
			}
		}
		if len(out) == n {
			x.fail(item.Pos, "undefined string %q", item.Name)
		}
	}
	return out
}
