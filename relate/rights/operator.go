package rights

import (
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/rbac"
)

// clouds are the API groups, by their ends, whose objects an operator makes into what a cloud
// has, identities of it among them.
var clouds = []string{".upbound.io", ".crossplane.io", ".services.k8s.aws", ".cnrm.cloud.google.com", ".azure.com"}

// operators looks for operators: those that make pods, of whom a custom kind is there or
// objects of it, and the groups of those that command a cloud.
func operators(s *kube.Set) (pods, cloud []want) {
	groups := groupsOf(s)
	for _, o := range rbac.ByOperators() {
		if groups[o.Group] != nil && len(o.Makes) > 0 {
			pods = append(pods, want{strings.Fields(write), o.Group, o.Makes})
		}
	}
	for _, w := range s.Workloads() { // of kinds that nobody knows, but that are pods by their shape
		if g := w.Group(); strings.Contains(g, ".") && !strings.HasSuffix(g, ".k8s.io") {
			pods = appendWant(pods, g, plural(groups[g], w.Kind))
		}
	}
	for g := range groups {
		if slices.ContainsFunc(clouds, func(end string) bool { return strings.HasSuffix(g, end) }) {
			cloud = append(cloud, want{strings.Fields(write), g, nil})
		}
	}
	slices.SortFunc(cloud, func(a, b want) int { return strings.Compare(a.group, b.group) })
	return pods, cloud
}

func appendWant(list []want, group, resource string) []want {
	for _, w := range list {
		if w.group == group && slices.Contains(w.resources, resource) {
			return list
		}
	}
	return append(list, on(write, group, resource))
}

// groupsOf are the API groups that the set has kinds or objects of, with the plurals of kinds
// where they are known.
func groupsOf(s *kube.Set) map[string]map[string]string {
	groups := map[string]map[string]string{}
	add := func(group string) map[string]string {
		if groups[group] == nil {
			groups[group] = map[string]string{}
		}
		return groups[group]
	}
	last := ""
	for _, o := range s.Objects {
		if g := o.Group(); g != last && strings.Contains(g, ".") {
			last = g
			add(g)
		}
	}
	for _, o := range s.Kind("apiextensions.k8s.io", "CustomResourceDefinition") {
		names := o.Root.Get("spec", "names")
		add(o.Root.Get("spec", "group").Text())[names.Get("kind").Text()] = names.Get("plural").Text()
	}
	return groups
}

// plural is what requests call a kind.
func plural(known map[string]string, kind string) string {
	if p := known[kind]; p != "" {
		return p
	}
	word := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(word, "y"):
		return strings.TrimSuffix(word, "y") + "ies"
	case strings.HasSuffix(word, "s"):
		return word + "es"
	}
	return word + "s"
}
