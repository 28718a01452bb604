package admission

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/kube"
	"bulwark/policy/internal/celext"
	"bulwark/policy/internal/direct"
)

// Verdict is what came of asking a policy.
type Verdict int

// The verdicts that are decisions; of what a policy has nothing against there is none.
const (
	Violated Verdict = iota // a validation does not hold
	Failed                  // an expression failed, and the policy does not ignore that
	Unknown                 // only a cluster can tell: the expression asks about rights
)

// Decision is something that a policy has against a request.
type Decision struct {
	Policy  *Policy
	Binding *Binding
	Verdict Verdict
	// Denied tells that the API server would refuse the request.
	Denied  bool
	Index   int // of the validation; -1 for none
	Message string
	Reason  string // Invalid, Forbidden, ...
	// Path is the field of the object that decided, as far as that can be told.
	Path []any
	// Annotations are those of the policy's auditAnnotations: "key: value".
	Annotations []string
}

const (
	mostMessage    = 5 << 10
	mostAnnotation = 10 << 10
	mostParams     = 200 // that one binding is tried with
)

// Evaluate asks all policies about a request. Decisions are in the order of the policies'
// names, then of bindings, then of validations. The error is that of ctx.
func (s *Set) Evaluate(ctx context.Context, r *Request) ([]Decision, error) {
	var list []Decision
	for _, p := range s.Policies {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		list = append(list, s.ask(p, r)...)
	}
	return list, nil
}

// EvaluatePolicy asks one policy of the set.
func (s *Set) EvaluatePolicy(p *Policy, r *Request) []Decision { return s.ask(p, r) }

// Matches tells whether a policy is about a request, by what it matches alone.
func (p *Policy) Matches(r *Request) bool { return !exempt(r) && p.match.matches(r) }

// exempt are the objects that policies are never asked about, so that nobody is locked out
// by one.
func exempt(r *Request) bool {
	return r.Resource.Group == Group && (strings.HasPrefix(r.Resource.Kind, "ValidatingAdmission") || strings.HasPrefix(r.Resource.Kind, "MutatingAdmission") || strings.HasSuffix(r.Resource.Kind, "WebhookConfiguration"))
}

// ask evaluates one policy under each of its bindings.
func (s *Set) ask(p *Policy, r *Request) []Decision {
	if !p.Matches(r) {
		return nil
	}
	if old(r.Resource.Version) && p.match.converts(r) {
		r = r.current()
	}
	var list []Decision
	for _, b := range p.Bindings {
		if b.match != nil && !b.match.matches(r) {
			continue
		}
		params, why := s.paramsOf(p, b, r)
		if why != "" {
			list = append(list, failure(p, b, "failed to configure binding: "+why, true)...)
			continue
		}
		for _, param := range params {
			list = append(list, p.validate(b, r, param)...)
		}
	}
	return list
}

// failure is the decision of something that went wrong with a policy itself. always is true
// for what is refused whatever the binding's actions are.
func failure(p *Policy, b *Binding, message string, always bool) []Decision {
	if p.ignore {
		return nil
	}
	return []Decision{{Policy: p, Binding: b, Verdict: Failed, Denied: always || b.Does("Deny"), Index: -1, Message: message, Reason: "Invalid"}}
}

// unknown is the decision of a policy that cannot be asked here.
func unknown(p *Policy, b *Binding, index int) Decision {
	return Decision{Policy: p, Binding: b, Verdict: Unknown, Index: index, Message: "it asks about rights (authorizer), which only a cluster can answer"}
}

var noParams = []*kube.Object{nil}

// paramsOf gives the parameters of a binding; one nil for a policy without.
func (s *Set) paramsOf(p *Policy, b *Binding, r *Request) (list []*kube.Object, why string) {
	if b.problem != "" {
		return nil, b.problem
	}
	if p.paramKind == nil || b.params == nil {
		return noParams, ""
	}
	for _, set := range []*kube.Set{s.params, r.Params} {
		if list, why = paramsIn(set, p, b, r); why != "" || len(list) > 0 {
			return list, why
		}
	}
	if a := b.params.ParameterNotFoundAction; a != nil && *a == "Deny" {
		return nil, "no params found for policy binding with `Deny` parameterNotFoundAction"
	}
	return nil, ""
}

func paramsIn(set *kube.Set, p *Policy, b *Binding, r *Request) (list []*kube.Object, why string) {
	group, _, ok := strings.Cut(p.paramKind.APIVersion, "/")
	if !ok {
		group = ""
	}
	selector, err := selectorOf(b.params.Selector)
	if err != nil {
		return nil, err.Error()
	}
	namespace := cmp.Or(b.params.Namespace, r.Scope)
	for _, o := range set.Kind(group, p.paramKind.Kind) {
		switch {
		case o.Namespaced() && namespace == "":
			return nil, "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
		case !o.Namespaced() && b.params.Namespace != "":
			return nil, "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
		case o.Namespaced() && o.Namespace != namespace, b.params.Name != "" && o.Name != b.params.Name:
		case selector == nil || selector.Matches(namedLabels(o)):
			list = append(list, o)
		}
		if len(list) == mostParams {
			break
		}
	}
	return list, ""
}

// evaluation is one policy asked about one request with one parameter. It is the activation
// of its expressions.
type evaluation struct {
	policy    *Policy
	request   *Request
	object    ref.Val
	namespace ref.Val
	params    ref.Val
	param     *kube.Object
	budget    uint64
	variables variables
	frame     direct.Frame
}

// Root gives what expressions name.
func (e *evaluation) Root(name string) ref.Val {
	switch name {
	case "object":
		return e.object
	case "variables":
		return &e.variables
	case "oldObject":
		return e.request.seen(e.request.Old)
	case "request":
		return e.request.about()
	case "namespaceObject":
		if e.namespace == nil {
			e.namespace = e.request.seen(e.request.namespace())
		}
		return e.namespace
	case "params":
		return e.params
	}
	return nil
}

// Whole is what it costs at most to go through all that expressions name.
func (e *evaluation) Whole() float64 {
	w := e.request.weigh()
	if e.param != nil {
		w.add(e.param.Root)
	}
	return float64(w)
}

// ResolveName is Root for CEL.
func (e *evaluation) ResolveName(name string) (any, bool) {
	v := e.Root(name)
	return v, v != nil
}

// Parent is nil: there is no other activation.
func (e *evaluation) Parent() cel.Activation { return nil }

// forget leaves nothing of what was evaluated but the room that it took.
func (e *evaluation) forget() {
	values := e.variables.values[:cap(e.variables.values)]
	clear(values)
	e.frame.Reset()
	*e = evaluation{frame: e.frame, variables: variables{values: values[:0]}}
}

// begin makes the evaluation that of a policy; what it was before is forgotten.
func (e *evaluation) begin(p *Policy, r *Request, param *kube.Object, budget uint64) *evaluation {
	if r.view == nil {
		r.view = r.object(nil)
	}
	e.policy, e.request, e.object, e.namespace, e.params = p, r, r.view, nil, types.NullValue
	e.param, e.budget = param, budget
	if param != nil {
		e.params = r.shown(param).view
	}
	e.variables.of, e.variables.values = e, e.variables.values[:0]
	for range p.variables {
		e.variables.values = append(e.variables.values, nil)
	}
	e.frame.Roots, e.frame.Object = e, r.view
	// All that are evaluated directly cost less than the budget together.
	e.frame.Limit = min(celext.CallLimit, float64(budget)/float64(1+len(p.validations)+len(p.variables)+len(p.conditions)+len(p.annotations)))
	return e
}

// errBudget is that of the API server, for all expressions of a policy together.
const errBudget = "validation failed due to running out of cost budget, no further validation rules will be run"

// run evaluates an expression. spent is true when the policy has cost all that it may.
func (e *evaluation) run(x *expression) (out ref.Val, err error, spent bool) {
	if e != e.request.tracer {
		e.request.Evaluated++
	}
	if x.direct != nil {
		if out, ok := x.direct.Eval(&e.frame); ok {
			return out, nil, false
		}
	}
	out, details, err := x.prg.Eval(e)
	cost := uint64(celext.CallLimit)
	if c := details.ActualCost(); c != nil {
		cost = *c
	}
	if cost > e.budget {
		return nil, nil, true
	}
	e.budget -= cost
	if err != nil {
		return nil, fmt.Errorf("expression '%s' resulted in error: %w", x.text, err), false
	}
	return out, nil, false
}

// validate asks the policy, under a binding, with a parameter.
func (p *Policy) validate(b *Binding, r *Request, param *kube.Object) []Decision {
	if len(p.conditions) > 0 {
		switch met, asks, err := p.conditionsMet(r, param); {
		case asks:
			return []Decision{unknown(p, b, -1)}
		case err != "":
			return failure(p, b, err, false)
		case !met:
			return nil
		}
	}
	e := r.begin(p, param, celext.PolicyBudget)
	var list []Decision
	for i := range p.validations {
		v := &p.validations[i]
		out, err, spent := e.run(&v.expression)
		switch {
		case spent:
			return failure(p, b, errBudget, false)
		case err != nil && v.asks:
			list = append(list, unknown(p, b, i))
		case err != nil:
			for _, d := range failure(p, b, oneLine(err.Error()), false) {
				if d.Index = i; !strings.Contains(d.Message, "cost limit") {
					d.Path = p.path(r, param, v)
				}
				list = append(list, d)
			}
		case out != types.True:
			list = append(list, Decision{Policy: p, Binding: b, Denied: b.Does("Deny"), Index: i, Message: e.message(v), Reason: v.reason, Path: p.path(r, param, v)})
		}
	}
	return p.annotate(e, b, list)
}

// conditionsMet tells whether the policy is about the request by its match conditions, or
// why that cannot be told. One that is false settles it, whatever the others are.
func (p *Policy) conditionsMet(r *Request, param *kube.Object) (met, asks bool, why string) {
	e := r.begin(p, param, celext.MatchBudget)
	e.namespace = types.NullValue // match conditions do not see it
	var wrong []string
	for i := range p.conditions {
		c := &p.conditions[i]
		out, err, spent := e.run(c)
		switch {
		case spent && p.ignore:
			return false, false, ""
		case spent:
			return false, false, errBudget
		case out == types.False:
			return false, false, ""
		case err != nil:
			asks = asks || c.asks
			wrong = append(wrong, oneLine(err.Error()))
		}
	}
	switch {
	case asks:
		return false, true, ""
	case len(wrong) == 0:
		return true, false, ""
	case p.ignore:
		return false, false, ""
	}
	return false, false, strings.Join(wrong, ", ")
}

// message is what a validation that does not hold says.
func (e *evaluation) message(v *validation) string {
	if v.explain != nil {
		out, err, spent := e.run(v.explain)
		if s, ok := out.(types.String); ok && err == nil && !spent {
			text := strings.TrimSpace(string(s))
			if text != "" && len(text) <= mostMessage && !strings.Contains(text, "\n") {
				return text
			}
		}
	}
	return cmp.Or(v.message, "failed expression: "+v.text)
}

// annotate adds what auditAnnotations say to the decisions. One that fails is a decision.
func (p *Policy) annotate(e *evaluation, b *Binding, list []Decision) []Decision {
	var texts []string
	e.budget = celext.PolicyBudget
	for i := range p.annotations {
		a := &p.annotations[i]
		out, err, spent := e.run(&a.expression)
		switch {
		case spent:
			return failure(p, b, errBudget, false)
		case err != nil && a.asks:
			list = append(list, unknown(p, b, -1))
		case err != nil:
			list = append(list, failure(p, b, oneLine(err.Error()), true)...)
		}
		s, _ := out.(types.String)
		if text := strings.TrimSpace(string(s)); text != "" {
			texts = append(texts, a.key+": "+oneLine(text[:min(len(text), mostAnnotation)]))
		}
	}
	for i := range list {
		list[i].Annotations = texts
	}
	return list
}

// path finds the field that decided: the expression is evaluated once more, and what it
// read last is it. When it went through a list to the end for something that none of the
// elements has, the list is.
func (p *Policy) path(r *Request, param *kube.Object, v *validation) []any {
	if r.Object == nil {
		return nil
	}
	e := r.beginTraced(p, param)
	e.run(&v.expression)
	if through := r.trace.Through(); v.ends && through != nil {
		return through
	}
	return r.trace.Path()
}

// variables are the policy's, each evaluated when it is first asked for.
type variables struct {
	traits.Mapper // CEL asks for Find alone
	of            *evaluation
	values        []ref.Val
}

func (v *variables) Type() ref.Type { return types.MapType }

func (v *variables) Find(key ref.Val) (ref.Val, bool) {
	name, _ := key.(types.String)
	return v.Field(string(name))
}

// Field is Find by a name as Go has it.
func (v *variables) Field(name string) (ref.Val, bool) {
	for i := range v.values {
		one := &v.of.policy.variables[i]
		if one.name != name {
			continue
		}
		if v.values[i] == nil {
			v.values[i] = v.value(one)
		}
		return v.values[i], true
	}
	return nil, false
}

func (v *variables) value(one *variable) ref.Val {
	out, err, spent := v.of.run(&one.expression)
	switch {
	case spent:
		return types.NewErr("composited variable %q: %s", one.name, errBudget)
	case err != nil:
		cause := err.Error() // of a variable that a variable names, the last
		if i := strings.LastIndex(cause, " resulted in error: "); i >= 0 {
			cause = cause[i+len(" resulted in error: "):]
		}
		return types.NewErr("composited variable %q fails to evaluate: %s", one.name, cause)
	}
	if left := mostMade; !made(out, &left, 0) {
		return types.NewErr("composited variable %q is too large: actual cost limit exceeded", one.name)
	}
	return out
}

func (v *variables) Get(key ref.Val) ref.Val {
	out, ok := v.Find(key)
	if !ok {
		return types.NewErr("no such key: %v", key)
	}
	return out
}

func (v *variables) Contains(key ref.Val) ref.Val {
	_, ok := v.Find(key)
	return types.Bool(ok)
}
