package celext

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

var anyType = cel.TypeParamType("A")

// lists are functions over lists: isSorted, sum, min, max, indexOf, lastIndexOf, includes.
var lists = library{
	"isSorted": each(comparable, func(name string, t *cel.Type) cel.FunctionOpt {
		return cel.MemberOverload("list_"+name+"_is_sorted_bool", []*cel.Type{cel.ListType(t)}, cel.BoolType, cel.UnaryBinding(isSorted))
	}),
	"sum": each(summable, func(name string, t *cel.Type) cel.FunctionOpt {
		zero := zeros[name]
		return cel.MemberOverload("list_"+name+"_sum_"+name, []*cel.Type{cel.ListType(t)}, t, cel.UnaryBinding(func(list ref.Val) ref.Val { return sum(zero, list) }))
	}),
	"max": each(comparable, func(name string, t *cel.Type) cel.FunctionOpt {
		return cel.MemberOverload("list_"+name+"_max_"+name, []*cel.Type{cel.ListType(t)}, t, cel.UnaryBinding(func(list ref.Val) ref.Val { return extreme("max", types.IntNegOne, list) }))
	}),
	"min": each(comparable, func(name string, t *cel.Type) cel.FunctionOpt {
		return cel.MemberOverload("list_"+name+"_min_"+name, []*cel.Type{cel.ListType(t)}, t, cel.UnaryBinding(func(list ref.Val) ref.Val { return extreme("min", types.IntOne, list) }))
	}),
	"indexOf": {
		cel.MemberOverload("list_a_index_of_int", []*cel.Type{cel.ListType(anyType), anyType}, cel.IntType, cel.BinaryBinding(func(list, item ref.Val) ref.Val { return indexOf(list, item, false) })),
	},
	"lastIndexOf": {
		cel.MemberOverload("list_a_last_index_of_int", []*cel.Type{cel.ListType(anyType), anyType}, cel.IntType, cel.BinaryBinding(func(list, item ref.Val) ref.Val { return indexOf(list, item, true) })),
	},
	"includes": {
		cel.MemberOverload("list_includes_dyn_dyn", []*cel.Type{cel.DynType, cel.DynType}, cel.BoolType, cel.BinaryBinding(includes)),
	},
}

type named struct {
	name string
	of   *cel.Type
}

var (
	summable   = []named{{"int", cel.IntType}, {"uint", cel.UintType}, {"double", cel.DoubleType}, {"duration", cel.DurationType}}
	comparable = append(summable[:len(summable):len(summable)], named{"bool", cel.BoolType}, named{"timestamp", cel.TimestampType}, named{"string", cel.StringType}, named{"bytes", cel.BytesType})
	zeros      = map[string]ref.Val{"int": types.Int(0), "uint": types.Uint(0), "double": types.Double(0), "duration": types.Duration{}}
)

func each(list []named, overload func(name string, t *cel.Type) cel.FunctionOpt) []cel.FunctionOpt {
	opts := make([]cel.FunctionOpt, 0, len(list))
	for _, n := range list {
		opts = append(opts, overload(n.name, n.of))
	}
	return opts
}

// elements goes through a list until visit gives an answer.
func elements(list ref.Val, visit func(ref.Val) ref.Val) ref.Val {
	all, ok := list.(traits.Iterable)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	for it := all.Iterator(); it.HasNext() == types.True; {
		if answer := visit(it.Next()); answer != nil {
			return answer
		}
	}
	return nil
}

func isSorted(list ref.Val) ref.Val {
	var before traits.Comparer
	answer := elements(list, func(v ref.Val) ref.Val {
		c, ok := v.(traits.Comparer)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		if before != nil && before.Compare(v) == types.IntOne {
			return types.False
		}
		before = c
		return nil
	})
	if answer == nil {
		return types.True
	}
	return answer
}

func sum(zero, list ref.Val) ref.Val {
	total := zero
	answer := elements(list, func(v ref.Val) ref.Val {
		a, ok := total.(traits.Adder)
		if !ok {
			return types.MaybeNoSuchOverloadErr(total)
		}
		if _, ok := v.(traits.Adder); !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		total = a.Add(v)
		return nil
	})
	if answer != nil {
		return answer
	}
	return total
}

// extreme is the element that compares to none of the others as worse.
func extreme(name string, worse, list ref.Val) ref.Val {
	var best traits.Comparer
	answer := elements(list, func(v ref.Val) ref.Val {
		c, ok := v.(traits.Comparer)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		if best == nil || best.Compare(v) == worse {
			best = c
		}
		return nil
	})
	switch {
	case answer != nil:
		return answer
	case best == nil:
		return types.NewErr("%s called on empty list", name)
	}
	return best.(ref.Val)
}

func indexOf(list, item ref.Val, last bool) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	n, ok := l.Size().(types.Int)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	for i := range n {
		if last {
			i = n - 1 - i
		}
		if l.Get(i).Equal(item) == types.True {
			return i
		}
	}
	return types.IntNegOne
}

func includes(target, item ref.Val) ref.Val {
	if _, ok := target.(traits.Lister); !ok {
		return types.Bool(target.Equal(item) == types.True)
	}
	answer := elements(target, func(v ref.Val) ref.Val {
		if v.Equal(item) == types.True {
			return types.True
		}
		return nil
	})
	if answer == nil {
		return types.False
	}
	return answer
}
