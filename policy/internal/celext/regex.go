package celext

import (
	"regexp"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// regexes are find and findAll.
var regexes = library{
	"find": {
		cel.MemberOverload("string_find_string", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType, binary(func(s, pattern string) ref.Val {
			return matched(pattern, func(re *regexp.Regexp) ref.Val { return types.String(re.FindString(s)) })
		})),
	},
	"findAll": {
		cel.MemberOverload("string_find_all_string", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType), binary(func(s, pattern string) ref.Val {
			return matched(pattern, func(re *regexp.Regexp) ref.Val { return all(re, s, -1) })
		})),
		cel.MemberOverload("string_find_all_string_int", []*cel.Type{cel.StringType, cel.StringType, cel.IntType}, cel.ListType(cel.StringType), cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			pattern, ok := args[1].Value().(string)
			if !ok {
				return types.MaybeNoSuchOverloadErr(args[1])
			}
			return matched(pattern, func(re *regexp.Regexp) ref.Val { return findAll(re, args) })
		})),
	},
}

func matched(pattern string, use func(*regexp.Regexp) ref.Val) ref.Val {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return types.NewErr("Illegal regex: %v", err)
	}
	return use(re)
}

func all(re *regexp.Regexp, s string, n int64) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, re.FindAllString(s, int(n)))
}

func findAll(re *regexp.Regexp, args []ref.Val) ref.Val {
	s, ok := args[0].Value().(string)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	if len(args) < 3 {
		return all(re, s, -1)
	}
	n, ok := args[2].Value().(int64)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[2])
	}
	return all(re, s, n)
}

// findOnce and findAllOnce compile patterns that are constant with the expression.
var (
	findOnce = once("find", func(re *regexp.Regexp, args []ref.Val) ref.Val {
		s, ok := args[0].Value().(string)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		return types.String(re.FindString(s))
	})
	findAllOnce = once("findAll", findAll)
)

func once(function string, call func(*regexp.Regexp, []ref.Val) ref.Val) *interpreter.RegexOptimization {
	return &interpreter.RegexOptimization{Function: function, RegexIndex: 1, Factory: func(c interpreter.InterpretableCall, pattern string) (interpreter.InterpretableCall, error) {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		return interpreter.NewCall(c.ID(), c.Function(), c.OverloadID(), c.Args(), func(args ...ref.Val) ref.Val { return call(re, args) }), nil
	}}
}
