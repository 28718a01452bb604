package direct

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// optional tells whether an expression is a chain of fields in which one may be missing:
// "a.?b.c".
func (c *compiler) optional(x ast.Expr) bool {
	switch x.Kind() {
	case ast.SelectKind:
		return !x.AsSelect().IsTestOnly() && c.optional(x.AsSelect().Operand())
	case ast.CallKind:
		switch call := x.AsCall(); call.FunctionName() {
		case operators.OptSelect, operators.OptIndex:
			return true
		case operators.Index:
			return c.optional(call.Args()[0])
		}
	}
	return false
}

// maybe gives what a chain leads to, if there is anything. known is false when only CEL can
// tell.
type maybe func(f *Frame) (v ref.Val, there, known bool)

// chain compiles a chain. From the first field that may be missing on, all may.
func (c *compiler) chain(x ast.Expr) maybe {
	c.cost += ofNode
	if !c.optional(x) {
		s := c.compile(x)
		return func(f *Frame) (ref.Val, bool, bool) {
			v := s(f)
			if _, wrapped := v.(*types.Optional); wrapped {
				return nil, false, false
			}
			return v, true, v != nil
		}
	}
	if x.Kind() == ast.SelectKind {
		return optionOf(c.chain(x.AsSelect().Operand()), x.AsSelect().FieldName())
	}
	args := x.AsCall().Args()
	of := c.chain(args[0])
	if args[1].Kind() == ast.LiteralKind {
		if key, ok := args[1].AsLiteral().(types.String); ok {
			return optionOf(of, string(key))
		}
	}
	index := c.compile(args[1])
	return func(f *Frame) (ref.Val, bool, bool) {
		v, there, known := of(f)
		if !there || !known {
			return nil, there, known
		}
		return element(v, index(f))
	}
}

// wrapped is what an expression that gives an optional value has in it.
func wrapped(of step) maybe {
	return func(f *Frame) (ref.Val, bool, bool) {
		o, ok := of(f).(*types.Optional)
		if !ok || !o.HasValue() {
			return nil, false, ok
		}
		v := sound(o.GetValue())
		return v, true, v != nil
	}
}

func optionOf(of maybe, field string) maybe {
	n := &name{field, types.String(field)}
	return func(f *Frame) (ref.Val, bool, bool) {
		v, there, known := of(f)
		if !there || !known {
			return nil, there, known
		}
		return n.option(v)
	}
}

// element is that of a list or map that may not be there.
func element(v, index ref.Val) (found ref.Val, there, known bool) {
	switch key := index.(type) {
	case types.String:
		if _, ok := v.(traits.Mapper); ok {
			return (&name{string(key), index}).option(v)
		}
	case types.Int:
		l, ok := v.(traits.Lister)
		if !ok {
			return nil, false, false
		}
		if size, ok := l.Size().(types.Int); !ok || key < 0 || key >= size {
			return nil, false, ok
		}
		found = sound(l.Get(key))
		return found, true, found != nil
	}
	return nil, false, false
}

// asOptional is a chain as a value of its own.
func (c *compiler) asOptional(x ast.Expr) step {
	chain := c.chain(x)
	return func(f *Frame) ref.Val {
		switch v, there, known := chain(f); {
		case !known:
			return nil
		case there:
			return types.OptionalOf(v)
		}
		return types.OptionalNone
	}
}

// ofOptional is what is asked of an optional value.
func (c *compiler) ofOptional(function string, args []ast.Expr) step {
	var of maybe
	if c.optional(args[0]) {
		of = c.chain(args[0])
	} else {
		of = wrapped(c.compile(args[0]))
	}
	if function == "hasValue" {
		return func(f *Frame) ref.Val {
			if _, there, known := of(f); known {
				return types.Bool(there)
			}
			return nil
		}
	}
	other := c.compile(args[1])
	whole := function == "or"
	return func(f *Frame) ref.Val {
		switch v, there, known := of(f); {
		case !known:
			return nil
		case !there:
			return other(f)
		case whole:
			return types.OptionalOf(v)
		default:
			return v
		}
	}
}
