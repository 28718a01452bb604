// Package celext is the CEL that Kubernetes' API server speaks: the language's own settings
// and the function libraries of expressions in admission policies, by the names and with the
// semantics that its documentation gives them.
//
// It is written anew because the API server's own package costs the program 10 MB.
package celext

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"
)

// What an expression may cost, in the API server's units: one call, all validations of a
// policy, all of its match conditions.
const (
	CallLimit      = 1_000_000
	PolicyBudget   = 10_000_000
	MatchBudget    = 2_500_000
	interruptAfter = 100 // rounds of a comprehension
)

// Environment are the options of an environment for expressions.
func Environment() []cel.EnvOption {
	list := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		cel.CostEstimatorOptions(checker.PresenceTestHasCost(false)),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
		ext.Strings(ext.StringsVersion(2)), ext.Sets(), ext.TwoVarComprehensions(), ext.Lists(ext.ListsVersion(3)),
		cel.Types(IPType, CIDRType),
	}
	for _, lib := range []library{lists, regexes, urls, addresses, networks, quantities, versions, formats, authorizer} {
		list = append(list, lib.options()...)
	}
	return list
}

// Program are the options of a program that is made of an expression.
func Program() []cel.ProgramOption {
	return []cel.ProgramOption{
		cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(CallLimit), cel.CostTracking(costs{}),
		cel.CostTrackerOptions(interpreter.PresenceTestHasCost(false)), cel.InterruptCheckFrequency(interruptAfter),
		cel.OptimizeRegex(findOnce, findAllOnce),
	}
}

// library is functions by name.
type library map[string][]cel.FunctionOpt

func (l library) options() []cel.EnvOption {
	list := make([]cel.EnvOption, 0, len(l))
	for name, overloads := range l {
		list = append(list, cel.Function(name, overloads...))
	}
	return list
}

// value is a value of a type that CEL itself does not have.
type value struct {
	kind *cel.Type
	of   any
}

var _ ref.Val = (*value)(nil)

func (v *value) ConvertToNative(t reflect.Type) (any, error) {
	if reflect.TypeOf(v.of).AssignableTo(t) {
		return v.of, nil
	}
	if s, ok := v.of.(fmt.Stringer); ok && t.Kind() == reflect.String {
		return s.String(), nil
	}
	return nil, fmt.Errorf("type conversion error from '%s' to '%v'", v.kind, t)
}

func (v *value) ConvertToType(t ref.Type) ref.Val {
	switch {
	case t.TypeName() == v.kind.TypeName():
		return v
	case t == types.TypeType:
		return v.kind
	case t == types.StringType && (v.kind == IPType || v.kind == CIDRType):
		return types.String(v.of.(fmt.Stringer).String())
	}
	return types.NewErr("type conversion error from '%s' to '%s'", v.kind, t)
}

func (v *value) Equal(other ref.Val) ref.Val {
	o, ok := other.(*value)
	if !ok || o.kind != v.kind {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Bool(equal(v.of, o.of))
}

func (v *value) Type() ref.Type { return v.kind }

func (v *value) Value() any { return v.of }

// unary binds a function of one argument.
func unary[A any](f func(A) ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(arg ref.Val) ref.Val {
		a, ok := arg.Value().(A)
		if !ok {
			return types.MaybeNoSuchOverloadErr(arg)
		}
		return f(a)
	})
}

// binary binds a function of two arguments.
func binary[A, B any](f func(A, B) ref.Val) cel.OverloadOpt {
	return cel.BinaryBinding(func(first, second ref.Val) ref.Val {
		a, ok := first.Value().(A)
		if !ok {
			return types.MaybeNoSuchOverloadErr(first)
		}
		b, ok := second.Value().(B)
		if !ok {
			return types.MaybeNoSuchOverloadErr(second)
		}
		return f(a, b)
	})
}
