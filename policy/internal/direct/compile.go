package direct

import (
	"regexp"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/policy/internal/apiview"
	"bulwark/policy/internal/celext"
)

// compiler makes steps of an expression. failed says that there is something in it that it
// does not know; steps are then not to be used.
type compiler struct {
	env    *cel.Env
	refs   map[int64]*ast.ReferenceInfo
	scope  map[string]int // slots of the variables of comprehensions
	slots  int
	cost   float64 // of the nodes so far, of the loop that they are in
	failed bool
}

func (c *compiler) unknown() step {
	c.failed = true
	return nil
}

func constant(v ref.Val) step { return func(*Frame) ref.Val { return v } }

func (c *compiler) compile(x ast.Expr) step {
	c.cost += ofNode
	switch x.Kind() {
	case ast.LiteralKind:
		return constant(x.AsLiteral())
	case ast.IdentKind:
		return c.ident(x)
	case ast.SelectKind:
		return c.selected(x)
	case ast.CallKind:
		return c.call(x)
	case ast.ListKind:
		return c.list(x.AsList())
	case ast.MapKind:
		return c.mapping(x.AsMap())
	case ast.ComprehensionKind:
		return c.comprehension(x.AsComprehension())
	}
	return c.unknown()
}

func (c *compiler) ident(x ast.Expr) step {
	name := x.AsIdent()
	if slot, ok := c.scope[name]; ok {
		return func(f *Frame) ref.Val { return f.locals[f.base+slot] }
	}
	if r := c.refs[x.ID()]; r != nil && (r.Value != nil || r.Name != name) {
		return c.unknown()
	}
	switch name {
	case "object":
		return func(f *Frame) ref.Val { return f.Object }
	case "oldObject", "request", "namespaceObject", "params", "variables":
		return func(f *Frame) ref.Val { return sound(f.Root(name)) }
	}
	if v, ok := c.env.CELTypeProvider().FindIdent(name); ok && c.refs[x.ID()] != nil { // a type
		return constant(v)
	}
	return c.unknown()
}

// sound is the value, or nil for one that is an error.
func sound(v ref.Val) ref.Val {
	switch v.(type) {
	case *types.Err, *types.Unknown:
		return nil
	}
	return v
}

// Fielder is a value that gives its fields by name.
type Fielder interface {
	Field(name string) (v ref.Val, ok bool)
}

// name is the name of a field, also as CEL has it.
type name struct {
	text string
	cel  ref.Val
}

// field gives a field of a value; ok is false when there is none, or when v has no fields.
func (n *name) field(v ref.Val) (found ref.Val, ok bool) {
	switch m := v.(type) {
	case *apiview.Map:
		return m.Field(n.text)
	case Fielder:
		return m.Field(n.text)
	case traits.Mapper:
		return m.Find(n.cel)
	}
	return nil, false
}

// option gives a field that may not be there. known is false when only CEL can tell.
func (n *name) option(v ref.Val) (found ref.Val, there, known bool) {
	switch m := v.(type) {
	case *apiview.Map:
		found, there = m.Field(n.text)
	case traits.Mapper:
		found, there = m.Find(n.cel)
	default:
		return nil, false, false
	}
	if found != nil {
		found = sound(found)
		return found, there, found != nil
	}
	return nil, false, true
}

func (c *compiler) selected(x ast.Expr) step {
	if c.optional(x) {
		return c.asOptional(x)
	}
	s := x.AsSelect()
	if r := c.refs[x.ID()]; r != nil && r.Name != "" {
		return c.unknown() // a name with dots
	}
	n := &name{s.FieldName(), types.String(s.FieldName())}
	if s.IsTestOnly() {
		return tested(c.compile(s.Operand()), n)
	}
	names := []*name{n}
	operand := s.Operand()
	for operand.Kind() == ast.SelectKind && !c.optional(operand) && !operand.AsSelect().IsTestOnly() && (c.refs[operand.ID()] == nil || c.refs[operand.ID()].Name == "") {
		s := operand.AsSelect()
		c.cost += ofNode
		names = append([]*name{{s.FieldName(), types.String(s.FieldName())}}, names...)
		operand = s.Operand()
	}
	return followed(c.compile(operand), names)
}

// followed goes from field to field.
func followed(of step, names []*name) step {
	if len(names) == 1 {
		n := names[0]
		return func(f *Frame) ref.Val {
			if v, ok := n.field(of(f)); ok {
				return sound(v)
			}
			return nil
		}
	}
	return func(f *Frame) ref.Val {
		v, ok := of(f), true
		for _, n := range names {
			if v, ok = n.field(v); !ok {
				return nil
			}
		}
		return sound(v)
	}
}

// tested tells whether there is a field.
func tested(of step, n *name) step {
	return func(f *Frame) ref.Val {
		switch m := of(f).(type) {
		case *apiview.Map:
			return types.Bool(m.Has(n.text))
		case traits.Mapper:
			v, ok := m.Find(n.cel)
			if v == nil || sound(v) != nil {
				return types.Bool(ok)
			}
		}
		return nil
	}
}

func (c *compiler) list(l ast.ListExpr) step {
	if len(l.OptionalIndices()) > 0 {
		return c.unknown()
	}
	c.cost += ofList
	var steps []step
	literal := true
	for _, x := range l.Elements() {
		literal = literal && x.Kind() == ast.LiteralKind
		steps = append(steps, c.compile(x))
	}
	if c.failed {
		return nil
	}
	made := func(f *Frame) ref.Val {
		items := make([]ref.Val, len(steps))
		for i, s := range steps {
			if items[i] = s(f); items[i] == nil {
				return nil
			}
		}
		return apiview.NewList(items)
	}
	if literal {
		return constant(made(nil))
	}
	return made
}

// mapping is a map with keys that are texts.
func (c *compiler) mapping(m ast.MapExpr) step {
	c.cost += ofMap + float64(m.Size())
	keys, steps := make([]ref.Val, m.Size()), make([]step, m.Size())
	for i, x := range m.Entries() {
		e := x.AsMapEntry()
		if e.IsOptional() || e.Key().Kind() != ast.LiteralKind || e.Key().AsLiteral().Type() != types.StringType {
			return c.unknown()
		}
		keys[i], steps[i] = e.Key().AsLiteral(), c.compile(e.Value())
	}
	return func(f *Frame) ref.Val {
		out := make(map[ref.Val]ref.Val, len(keys))
		for i, key := range keys {
			v := steps[i](f)
			if v == nil {
				return nil
			}
			out[key] = v
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, out)
	}
}

// implementation is what a call calls, as CEL's planner finds it.
func (c *compiler) implementation(x ast.Expr) *functions.Overload {
	function, id := x.AsCall().FunctionName(), ""
	if r := c.refs[x.ID()]; r != nil && len(r.OverloadIDs) == 1 {
		id = r.OverloadIDs[0]
	}
	decl := c.env.Functions()[function]
	if decl == nil {
		return nil
	}
	overloads, err := decl.Bindings()
	if err != nil {
		return nil
	}
	var any *functions.Overload
	for _, o := range overloads {
		switch {
		case o.Async != nil || o.NonStrict:
			return nil
		case o.Operator == id:
			return o
		case o.Operator == function:
			any = o
		}
	}
	return any
}

func (c *compiler) call(x ast.Expr) step {
	call := x.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch call.FunctionName() {
	case operators.OptSelect, operators.OptIndex:
		return c.asOptional(x)
	case "orValue", "or", "hasValue":
		return c.ofOptional(call.FunctionName(), args)
	case operators.Index:
		if c.optional(args[0]) {
			return c.asOptional(x)
		}
	case "matches", "find", "findAll":
		if len(args) == 2 && args[1].Kind() == ast.LiteralKind {
			return c.regular(call.FunctionName(), args)
		}
	}
	steps := make([]step, len(args))
	literal := true
	for i, arg := range args {
		literal = literal && arg.Kind() == ast.LiteralKind
		steps[i] = c.compile(arg)
	}
	if c.failed {
		return nil
	}
	if s := operator(call.FunctionName(), steps); s != nil {
		return s
	}
	s := called(call.FunctionName(), c.implementation(x), steps)
	if s == nil {
		return c.unknown()
	}
	if literal && len(steps) > 0 {
		if v := s(&Frame{Limit: float64(celext.CallLimit)}); v != nil {
			c.cost += 100 + float64(len(x.AsCall().FunctionName()))
			return constant(v)
		}
	}
	return s
}

// called is a call of a function; nil for one that is not known.
func called(function string, o *functions.Overload, args []step) step {
	switch {
	case o == nil:
		return nil
	case len(args) == 1 && o.Unary != nil:
		return func(f *Frame) ref.Val {
			v := args[0](f)
			if v == nil || o.OperandTrait != 0 && !v.Type().HasTrait(o.OperandTrait) {
				return nil
			}
			out := sound(o.Unary(v))
			if !f.spend(f.cost(function, out, v)) {
				return nil
			}
			return out
		}
	case len(args) == 2 && o.Binary != nil:
		return func(f *Frame) ref.Val {
			a := args[0](f)
			if a == nil || o.OperandTrait != 0 && !a.Type().HasTrait(o.OperandTrait) {
				return nil
			}
			b := args[1](f)
			if b == nil || !f.spend(f.cost(function, nil, a, b)) {
				return nil
			}
			out := sound(o.Binary(a, b))
			if !f.spend(2 * f.weight(out)) {
				return nil
			}
			return out
		}
	case o.Function != nil:
		return func(f *Frame) ref.Val {
			list := make([]ref.Val, len(args))
			for i, s := range args {
				if list[i] = s(f); list[i] == nil {
					return nil
				}
			}
			if len(list) > 0 && o.OperandTrait != 0 && !list[0].Type().HasTrait(o.OperandTrait) || !f.spend(f.cost(function, nil, list...)) {
				return nil
			}
			out := sound(o.Function(list...))
			if !f.spend(2 * f.weight(out)) {
				return nil
			}
			return out
		}
	}
	return nil
}

// regular is a function of a regular expression that is the same always.
func (c *compiler) regular(function string, args []ast.Expr) step {
	pattern, ok := args[1].AsLiteral().(types.String)
	re, err := regexp.Compile(string(pattern))
	text := c.compile(args[0])
	if !ok || err != nil {
		return c.unknown()
	}
	each := 4 * (1 + float64(len(pattern))/4)
	return func(f *Frame) ref.Val {
		s, ok := text(f).(types.String)
		switch {
		case !ok || !f.spend(each*(1+float64(len(s))/10)):
			return nil
		case function == "find":
			return types.String(re.FindString(string(s)))
		case function == "findAll":
			return types.NewStringList(types.DefaultTypeAdapter, re.FindAllString(string(s), -1))
		}
		return types.Bool(re.MatchString(string(s)))
	}
}
