// Package admission evaluates policies that people write for Kubernetes: those of
// ValidatingAdmissionPolicy, unmodified, with their bindings and parameters. What the API
// server would refuse is refused here, so that one file serves a scan, an admission webhook
// and the cluster itself.
//
// It is offline: there is nobody to ask about rights (authorizer), and who makes a request
// is not known unless the request says so. See [Request] for what else differs.
package admission

import (
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"bulwark"
	"bulwark/kube"
)

// Group is the API group of policies.
const Group = "admissionregistration.k8s.io"

// Set is policies with their bindings and parameters. It is used by several goroutines at
// once.
type Set struct {
	Policies []*Policy // those that could be taken, by name
	Problems []Problem // what could not be, by file and line
	// Aside are MutatingAdmissionPolicies and their bindings, which are exported and otherwise
	// not followed: what is scanned is what was written.
	Aside  []*kube.Object
	params *kube.Set // objects that stand beside the policies
}

// Problem is something in a file of policies that cannot be taken.
type Problem struct {
	File         string
	Line, Column int
	Policy       string // "" when it is none of a policy
	Text         string
}

// String is the problem as people read it: "FILE:LINE:COLUMN: POLICY: TEXT".
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	if p.Policy != "" {
		s += ": " + p.Policy
	}
	return s + ": " + p.Text
}

// Policy is one policy, compiled.
type Policy struct {
	Name string
	// Severity, Title, Reason, Fix and References are of the annotations bulwark.dev/severity
	// and so on: what findings say.
	Severity   bulwark.Severity
	Title      string
	Reason     string
	Fix        string
	References []string
	Tags       []string
	Object     *kube.Object // as it was written
	Bindings   []*Binding   // never empty: a policy without any is bound everywhere, as Deny

	match       matcher
	ignore      bool // failures are ignored
	conditions  []expression
	variables   []variable
	validations []validation
	annotations []annotation
	paramKind   *admissionv1.ParamKind
	used        []string // roots that its expressions ask about
}

// Binding says where a policy holds, with which parameters, and what follows.
type Binding struct {
	Name    string       // "" for the one that stands for none
	Object  *kube.Object // nil for that
	Actions []string     // Deny, Warn, Audit
	match   *matcher     // nil: everywhere
	params  *admissionv1.ParamRef
	problem string // why it cannot be followed
}

// Does tells whether the binding has an action.
func (b *Binding) Does(action string) bool { return slices.Contains(b.Actions, action) }

// Validations is how many things the policy holds objects to.
func (p *Policy) Validations() int { return len(p.validations) }

// PodsOnly tells whether the policy is about pods and nothing else.
func (p *Policy) PodsOnly() bool { return p.match.podsOnly() }

// Named gives the policy of that name; nil when there is none.
func (s *Set) Named(name string) *Policy {
	for _, p := range s.Policies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// ByNamespace tells whether the policy, or a binding of it, selects by other labels of
// namespaces than their name.
func (p *Policy) ByNamespace() bool {
	return p.match.byNamespace || slices.ContainsFunc(p.Bindings, func(b *Binding) bool { return b.match != nil && b.match.byNamespace })
}
