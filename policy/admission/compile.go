package admission

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	admissionv1 "k8s.io/api/admissionregistration/v1"

	"bulwark"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
	"bulwark/policy/internal/celext"
	"bulwark/policy/internal/direct"
)

// The most that one policy may have, as the API server allows.
const (
	maxConditions  = 64
	maxExpressions = 500
	maxExpression  = 64 << 10 // bytes
)

// expression is one expression, ready to be evaluated.
type expression struct {
	text   string
	prg    cel.Program
	direct *direct.Program // for what goes as it mostly goes; nil where it does not know how
	asks   bool            // about rights
	ends   bool            // it may be true of something in a list: none of its elements says why not
}

type variable struct {
	name string
	expression
}

type validation struct {
	expression
	message string
	reason  string
	explain *expression // messageExpression
}

type annotation struct {
	key string
	expression
}

// compiler makes a policy of an object.
type compiler struct {
	source
	loader *loader
	name   string
	bad    int // problems found
	types  *declared
	params bool // the policy has parameters
	used   []string
}

// wrong notes a problem at a node.
func (c *compiler) wrong(n *kube.Node, format string, args ...any) {
	c.bad++
	c.loader.problem(Problem{c.Origin.File, cmp.Or(n.Line(), c.Origin.Line), max(n.Column(), 1), c.name, fmt.Sprintf(format, args...)})
}

func (c *compiler) decode(into any) {
	for _, p := range c.Root.Decode(into, "") {
		c.bad++
		c.loader.problem(Problem{c.Origin.File, p.Line, 1, c.name, strings.TrimPrefix(p.Path+": "+p.Text, ": ")})
	}
}

// compile makes the policy; ok is false when there is something wrong with it.
func (l *loader) compile(src source) (*Policy, bool) {
	c := compiler{source: src, loader: l, name: src.Name, types: newDeclared()}
	var typed admissionv1.ValidatingAdmissionPolicy
	c.decode(&typed)
	spec, root := &typed.Spec, src.Root.Get("spec")
	p := &Policy{Name: src.Name, Object: src.Object, paramKind: spec.ParamKind}
	c.about(p)
	c.params = spec.ParamKind != nil
	p.ignore = spec.FailurePolicy != nil && *spec.FailurePolicy == admissionv1.Ignore
	if f := spec.FailurePolicy; f != nil && *f != admissionv1.Ignore && *f != admissionv1.Fail {
		c.wrong(root.Get("failurePolicy"), "%q is no failurePolicy: Fail and Ignore are", *f)
	}
	if spec.MatchConstraints == nil || len(spec.MatchConstraints.ResourceRules) == 0 {
		c.wrong(root, "matchConstraints.resourceRules says nothing that the policy is about")
	} else {
		p.match = c.matcher(spec.MatchConstraints, root.Get("matchConstraints"))
	}
	if len(spec.Validations) == 0 && len(spec.AuditAnnotations) == 0 {
		c.wrong(root, "it has neither validations nor auditAnnotations")
	}
	c.expressions(p, spec, root)
	p.used = c.used
	return p, c.bad == 0
}

var identifier = lazyregexp.New(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func (c *compiler) expressions(p *Policy, spec *admissionv1.ValidatingAdmissionPolicySpec, root *kube.Node) {
	if len(spec.MatchConditions) > maxConditions || len(spec.Variables)+len(spec.Validations)+len(spec.AuditAnnotations) > maxExpressions {
		c.wrong(root, "more than %d match conditions, or more than %d expressions", maxConditions, maxExpressions)
		return
	}
	seen := map[string]bool{}
	for i, v := range spec.Variables {
		at := root.Get("variables").Item(i)
		if !identifier.MatchString(v.Name) || seen[v.Name] {
			c.wrong(at.Get("name"), "%q is no name for a variable, or is one already", v.Name)
			continue
		}
		seen[v.Name] = true
		e, t := c.expression(v.Expression, at.Get("expression"), true)
		c.types.variable(v.Name, t)
		p.variables = append(p.variables, variable{v.Name, e})
	}
	for i, m := range spec.MatchConditions {
		e, _ := c.expression(m.Expression, root.Get("matchConditions").Item(i).Get("expression"), true, cel.BoolType)
		p.conditions = append(p.conditions, e)
	}
	for i, v := range spec.Validations {
		p.validations = append(p.validations, c.validation(&v, root.Get("validations").Item(i)))
	}
	for i, a := range spec.AuditAnnotations {
		e, _ := c.expression(a.ValueExpression, root.Get("auditAnnotations").Item(i).Get("valueExpression"), true, cel.StringType, cel.NullType)
		p.annotations = append(p.annotations, annotation{a.Key, e})
	}
}

func (c *compiler) validation(v *admissionv1.Validation, at *kube.Node) validation {
	out := validation{message: strings.TrimSpace(v.Message), reason: "Invalid"}
	out.expression, _ = c.expression(v.Expression, at.Get("expression"), true, cel.BoolType)
	if v.Reason != nil {
		out.reason = string(*v.Reason)
		if !slices.Contains([]string{"Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"}, out.reason) {
			c.wrong(at.Get("reason"), "%q is no reason: Unauthorized, Forbidden, Invalid and RequestEntityTooLarge are", out.reason)
		}
	}
	if strings.Contains(out.message, "\n") {
		c.wrong(at.Get("message"), "a message is one line")
	}
	if v.MessageExpression != "" {
		e, _ := c.expression(v.MessageExpression, at.Get("messageExpression"), false, cel.StringType)
		out.explain = &e
	}
	return out
}

// expression compiles one expression, which gives one of the types; any without.
func (c *compiler) expression(text string, at *kube.Node, rights bool, want ...*cel.Type) (e expression, t *cel.Type) {
	e.text = strings.TrimSpace(text)
	switch {
	case e.text == "":
		c.wrong(at, "the expression is empty")
		return e, nil
	case len(text) > maxExpression:
		c.wrong(at, "the expression is longer than %d bytes", maxExpression)
		return e, nil
	}
	env, err := environmentOf(c.params, rights, c.types)
	if err != nil {
		c.wrong(at, "%v", err)
		return e, nil
	}
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		for _, issue := range issues.Errors() {
			line, column := place(c.lines, at, text, issue.Location.Line(), issue.Location.Column())
			c.bad++
			c.loader.problem(Problem{c.Origin.File, line, column, c.name, oneLine(issue.Message)})
		}
		return e, nil
	}
	t = tree.OutputType()
	if len(want) > 0 && !slices.ContainsFunc(want, t.IsExactType) {
		c.wrong(at, "the expression must be %s, and is %s", names(want), t)
		return e, nil
	}
	c.program(env, tree, &e, at)
	return e, t
}

func names(types []*cel.Type) string {
	var list []string
	for _, t := range types {
		list = append(list, t.String())
	}
	return strings.Join(list, " or ")
}

func (c *compiler) program(env *cel.Env, tree *cel.Ast, e *expression, at *kube.Node) {
	var err error
	if e.prg, err = env.Program(tree, celext.Program()...); err != nil {
		c.wrong(at, "%v", err)
		return
	}
	e.direct = direct.Compile(env, tree.NativeRep())
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.IdentKind:
			e.asks = e.asks || strings.HasPrefix(x.AsIdent(), "authorizer")
		case ast.ComprehensionKind:
			init := x.AsComprehension().AccuInit()
			e.ends = e.ends || init.Kind() == ast.LiteralKind && init.AsLiteral().Value() == false
		}
	}))
}

// about takes what the annotations say of the policy.
func (c *compiler) about(p *Policy) {
	note := func(name string) string { return oneLine(c.Annotations["bulwark.dev/"+name]) }
	p.Severity = bulwark.SeverityMedium
	if s := note("severity"); s != "" && p.Severity.UnmarshalText([]byte(strings.ToLower(s))) != nil {
		c.wrong(c.Root.Get("metadata", "annotations", "bulwark.dev/severity"), "%q is no severity: low, medium, high and critical are", s)
	}
	p.Title, p.Reason, p.Fix = note("title"), note("reason"), note("fix")
	p.References, p.Tags = strings.Fields(note("references")), strings.Fields(note("tags"))
	if !identifierOfRule.MatchString(p.Name) {
		c.wrong(c.Root.Get("metadata", "name"), "%q is no name for a policy", p.Name)
	}
}

var identifierOfRule = lazyregexp.New(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

// oneLine makes text of foreign files fit to be shown.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > 2000 {
		s = strings.ToValidUTF8(s[:2000], "") + " ..."
	}
	return strings.Join(strings.Fields(s), " ")
}
