package yara

import (
	"fmt"

	"bulwark/check/internal/yara/syntax"
)

// maxLoops is how deep loops may be nested, as in libyara.
const maxLoops = 4

// expression compiles the condition of one rule.
type expression struct {
	c     *compiler
	rule  *Rule
	base  int // index of the rule's first string
	texts []*text
	vars  []variable
	loops int
	// sets are the strings that $ stands for, of the loops around.
	sets  [][]int
	whole bool
	err   *syntax.Error
}

type variable struct {
	name string
	t    *typ
	slot int
}

// compiled is an expression made ready, and what is known of it.
type compiled struct {
	run node
	t   *typ
	// void is true when it is false or undefined as long as no string of the rule is
	// found, nothing when it is undefined then.
	void, nothing bool
	lit           *value // of a constant
}

var nowhere = compiled{run: func(*evaluator) value { return value{} }, t: &typ{}}

func (x *expression) fail(at syntax.Pos, format string, args ...any) compiled {
	if x.err == nil {
		x.err = &syntax.Error{Pos: at, Text: fmt.Sprintf(format, args...)}
	}
	return nowhere
}

func constant(v value) compiled {
	t := map[kind]*typ{integer: anInteger, float: aFloat, str: aString, boolean: aBoolean}[v.k]
	if t == nil {
		t = &typ{k: v.k}
	}
	return compiled{run: func(*evaluator) value { return v }, t: t, lit: &v, void: !v.truth()}
}

// condition compiles what must be true or false.
func (x *expression) condition(e syntax.Expr) compiled {
	n := x.compile(e)
	if x.err != nil {
		return nowhere
	}
	switch n.t.k {
	case boolean, integer, float, str, undefined:
		return n
	}
	return x.fail(e.At(), "a %s is no condition", n.t.k)
}

// operand compiles an expression that has one of the kinds.
func (x *expression) operand(e syntax.Expr, what string, kinds ...kind) compiled {
	n := x.compile(e)
	if x.err != nil {
		return nowhere
	}
	for _, k := range kinds {
		if n.t.k == k {
			return n
		}
	}
	return x.fail(e.At(), "%s: a %s does not fit there", what, n.t.k)
}

func (x *expression) compile(e syntax.Expr) compiled {
	if x.err != nil {
		return nowhere
	}
	switch e := e.(type) {
	case *syntax.Literal:
		return constant(literal(e.Value))
	case *syntax.Regexp:
		return constant(value{k: regexp, node: e.Node})
	case *syntax.Name:
		return x.name(e)
	case *syntax.Field:
		return x.field(e)
	case *syntax.Index:
		return x.index(e)
	case *syntax.Call:
		return x.call(e)
	case *syntax.Unary:
		return x.unary(e)
	case *syntax.Binary:
		return x.binary(e)
	case *syntax.Match:
		return x.match(e)
	case *syntax.Count:
		return x.count(e)
	case *syntax.Place:
		return x.place(e)
	case *syntax.Of:
		return x.of(e)
	case *syntax.ForOf:
		return x.forOf(e)
	case *syntax.ForIn:
		return x.forIn(e)
	}
	return x.fail(e.At(), "this is not supported")
}

func literal(v any) value {
	switch v := v.(type) {
	case int64:
		return intValue(v)
	case float64:
		return floatValue(v)
	case string:
		return strValue(v)
	case bool:
		return boolValue(v)
	}
	return value{}
}

func (x *expression) unary(e *syntax.Unary) compiled {
	if e.Op == "defined" {
		n := x.compile(e.X)
		return compiled{t: aBoolean, void: n.nothing, run: func(v *evaluator) value {
			got := n.run(v)
			return boolValue(got.k != undefined)
		}}
	}
	if e.Op == "not" {
		n := x.condition(e.X)
		return compiled{t: aBoolean, void: n.nothing, nothing: n.nothing, run: func(v *evaluator) value {
			got := n.run(v)
			if got.k == undefined {
				return value{}
			}
			return boolValue(!got.truth())
		}}
	}
	kinds := []kind{integer, float}
	if e.Op == "~" {
		kinds = kinds[:1]
	}
	n := x.operand(e.X, e.Op, kinds...)
	out := compiled{t: n.t, void: n.nothing, nothing: n.nothing, run: func(v *evaluator) value {
		return negate(e.Op, n.run(v))
	}}
	return fold(out, n.lit != nil)
}

func negate(op string, v value) value {
	switch {
	case v.k == integer && op == "~":
		return intValue(^v.i)
	case v.k == integer:
		return intValue(-v.i)
	case v.k == float:
		return floatValue(-v.f)
	}
	return value{}
}

// fold makes a constant of an expression of constants.
func fold(n compiled, constants bool) compiled {
	if !constants {
		return n
	}
	return constant(n.run(nil))
}

func (x *expression) binary(e *syntax.Binary) compiled {
	switch e.Op {
	case "and", "or":
		return x.logic(e)
	case "matches":
		return x.matches(e)
	case "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals":
		return x.pair(e, aBoolean, stringOperator, str)
	case "==", "!=", "<", "<=", ">", ">=":
		return x.comparison(e)
	case "&", "|", "^", "<<", ">>", "%":
		return x.pair(e, anInteger, arithmetic, integer)
	}
	n := x.pair(e, anInteger, arithmetic, integer, float)
	return n
}

// pair compiles an operator on two values of the kinds.
func (x *expression) pair(e *syntax.Binary, t *typ, do func(string, value, value) value, kinds ...kind) compiled {
	l, r := x.operand(e.L, e.Op, kinds...), x.operand(e.R, e.Op, kinds...)
	if x.err != nil {
		return nowhere
	}
	if t == anInteger && (l.t.k == float || r.t.k == float) {
		t = aFloat
	}
	if e.Op == `\` || e.Op == "%" {
		if r.lit != nil && r.lit.k == integer && r.lit.i == 0 {
			return x.fail(e.Pos, "division by zero")
		}
	}
	nothing := l.nothing || r.nothing
	out := compiled{t: t, void: nothing, nothing: nothing, run: func(v *evaluator) value {
		if !v.spend(1) {
			return value{}
		}
		return do(e.Op, l.run(v), r.run(v))
	}}
	if l.lit != nil && r.lit != nil {
		if v := do(e.Op, *l.lit, *r.lit); v.k != undefined {
			return constant(v)
		}
	}
	return out
}

func (x *expression) comparison(e *syntax.Binary) compiled {
	l, r := x.compile(e.L), x.compile(e.R)
	if x.err != nil {
		return nowhere
	}
	number := func(t *typ) bool { return t.k == integer || t.k == float }
	if !(number(l.t) && number(r.t) || l.t.k == str && r.t.k == str) {
		return x.fail(e.Pos, "%s: a %s and a %s do not compare", e.Op, l.t.k, r.t.k)
	}
	nothing := l.nothing || r.nothing
	return compiled{t: aBoolean, void: nothing || x.noCount(e), nothing: nothing, run: func(v *evaluator) value {
		if !v.spend(1) {
			return value{}
		}
		return compare(e.Op, l.run(v), r.run(v))
	}}
}

// noCount tells whether a comparison of a count with a number is false for a count of 0.
func (x *expression) noCount(e *syntax.Binary) bool {
	op, count, number := e.Op, e.L, e.R
	if _, ok := count.(*syntax.Literal); ok {
		count, number = number, count
		op = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}[op]
	}
	lit, ok := number.(*syntax.Literal)
	if _, is := count.(*syntax.Count); !is || !ok {
		return false
	}
	n, ok := lit.Value.(int64)
	if !ok {
		return false
	}
	got := compare(op, intValue(0), intValue(n))
	return !got.truth()
}

func (x *expression) logic(e *syntax.Binary) compiled {
	l, r := x.condition(e.L), x.condition(e.R)
	if x.err != nil {
		return nowhere
	}
	if e.Op == "and" {
		return compiled{t: aBoolean, void: l.void || r.void, run: func(v *evaluator) value {
			if !v.spend(1) {
				return value{}
			}
			if got := l.run(v); !got.truth() {
				return boolValue(false)
			}
			got := r.run(v)
			return boolValue(got.truth())
		}}
	}
	return compiled{t: aBoolean, void: l.void && r.void, run: func(v *evaluator) value {
		if !v.spend(1) {
			return value{}
		}
		if got := l.run(v); got.truth() {
			return boolValue(true)
		}
		got := r.run(v)
		return boolValue(got.truth())
	}}
}

func (x *expression) matches(e *syntax.Binary) compiled {
	l := x.operand(e.L, e.Op, str)
	r := x.operand(e.R, e.Op, regexp)
	if x.err != nil {
		return nowhere
	}
	n := r.lit.node
	return compiled{t: aBoolean, run: func(v *evaluator) value {
		s := l.run(v)
		if s.k != str || !v.spend(int64(len(s.s))+1) {
			return value{}
		}
		return boolValue(v.found(s.s, n))
	}}
}
