package admission

import (
	"math"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"bulwark/kube"
	"bulwark/policy/internal/celext"
)

// reach bounds what an expression can cost, and how large its result can be, in terms of what
// it is asked about: the API server counts the cost while it evaluates, which takes as long
// as the evaluation. Where the bound is below its limits nothing is counted.
type reach struct {
	unbounded bool
	nodes     float64 // of the expression
	depth     int     // of comprehensions
	pattern   float64 // the longest text in the expression
	// Its largest value is size times the object, times the longest list in it to the power of lists.
	size  float64
	lists int
}

// weight is how large what an expression is asked about is.
type weight struct {
	cost    float64 // to read all of it
	longest float64 // list or map in it
}

func (w *weight) add(n *kube.Node, depth int) {
	w.cost += 1 + float64(len(n.Text()))/10
	w.longest = max(w.longest, float64(n.Len()))
	if depth > 200 || w.cost > celext.CallLimit { // aliases can make any number of values of few
		w.cost = math.Inf(1)
		return
	}
	for _, item := range n.Items() {
		w.add(item, depth+1)
	}
	for name, v := range n.Fields() {
		w.cost += float64(len(name)) / 10
		w.add(v, depth+1)
	}
}

// cheap tells whether the expression costs less than the limit whatever it does with what
// it is asked about.
func (r *reach) cheap(w weight, limit float64) bool {
	longest := max(w.longest, 8) // of what is not the object: the request, literals
	many := r.size * math.Pow(longest, float64(r.lists+1))
	op := r.size * math.Pow(longest, float64(r.lists)) * (w.cost + 100 + r.pattern/10) * (1 + r.pattern/4)
	return !r.unbounded && r.nodes*math.Pow(many, float64(r.depth))*op < min(limit, celext.CallLimit)
}

// tame are functions whose result is no larger than what they are given.
var tame = map[string]bool{
	"startsWith": true, "endsWith": true, "contains": true, "matches": true, "find": true, "findAll": true, "substring": true, "lowerAscii": true, "upperAscii": true,
	"trim": true, "charAt": true, "indexOf": true, "lastIndexOf": true, "split": true, "size": true, "int": true, "string": true, "double": true, "bool": true, "uint": true, "dyn": true, "type": true,
	"isSorted": true, "sum": true, "min": true, "max": true, "includes": true, "distinct": true, "sort": true, "reverse": true, "slice": true, "first": true, "last": true,
	"quantity": true, "isQuantity": true, "isGreaterThan": true, "isLessThan": true, "compareTo": true, "asInteger": true, "asApproximateFloat": true, "isInteger": true, "sign": true, "add": true, "sub": true,
	"semver": true, "isSemver": true, "major": true, "minor": true, "patch": true, "url": true, "isURL": true, "getScheme": true, "getHost": true, "getHostname": true, "getPort": true, "getEscapedPath": true,
	"ip": true, "isIP": true, "cidr": true, "isCIDR": true, "family": true, "containsIP": true, "containsCIDR": true, "prefixLength": true, "masked": true, "ip.isCanonical": true,
	"isUnspecified": true, "isLoopback": true, "isLinkLocalMulticast": true, "isLinkLocalUnicast": true, "isGlobalUnicast": true,
	"validate": true, "format.named": true, "duration": true, "timestamp": true, "getFullYear": true, "getMonth": true, "getDate": true, "getDayOfMonth": true, "getDayOfWeek": true,
	"getDayOfYear": true, "getHours": true, "getMinutes": true, "getSeconds": true, "getMilliseconds": true, "sets.contains": true, "sets.intersects": true, "sets.equivalent": true,
	"optional.of": true, "optional.ofNonZeroValue": true, "optional.none": true, "hasValue": true, "value": true, "or": true, "orValue": true,
	operators.LogicalAnd: true, operators.LogicalOr: true, operators.LogicalNot: true, operators.NotStrictlyFalse: true, operators.Equals: true, operators.NotEquals: true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true, operators.In: true, operators.Index: true, operators.OptIndex: true, operators.OptSelect: true,
	operators.Conditional: true, operators.Subtract: true, operators.Multiply: true, operators.Divide: true, operators.Modulo: true, operators.Negate: true,
}

// extent is how large a value may be, as in reach.
type extent struct {
	size  float64
	lists int
}

func (e extent) or(o extent) extent { return extent{max(e.size, o.size), max(e.lists, o.lists)} }

// measuring walks an expression.
type measuring struct {
	*declared
	reach
	scope map[string]extent
}

// measure bounds an expression.
func (d *declared) measure(tree *ast.AST) reach {
	m := measuring{declared: d, scope: map[string]extent{}}
	m.size = 1
	m.of(tree.Expr(), 0)
	return m.reach
}

// of bounds the value of x, which is evaluated within depth comprehensions.
func (m *measuring) of(x ast.Expr, depth int) extent {
	m.nodes++
	m.depth = max(m.depth, depth)
	e := extent{1, 0}
	switch x.Kind() {
	case ast.LiteralKind:
		if s, ok := x.AsLiteral().Value().(string); ok {
			m.pattern = max(m.pattern, float64(len(s)))
		}
	case ast.IdentKind:
		if known, ok := m.scope[x.AsIdent()]; ok {
			e = known
		}
	case ast.SelectKind:
		e = m.selected(x.AsSelect(), depth)
	case ast.CallKind:
		e = m.called(x.AsCall(), depth)
	case ast.ListKind:
		e.size = 0
		for _, item := range x.AsList().Elements() {
			e = sum(e, m.of(item, depth))
		}
		e.size = max(e.size, 1)
	case ast.MapKind:
		for _, entry := range x.AsMap().Entries() {
			e = sum(sum(e, m.of(entry.AsMapEntry().Key(), depth)), m.of(entry.AsMapEntry().Value(), depth))
		}
	case ast.ComprehensionKind:
		e = m.folded(x.AsComprehension(), depth)
	default:
		m.unbounded = true
	}
	m.size, m.lists = max(m.size, e.size), max(m.lists, e.lists)
	m.unbounded = m.unbounded || m.size > 1e6 || m.lists > 4
	return e
}

func sum(a, b extent) extent { return extent{a.size + b.size, max(a.lists, b.lists)} }

func (m *measuring) selected(s ast.SelectExpr, depth int) extent {
	if op := s.Operand(); op.Kind() == ast.IdentKind && op.AsIdent() == "variables" {
		r := m.reaches[s.FieldName()]
		m.unbounded = m.unbounded || r.unbounded
		return extent{max(r.size, 1), r.lists}
	}
	return m.of(s.Operand(), depth)
}

func (m *measuring) called(c ast.CallExpr, depth int) extent {
	e := extent{1, 0}
	adds := c.FunctionName() == operators.Add || c.FunctionName() == "join"
	args := c.Args()
	m.unbounded = m.unbounded || !adds && !tame[c.FunctionName()] && len(args) > 0
	if c.FunctionName() == "validate" {
		m.pattern = max(m.pattern, celext.LongestFormat)
	}
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	for i, arg := range args {
		switch one := m.of(arg, depth); {
		case adds && i > 0:
			e = sum(e, one)
		default:
			e = e.or(one)
		}
	}
	if c.FunctionName() == "join" { // what is between the elements
		e.lists++
	}
	return e
}

func (m *measuring) folded(c ast.ComprehensionExpr, depth int) extent {
	over := m.of(c.IterRange(), depth)
	accu := m.of(c.AccuInit(), depth)
	grows := c.AccuInit().Kind() == ast.ListKind || c.AccuInit().Kind() == ast.MapKind
	if grows {
		accu = extent{0, 0}
	}
	shadowed := map[string]extent{}
	for _, name := range []string{c.IterVar(), c.IterVar2(), c.AccuVar()} {
		shadowed[name] = m.scope[name]
	}
	m.scope[c.IterVar()], m.scope[c.AccuVar()] = over, accu
	if c.HasIterVar2() {
		m.scope[c.IterVar2()] = over
	}
	m.of(c.LoopCondition(), depth+1)
	step := m.of(c.LoopStep(), depth+1)
	result := accu
	if grows {
		result = extent{over.size * max(step.size, 1), over.lists + step.lists + 1}
		m.scope[c.AccuVar()] = result
	}
	e := m.of(c.Result(), depth)
	for name, was := range shadowed {
		if delete(m.scope, name); was != (extent{}) {
			m.scope[name] = was
		}
	}
	return e
}
