package admission

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8slabels "k8s.io/apimachinery/pkg/labels"

	"bulwark/kube"
)

// matcher is what a policy or a binding is about.
type matcher struct {
	rules, excluded []admissionv1.NamedRuleWithOperations
	exact           bool
	namespaces      k8slabels.Selector // nil: all
	objects         k8slabels.Selector
	byNamespace     bool // the selector asks for more than a namespace's name
}

// NameLabel is the label that the API server gives every namespace.
const NameLabel = "kubernetes.io/metadata.name"

func (c *compiler) matcher(r *admissionv1.MatchResources, at *kube.Node) matcher {
	m := matcher{rules: r.ResourceRules, excluded: r.ExcludeResourceRules, exact: r.MatchPolicy != nil && *r.MatchPolicy == admissionv1.Exact}
	if p := r.MatchPolicy; p != nil && *p != admissionv1.Exact && *p != admissionv1.Equivalent {
		c.wrong(at.Get("matchPolicy"), "%q is no matchPolicy: Exact and Equivalent are", *p)
	}
	m.namespaces = c.selector(r.NamespaceSelector, at.Get("namespaceSelector"))
	m.objects = c.selector(r.ObjectSelector, at.Get("objectSelector"))
	if m.namespaces != nil {
		requirements, _ := m.namespaces.Requirements()
		m.byNamespace = slices.ContainsFunc(requirements, func(r k8slabels.Requirement) bool { return r.Key() != NameLabel })
	}
	for i, rule := range r.ResourceRules {
		if len(rule.APIGroups) == 0 || len(rule.APIVersions) == 0 || len(rule.Resources) == 0 || len(rule.Operations) == 0 {
			c.wrong(at.Get("resourceRules").Item(i), "a rule needs apiGroups, apiVersions, operations and resources")
		}
	}
	return m
}

// selector reads a selector; nil for one that selects everything.
func (c *compiler) selector(s *metav1.LabelSelector, at *kube.Node) k8slabels.Selector {
	if s == nil {
		return nil
	}
	sel, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		c.wrong(at, "%v", err)
		return nil
	}
	if sel.Empty() {
		return nil
	}
	return sel
}

func (m *matcher) podsOnly() bool {
	for _, r := range m.rules {
		for _, res := range r.Resources {
			if name, _, _ := strings.Cut(res, "/"); name != "pods" {
				return false
			}
		}
	}
	return len(m.rules) > 0
}

// matches tells whether a request is of the matter.
func (m *matcher) matches(r *Request) bool {
	return m.inNamespace(r) && m.ofObject(r) && !m.any(m.excluded, r) && (len(m.rules) == 0 || m.any(m.rules, r))
}

func (m *matcher) inNamespace(r *Request) bool {
	switch {
	case m.namespaces == nil:
		return true
	case r.Resource.Resource == "namespaces" && r.Resource.Group == "" && r.SubResource == "" && r.Object != nil:
		return m.namespaces.Matches(namespaceLabels(r.Object))
	case r.Scope == "":
		return true
	}
	ns := r.namespace()
	return ns != nil && m.namespaces.Matches(namespaceLabels(ns))
}

// namespaceLabels are a namespace's labels, with that of its name.
func namespaceLabels(o *kube.Object) k8slabels.Labels { return named{o} }

type named struct{ *kube.Object }

func (n named) Has(label string) bool {
	_, ok := n.Lookup(label)
	return ok
}

func (n named) Get(label string) string {
	v, _ := n.Lookup(label)
	return v
}

func (n named) Lookup(label string) (string, bool) {
	if label == NameLabel {
		return n.Name, true
	}
	v, ok := n.Labels[label]
	return v, ok
}

func (m *matcher) ofObject(r *Request) bool {
	if m.objects == nil {
		return true
	}
	return r.Object != nil && m.objects.Matches(k8slabels.Set(r.labels())) || r.Old != nil && m.objects.Matches(k8slabels.Set(r.Old.Labels))
}

func (m *matcher) any(rules []admissionv1.NamedRuleWithOperations, r *Request) bool {
	for i := range rules {
		rule := &rules[i]
		if scoped(rule.Scope, r) && operates(rule.Operations, r.Operation) && resourced(rule.Resources, r) && m.versioned(rule, r) &&
			(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, r.Name)) {
			return true
		}
	}
	return false
}

func scoped(s *admissionv1.ScopeType, r *Request) bool {
	if s == nil || *s == admissionv1.AllScopes {
		return true
	}
	return (*s == admissionv1.NamespacedScope) == (r.Scope != "")
}

func operates(list []admissionv1.OperationType, operation string) bool {
	for _, o := range list {
		if o == admissionv1.OperationAll || string(o) == operation {
			return true
		}
	}
	return false
}

func resourced(list []string, r *Request) bool {
	for _, want := range list {
		name, sub, _ := strings.Cut(want, "/")
		if (name == "*" || name == r.Resource.Resource) && (sub == "*" || sub == r.SubResource) {
			return true
		}
	}
	return false
}

func has(list []string, s string) bool {
	for _, one := range list {
		if one == s || one == "*" {
			return true
		}
	}
	return false
}

func itself(rule *admissionv1.NamedRuleWithOperations, r *Request) bool {
	return has(rule.APIGroups, r.Resource.Group) && has(rule.APIVersions, r.Resource.Version)
}

// converts tells whether what a request is about has to be converted for the policy: no rule
// names its own version.
func (m *matcher) converts(r *Request) bool {
	return !slices.ContainsFunc(m.rules, func(rule admissionv1.NamedRuleWithOperations) bool {
		return resourced(rule.Resources, r) && itself(&rule, r)
	})
}

// versioned tells whether a rule is about the group and version of a request: by its own, or
// by those under which the API server has the same objects.
func (m *matcher) versioned(rule *admissionv1.NamedRuleWithOperations, r *Request) bool {
	if itself(rule, r) {
		return true
	}
	if m.exact {
		return false
	}
	for _, e := range equivalents(r.Resource) {
		if has(rule.APIGroups, e.Group) && (e.Version == "" || has(rule.APIVersions, e.Version)) {
			return true
		}
	}
	return false
}

// moved are groups that resources were in before, and are in now.
var moved = map[string]string{
	"extensions deployments": "apps", "extensions daemonsets": "apps", "extensions replicasets": "apps",
	"extensions ingresses": "networking.k8s.io", "extensions networkpolicies": "networking.k8s.io", " events": "events.k8s.io",
}

// builtin are Kubernetes' own groups among those with a dot: all others are of custom resources.
var builtin = map[string]bool{
	"networking.k8s.io": true, "rbac.authorization.k8s.io": true, "storage.k8s.io": true, "scheduling.k8s.io": true, "coordination.k8s.io": true, "discovery.k8s.io": true,
	"events.k8s.io": true, "node.k8s.io": true, "authentication.k8s.io": true, "authorization.k8s.io": true, "certificates.k8s.io": true, "flowcontrol.apiserver.k8s.io": true,
	Group: true, "apiextensions.k8s.io": true, "apiregistration.k8s.io": true, "resource.k8s.io": true, "storagemigration.k8s.io": true, "internal.apiserver.k8s.io": true,
}

// equivalents are the groups and versions under which the API server has the same objects;
// an empty version is any. Versions of Kubernetes' own groups that are no longer served
// name nothing.
func equivalents(r Resource) []Resource {
	group := r.Group
	if g, ok := moved[group+" "+r.Resource]; ok {
		group = g
	}
	if strings.Contains(group, ".") && !builtin[group] {
		return []Resource{{Group: group, Resource: r.Resource}}
	}
	list := []Resource{{Group: group, Version: "v1", Resource: r.Resource}}
	if r.Resource == "horizontalpodautoscalers" {
		list = append(list, Resource{Group: group, Version: "v2", Resource: r.Resource})
	}
	return list
}

func selectorOf(s *metav1.LabelSelector) (k8slabels.Selector, error) {
	if s == nil {
		return nil, nil
	}
	return metav1.LabelSelectorAsSelector(s)
}

func namedLabels(o *kube.Object) k8slabels.Labels { return k8slabels.Set(o.Labels) }
