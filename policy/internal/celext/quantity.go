package celext

import (
	"errors"
	"net/url"
	"strings"

	"github.com/blang/semver/v4"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The types of quantities and of semantic versions.
var (
	QuantityType = cel.ObjectType("kubernetes.Quantity")
	SemverType   = cel.ObjectType("kubernetes.Semver")
)

type (
	quantity = *resource.Quantity
	version  = semver.Version
)

// quantities are functions over amounts such as "500Mi".
var quantities = library{
	"quantity":           {cel.Overload("string_to_quantity", []*cel.Type{cel.StringType}, QuantityType, unary(parseQuantity))},
	"isQuantity":         {cel.Overload("is_quantity_string", []*cel.Type{cel.StringType}, cel.BoolType, unary(func(s string) ref.Val { _, err := resource.ParseQuantity(s); return types.Bool(err == nil) }))},
	"sign":               {cel.Overload("quantity_sign", []*cel.Type{QuantityType}, cel.IntType, unary(func(q quantity) ref.Val { return types.Int(q.Sign()) }))},
	"isGreaterThan":      {ordered("quantity_is_greater_than", QuantityType, func(a, b quantity) ref.Val { return types.Bool(a.Cmp(*b) > 0) })},
	"isLessThan":         {ordered("quantity_is_less_than", QuantityType, func(a, b quantity) ref.Val { return types.Bool(a.Cmp(*b) < 0) })},
	"compareTo":          {cel.MemberOverload("quantity_compare_to", []*cel.Type{QuantityType, QuantityType}, cel.IntType, binary(func(a, b quantity) ref.Val { return types.Int(a.Cmp(*b)) }))},
	"asApproximateFloat": {cel.MemberOverload("quantity_get_float", []*cel.Type{QuantityType}, cel.DoubleType, unary(func(q quantity) ref.Val { return types.Double(q.AsApproximateFloat64()) }))},
	"asInteger":          {cel.MemberOverload("quantity_get_int", []*cel.Type{QuantityType}, cel.IntType, unary(asInteger))},
	"isInteger":          {cel.MemberOverload("quantity_is_integer", []*cel.Type{QuantityType}, cel.BoolType, unary(func(q quantity) ref.Val { _, ok := q.AsInt64(); return types.Bool(ok) }))},
	"add": {
		cel.MemberOverload("quantity_add", []*cel.Type{QuantityType, QuantityType}, QuantityType, binary(func(a, b quantity) ref.Val { return added(a, b, (*resource.Quantity).Add) })),
		cel.MemberOverload("quantity_add_int", []*cel.Type{QuantityType, cel.IntType}, QuantityType, binary(func(a quantity, n int64) ref.Val { return added(a, whole(n), (*resource.Quantity).Add) })),
	},
	"sub": {
		cel.MemberOverload("quantity_sub", []*cel.Type{QuantityType, QuantityType}, QuantityType, binary(func(a, b quantity) ref.Val { return added(a, b, (*resource.Quantity).Sub) })),
		cel.MemberOverload("quantity_sub_int", []*cel.Type{QuantityType, cel.IntType}, QuantityType, binary(func(a quantity, n int64) ref.Val { return added(a, whole(n), (*resource.Quantity).Sub) })),
	},
}

func ordered[T any](id string, t *cel.Type, f func(a, b T) ref.Val) cel.FunctionOpt {
	return cel.MemberOverload(id, []*cel.Type{t, t}, cel.BoolType, binary(f))
}

func parseQuantity(s string) ref.Val {
	q, err := resource.ParseQuantity(s)
	if err != nil {
		return types.WrapErr(err)
	}
	return &value{QuantityType, &q}
}

func asInteger(q quantity) ref.Val {
	n, ok := q.AsInt64()
	if !ok {
		return types.WrapErr(errors.New("cannot convert value to integer"))
	}
	return types.Int(n)
}

func whole(n int64) quantity { return resource.NewQuantity(n, resource.DecimalExponent) }

func added(a, b quantity, change func(*resource.Quantity, resource.Quantity)) ref.Val {
	total := a.DeepCopy()
	change(&total, *b)
	return &value{QuantityType, &total}
}

// versions are functions over semantic versions.
var versions = library{
	"semver": {
		cel.Overload("string_to_semver", []*cel.Type{cel.StringType}, SemverType, unary(func(s string) ref.Val { return versionOf(semver.Parse(s)) })),
		cel.Overload("string_bool_to_semver", []*cel.Type{cel.StringType, cel.BoolType}, SemverType, binary(func(s string, lenient bool) ref.Val { return versionOf(parseVersion(s, lenient)) })),
	},
	"isSemver": {
		cel.Overload("is_semver_string", []*cel.Type{cel.StringType}, cel.BoolType, unary(func(s string) ref.Val { _, err := semver.Parse(s); return types.Bool(err == nil) })),
		cel.Overload("is_semver_string_bool", []*cel.Type{cel.StringType, cel.BoolType}, cel.BoolType, binary(func(s string, lenient bool) ref.Val {
			_, err := parseVersion(s, lenient)
			return types.Bool(err == nil)
		})),
	},
	"isGreaterThan": {ordered("semver_is_greater_than", SemverType, func(a, b version) ref.Val { return types.Bool(a.Compare(b) > 0) })},
	"isLessThan":    {ordered("semver_is_less_than", SemverType, func(a, b version) ref.Val { return types.Bool(a.Compare(b) < 0) })},
	"compareTo":     {cel.MemberOverload("semver_compare_to", []*cel.Type{SemverType, SemverType}, cel.IntType, binary(func(a, b version) ref.Val { return types.Int(a.Compare(b)) }))},
	"major":         {partOfVersion("major", func(v version) uint64 { return v.Major })},
	"minor":         {partOfVersion("minor", func(v version) uint64 { return v.Minor })},
	"patch":         {partOfVersion("patch", func(v version) uint64 { return v.Patch })},
}

func partOfVersion(name string, part func(version) uint64) cel.FunctionOpt {
	return cel.MemberOverload("semver_"+name, []*cel.Type{SemverType}, cel.IntType, unary(func(v version) ref.Val { return types.Int(part(v)) }))
}

func versionOf(v version, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return &value{SemverType, v}
}

// parseVersion reads leniently, if it is told to, what is nearly a version: "v1.02" is 1.2.0.
func parseVersion(s string, lenient bool) (version, error) {
	if !lenient {
		return semver.Parse(s)
	}
	parts := strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3)
	for i, p := range parts {
		if len(p) < 2 {
			continue
		}
		p = strings.TrimLeft(p, "0")
		if p == "" || p[0] < '0' || p[0] > '9' {
			p = "0" + p
		}
		parts[i] = p
	}
	if len(parts) < 3 && strings.ContainsAny(parts[len(parts)-1], "+-") {
		return version{}, errors.New("short version cannot contain PreRelease/Build meta data")
	}
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	return semver.Parse(strings.Join(parts, "."))
}

// equal compares what values of one type hold.
func equal(a, b any) bool {
	switch a := a.(type) {
	case *url.URL:
		return a.String() == b.(*url.URL).String()
	case quantity:
		return a.Equal(*b.(quantity))
	case version:
		return a.EQ(b.(version))
	case *format:
		return a.name == b.(*format).name
	}
	return a == b // addresses and ranges
}
