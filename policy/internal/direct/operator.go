package direct

import (
	"strings"

	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/policy/internal/apiview"
)

// operator is the step of an operator, or of a function that is used as often; nil for
// others.
func operator(function string, args []step) step {
	if len(args) == 3 && function == operators.Conditional {
		return conditional(args[0], args[1], args[2])
	}
	if len(args) == 1 && function == operators.LogicalNot {
		return not(args[0])
	}
	if len(args) != 2 {
		return nil
	}
	a, b := args[0], args[1]
	switch function {
	case operators.LogicalAnd:
		return both(a, b)
	case operators.LogicalOr:
		return either(a, b)
	case operators.Equals:
		return equals(a, b, true)
	case operators.NotEquals:
		return equals(a, b, false)
	case operators.In:
		return in(a, b)
	case operators.Index:
		return at(a, b)
	case "startsWith":
		return texts(a, b, strings.HasPrefix)
	case "endsWith":
		return texts(a, b, strings.HasSuffix)
	case "contains":
		return texts(a, b, strings.Contains)
	}
	return nil
}

func conditional(is, then, otherwise step) step {
	return func(f *Frame) ref.Val {
		switch b, ok := is(f).(types.Bool); {
		case !ok:
			return nil
		case bool(b):
			return then(f)
		}
		return otherwise(f)
	}
}

func not(is step) step {
	return func(f *Frame) ref.Val {
		if b, ok := is(f).(types.Bool); ok {
			return !b
		}
		return nil
	}
}

func both(a, b step) step {
	return func(f *Frame) ref.Val {
		v, ok := a(f).(types.Bool)
		if ok && bool(v) {
			v, ok = b(f).(types.Bool)
		}
		if !ok {
			return nil
		}
		return v
	}
}

func either(a, b step) step {
	return func(f *Frame) ref.Val {
		v, ok := a(f).(types.Bool)
		if ok && !bool(v) {
			v, ok = b(f).(types.Bool)
		}
		if !ok {
			return nil
		}
		return v
	}
}

// equals tells whether two values are alike, or whether they are not.
func equals(a, b step, alike bool) step {
	return func(f *Frame) ref.Val {
		v, w := a(f), b(f)
		if v == nil || w == nil {
			return nil
		}
		switch v := v.(type) {
		case types.String:
			if w, ok := w.(types.String); ok {
				f.spent += float64(len(v)) / 10
				return types.Bool((v == w) == alike)
			}
		case types.Bool:
			if w, ok := w.(types.Bool); ok {
				return types.Bool((v == w) == alike)
			}
		}
		if !f.spend(f.weight(v) + f.weight(w)) {
			return nil
		}
		if same, ok := types.Equal(v, w).(types.Bool); ok {
			return types.Bool(bool(same) == alike)
		}
		return nil
	}
}

func in(a, b step) step {
	return func(f *Frame) ref.Val {
		v, w := a(f), b(f)
		if v == nil || w == nil {
			return nil
		}
		if m, ok := w.(*apiview.Map); ok {
			if key, ok := v.(types.String); ok {
				return types.Bool(m.Has(string(key)))
			}
		}
		if l, ok := w.(traits.Container); ok && f.spend(f.weight(v)+f.weight(w)) {
			return sound(l.Contains(v))
		}
		return nil
	}
}

// at is an element of a list, or the value of a key, that has to be there.
func at(of, index step) step {
	return func(f *Frame) ref.Val {
		v, i := of(f), index(f)
		if v == nil || i == nil {
			return nil
		}
		if found, there, known := element(v, i); there && known {
			return found
		}
		return nil
	}
}

func texts(a, b step, is func(a, b string) bool) step {
	return func(f *Frame) ref.Val {
		v, ok := a(f).(types.String)
		if !ok {
			return nil
		}
		w, ok := b(f).(types.String)
		if !ok {
			return nil
		}
		f.spent += 1 + float64(len(v)+len(w))/10
		return types.Bool(is(string(v), string(w)))
	}
}
