package direct

import (
	"maps"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/policy/internal/apiview"
)

// loop is a comprehension: over what, and where its variables are.
type loop struct {
	over          step
	first, second int // slots; second is -1 when there is none
	accu          int
	body          step    // of one round
	filter        step    // nil: every round counts
	cost          float64 // of one round
}

func (c *compiler) comprehension(x ast.ComprehensionExpr) step {
	l := &loop{over: c.compile(x.IterRange()), second: -1}
	init := x.AccuInit()
	empty := x.IterRange().Kind() == ast.ListKind && x.IterRange().AsList().Size() == 0
	var start step
	if empty {
		start = c.compile(init)
	}
	before := c.cost
	defer func() {
		if l.cost = c.cost - before + ofRound; !empty {
			c.cost = before
		}
		c.cost += ofRound + ofList
	}()
	outer := c.scope
	c.scope = maps.Clone(outer)
	if c.scope == nil {
		c.scope = map[string]int{}
	}
	defer func() { c.scope = outer }()
	l.first = c.variable(x.IterVar())
	if x.HasIterVar2() {
		l.second = c.variable(x.IterVar2())
	}
	l.accu = c.variable(x.AccuVar())
	cond, stepExpr := x.LoopCondition(), x.LoopStep()
	plain := x.Result().Kind() == ast.IdentKind && x.Result().AsIdent() == x.AccuVar()
	switch {
	case empty:
		return bound(l.accu, start, c.compile(x.Result()))
	case plain && literal(init, types.True) && isCall(cond, operators.NotStrictlyFalse) && isCall(stepExpr, operators.LogicalAnd) && named(stepExpr.AsCall().Args()[0], x.AccuVar()):
		l.body = c.compile(stepExpr.AsCall().Args()[1])
		return l.search(types.False)
	case plain && literal(init, types.False) && isCall(cond, operators.NotStrictlyFalse) && isCall(stepExpr, operators.LogicalOr) && named(stepExpr.AsCall().Args()[0], x.AccuVar()):
		l.body = c.compile(stepExpr.AsCall().Args()[1])
		return l.search(types.True)
	case plain && init.Kind() == ast.ListKind && init.AsList().Size() == 0 && literal(cond, types.True):
		return c.gathers(l, stepExpr, x.AccuVar())
	case literal(init, types.IntZero) && literal(cond, types.True):
		l.body = c.compile(stepExpr)
		return l.folds(types.IntZero, c.compile(x.Result()))
	}
	return c.unknown()
}

func (c *compiler) variable(name string) int {
	c.slots++
	c.scope[name] = c.slots - 1
	return c.slots - 1
}

func literal(x ast.Expr, v ref.Val) bool { return x.Kind() == ast.LiteralKind && x.AsLiteral() == v }

func isCall(x ast.Expr, function string) bool {
	return x.Kind() == ast.CallKind && x.AsCall().FunctionName() == function
}

func named(x ast.Expr, name string) bool { return x.Kind() == ast.IdentKind && x.AsIdent() == name }

// bound gives a variable a value, and then the result.
func bound(slot int, value, result step) step {
	return func(f *Frame) ref.Val {
		v := value(f)
		if v == nil {
			return nil
		}
		f.set(slot, v)
		return result(f)
	}
}

// rounds are what a loop goes through: items, or keys and their values.
func (l *loop) rounds(f *Frame) (items []ref.Val, of *apiview.List, keys []ref.Val, ok bool) {
	switch v := l.over(f).(type) {
	case *apiview.List:
		return v.Items(), v, nil, f.spend(l.cost * float64(v.Len()))
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && f.spend(l.cost); {
			items = append(items, it.Next())
		}
		return items, nil, nil, f.spent <= f.Limit
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			keys = append(keys, it.Next())
		}
		if !f.spend(l.cost * float64(len(keys))) {
			return nil, nil, nil, false
		}
		if l.second < 0 {
			return keys, nil, nil, true
		}
		for _, key := range keys {
			one := sound(v.Get(key))
			if one == nil {
				return nil, nil, nil, false
			}
			items = append(items, one)
		}
		return items, nil, keys, true
	}
	return nil, nil, nil, false
}

// enter sets the variables of one round.
func (l *loop) enter(f *Frame, i int, item ref.Val, keys []ref.Val) {
	switch {
	case l.second < 0:
		f.set(l.first, item)
	case keys != nil:
		f.set(l.first, keys[i])
		f.set(l.second, item)
	default:
		f.set(l.first, types.Int(i))
		f.set(l.second, item)
	}
}

// search goes through until the body gives the value, and tells whether it did: it gives the
// value then, and the opposite otherwise.
func (l *loop) search(until types.Bool) step {
	return func(f *Frame) ref.Val {
		items, list, keys, ok := l.rounds(f)
		if !ok {
			return nil
		}
		for i, item := range items {
			l.enter(f, i, item, keys)
			b, ok := l.body(f).(types.Bool)
			if !ok {
				return nil
			}
			if b == until {
				if list != nil && i == len(items)-1 {
					list.Ended()
				}
				return until
			}
		}
		if list != nil {
			list.Ended()
		}
		return !until
	}
}

// gathers is map and filter: "accu + [body]", perhaps where something holds.
func (c *compiler) gathers(l *loop, x ast.Expr, accu string) step {
	if isCall(x, operators.Conditional) {
		args := x.AsCall().Args()
		if !named(args[2], accu) {
			return c.unknown()
		}
		l.filter, x = c.compile(args[0]), args[1]
	}
	if !isCall(x, operators.Add) || !named(x.AsCall().Args()[0], accu) {
		return c.unknown()
	}
	added := x.AsCall().Args()[1]
	if added.Kind() != ast.ListKind || added.AsList().Size() != 1 || len(added.AsList().OptionalIndices()) > 0 {
		return c.unknown()
	}
	l.body = c.compile(added.AsList().Elements()[0])
	return l.gather
}

func (l *loop) gather(f *Frame) ref.Val {
	items, list, keys, ok := l.rounds(f)
	if !ok {
		return nil
	}
	out := make([]ref.Val, 0, len(items))
	for i, item := range items {
		l.enter(f, i, item, keys)
		if l.filter != nil {
			b, ok := l.filter(f).(types.Bool)
			if !ok {
				return nil
			}
			if !b {
				continue
			}
		}
		v := l.body(f)
		if v == nil {
			return nil
		}
		out = append(out, v)
	}
	if list != nil {
		list.Ended()
	}
	return apiview.NewList(out)
}

// folds goes through all rounds, each of which gives the next value of the accumulator.
func (l *loop) folds(init ref.Val, result step) step {
	return func(f *Frame) ref.Val {
		items, list, keys, ok := l.rounds(f)
		if !ok {
			return nil
		}
		accu := init
		for i, item := range items {
			l.enter(f, i, item, keys)
			f.set(l.accu, accu)
			if accu = l.body(f); accu == nil {
				return nil
			}
		}
		if list != nil {
			list.Ended()
		}
		f.set(l.accu, accu)
		return result(f)
	}
}
