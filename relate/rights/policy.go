package rights

import (
	"slices"
	"strings"

	"bulwark/internal/glob"
	"bulwark/kube"
)

// policy is one of a policy engine that is known to forbid privileged pods. It is not run:
// that it is enforced, is about pods and speaks of privileged is enough to think it likely.
type policy struct {
	name  string
	holds func(namespace string, labels map[string]string) bool
}

func policiesOf(s *kube.Set) []policy {
	var list []policy
	for _, o := range s.Objects {
		g := o.Group()
		switch {
		case g == "kyverno.io" && (o.Kind == "ClusterPolicy" || o.Kind == "Policy"):
			list = append(list, kyverno(o)...)
		case g == "constraints.gatekeeper.sh":
			list = append(list, gatekeeper(o)...)
		case g == "policies.kyverno.io" && o.Kind == "ValidatingPolicy":
			if slices.Contains(o.Root.Get("spec", "validationActions").Strings(), "Deny") {
				list = append(list, expressions(o, nil)...)
			}
		case g == admissionGroup && o.Kind == "ValidatingAdmissionPolicyBinding":
			if p := s.Find("ValidatingAdmissionPolicy/" + o.Root.Get("spec", "policyName").Text()); p != nil && slices.Contains(o.Root.Get("spec", "validationActions").Strings(), "Deny") {
				list = append(list, expressions(p, o)...)
			}
		}
	}
	return list
}

func kyverno(o *kube.Object) []policy {
	enforced := func(n *kube.Node) bool { return strings.EqualFold(n.Text(), "enforce") }
	spec := o.Root.Get("spec")
	var list []policy
	for _, rule := range spec.Get("rules").Items() {
		v := rule.Get("validate")
		on := enforced(spec.Get("validationFailureAction"))
		if own := v.Get("failureAction"); own.Exists() {
			on = enforced(own)
		}
		level := v.Get("podSecurity", "level").Text()
		if !on || level != "baseline" && level != "restricted" && !mentions(v, "privileged", 12) {
			continue
		}
		only, but := spaces(rule.Get("match")), spaces(rule.Get("exclude"))
		list = append(list, policy{o.ID(), func(ns string, _ map[string]string) bool {
			if o.Namespace != "" && o.Kind == "Policy" && o.Namespace != ns {
				return false
			}
			return (len(only) == 0 || anyMatch(only, ns)) && !anyMatch(but, ns)
		}})
	}
	return list
}

// spaces are the namespaces that a rule of Kyverno names.
func spaces(match *kube.Node) []string {
	list := match.Get("resources", "namespaces").Strings()
	for _, way := range []string{"any", "all"} {
		for _, m := range match.Get(way).Items() {
			list = append(list, m.Get("resources", "namespaces").Strings()...)
		}
	}
	return list
}

func gatekeeper(o *kube.Object) []policy {
	spec := o.Root.Get("spec")
	if action := spec.Get("enforcementAction").Text(); action != "" && action != "deny" || !strings.Contains(strings.ToLower(o.Kind), "privileged") {
		return nil
	}
	match := spec.Get("match")
	only, but := match.Get("namespaces").Strings(), match.Get("excludedNamespaces").Strings()
	return []policy{{o.ID(), func(ns string, labels map[string]string) bool {
		return (len(only) == 0 || anyMatch(only, ns)) && !anyMatch(but, ns) && selects(match.Get("namespaceSelector"), labels)
	}}}
}

// expressions looks at a policy in CEL.
func expressions(o, binding *kube.Object) []policy {
	says := false
	for _, v := range o.Root.Get("spec", "validations").Items() {
		says = says || strings.Contains(v.Get("expression").Text(), "privileged")
	}
	if !says {
		return nil
	}
	constraints := o.Root.Get("spec", "matchConstraints")
	return []policy{{o.ID(), func(_ string, labels map[string]string) bool {
		if binding != nil && !selects(binding.Root.Get("spec", "matchResources", "namespaceSelector"), labels) {
			return false
		}
		return selects(constraints.Get("namespaceSelector"), labels)
	}}}
}

// mentions tells whether a word is in a name or text anywhere within.
func mentions(n *kube.Node, word string, depth int) bool {
	if depth == 0 || n == nil {
		return false
	}
	if strings.Contains(n.Text(), word) {
		return true
	}
	for field, v := range n.Fields() {
		if field == "message" {
			continue
		}
		if strings.Contains(field, word) || mentions(v, word, depth-1) {
			return true
		}
	}
	for _, v := range n.Items() {
		if mentions(v, word, depth-1) {
			return true
		}
	}
	return false
}

func anyMatch(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return p == s || glob.Match(p, s) })
}

// selects tells whether a label selector chooses what has these labels. One that is not there
// chooses all, and one that is malformed nothing.
func selects(n *kube.Node, labels map[string]string) bool {
	for k, v := range n.Get("matchLabels").Fields() {
		if got, ok := labels[k]; !ok || got != v.Text() {
			return false
		}
	}
	for _, e := range n.Get("matchExpressions").Items() {
		value, has := labels[e.Get("key").Text()]
		in := has && slices.Contains(e.Get("values").Strings(), value)
		ok := false
		switch e.Get("operator").Text() {
		case "In":
			ok = in
		case "NotIn":
			ok = !in
		case "Exists":
			ok = has
		case "DoesNotExist":
			ok = !has
		}
		if !ok {
			return false
		}
	}
	return true
}
