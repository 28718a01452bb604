package rbac

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	authz "bulwark/rbac"
)

// tidyRules are about what does nothing, or more than it needs to, without being dangerous.
var tidyRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "rbac/wildcard-groups", Severity: low, Title: "A role names resources of every API group", Hygiene: true,
			Tags: []string{"cis:5.1.3", "kubelinter:wildcard-in-rules"}, Fix: "name the API group of each resource",
			Why:   "it also counts for whatever another program calls its resources, now or later",
			Noise: "roles for every version of a resource that moved between groups",
			Refs:  []string{good}},
		Set: eachRule(func(_ *authz.Role, r *authz.Rule) string {
			if !slices.Contains(r.Groups, "*") || slices.Contains(r.Resources, "*") || len(r.Resources) == 0 || !slices.ContainsFunc(r.Resources, func(s string) bool { return !strings.HasPrefix(s, "*/") }) {
				return ""
			}
			return "every API group"
		}),
	},
	{
		Rule: misconfig.Rule{ID: "rbac/wildcard-own", Severity: low, Title: "A role allows everything within an API group of its own", Hygiene: true,
			Tags: []string{"cis:5.1.3", "kubelinter:wildcard-in-rules"}, Fix: "name the resources and verbs",
			Why:   "what the program's next version adds to the group is covered unseen",
			Noise: "an operator mostly owns its group",
			Refs:  []string{good}},
		Set: eachRule(func(_ *authz.Role, r *authz.Rule) string {
			if broad(r) || len(r.Groups) == 0 || slices.ContainsFunc(r.Groups, ours) || !slices.Contains(r.Resources, "*") && !slices.Contains(r.Verbs, "*") {
				return ""
			}
			return "every resource or verb"
		}),
	},
	{
		Rule: misconfig.Rule{ID: "rbac/rule-without-effect", Severity: low, Title: "A rule of a role, or a part of it, allows nothing", Hygiene: true,
			Fix:   "write it as Kubernetes reads it, or take it out",
			Why:   "it looks as if it allowed or limited something: whoever reads it is wrong about what the role does",
			Noise: "resources of another program that are named as only its own API server knows them",
			Refs:  []string{docs + "#referring-to-resources"}},
		Set: eachRule(withoutEffect),
	},
	{
		Rule: misconfig.Rule{ID: "rbac/duplicate-rule", Severity: low, Title: "A role has the same rule twice", Hygiene: true,
			Fix:   "take the second one out",
			Why:   "the right stays when only one of them is taken back",
			Noise: "roles that a program writes, or that are put together from parts",
			Refs:  []string{docs}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, role := range authz.Of(s).Roles {
				if role.Object != nil {
					duplicateRules(h, role)
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/dangling-binding", Severity: low, Title: "A binding leads nowhere", Hygiene: true,
			Fix:   "delete it, or make what it names",
			Why:   "whoever may make the role, or the account, that it names takes over what the other half gives",
			Noise: "of manifests the role may be written elsewhere: only accounts are looked for there",
			Refs:  []string{good}},
		Set: dangling,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/invalid-binding", Severity: low, Title: "A binding names what nobody can be", Hygiene: true,
			Fix:   "say User, Group or ServiceAccount, and the namespace of an account",
			Why:   "it is refused by the API server, or does not do what it seems to",
			Noise: "none that is known: the API server refuses it, or it has no effect",
			Refs:  []string{docs + "#referring-to-subjects"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, b := range authz.Of(s).Bindings {
				if b.RefKind != "ClusterRole" && (b.RefKind != "Role" || b.Namespace == "") {
					h.Add(posture.Hit{Object: b.Object, Path: []any{"roleRef"}, Evidence: fmt.Sprintf("a %s cannot name a %q", b.Object.Kind, b.RefKind)})
				}
				for i, s := range b.Subjects {
					if !s.Real() || s.Name == "" {
						h.Add(posture.Hit{Object: b.Object, Path: []any{"subjects", i}, Evidence: fmt.Sprintf("nobody is %q", strings.TrimSpace(s.String()))})
					}
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/unused-role", Severity: low, Title: "A role that nobody is bound to", Hygiene: true,
			Fix:   "delete it",
			Why:   "it waits for somebody to bind it without reading it",
			Noise: "roles that people bind when they need them, and those that a chart offers; told of only where the scan sees the bindings",
			Refs:  []string{good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			rights := authz.Of(s)
			if !rights.Known("rolebindings") || !rights.Known("clusterrolebindings") {
				return
			}
			for _, role := range rights.Roles {
				if role.Object != nil && !role.Default() && len(role.Bindings)+len(role.Into) == 0 {
					h.Add(posture.Hit{Object: role.Object, Path: []any{"rules"}, Evidence: "no binding names it, and no role aggregates it"})
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/duplicate-binding", Severity: low, Title: "A subject is bound to the same role twice", Hygiene: true,
			Fix:   "take one out",
			Why:   "the right stays when only one of them is taken back",
			Noise: "two releases that each bring their own binding, so that either can go",
			Refs:  []string{docs}},
		Set: duplicateBindings,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/cluster-wide-binding", Severity: low, Title: "Rights for namespaces are given everywhere to an account of one", Hygiene: true,
			Tags: []string{"cis:5.1.1"}, Fix: "bind the role by a RoleBinding in the namespaces where it is used",
			Why:   "all that it allows is within namespaces, and the account's own may be all that it needs",
			Noise: "a controller that watches all namespaces needs it everywhere",
			Refs:  []string{good + "#least-privilege"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, b := range authz.Of(s).Bindings {
				if ns := oneNamespace(b); ns != "" && b.Role != nil && !b.Role.Default() && namespaced(b.Role) {
					h.Add(posture.Hit{Object: b.Object, Path: []any{"roleRef"}, Evidence: fmt.Sprintf("all subjects are accounts of %s, and %s allows nothing outside of namespaces", ns, b.Role.ID())})
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/masters-bound", Severity: low, Title: "The group system:masters is bound to a role", Hygiene: true,
			Tags: []string{"cis:5.1.7"}, Fix: "take it out, and use another group for administrators",
			Why:   "the group may do everything before RBAC is asked, so that the binding says nothing; and who is in it stays in it for as long as their certificate lasts",
			Noise: "none that does harm: the binding changes nothing",
			Refs:  []string{good + "#least-privilege"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return isGroup(s, authz.Masters) && !(b.Object.Name == "cluster-admin" && isRole(b, "cluster-admin"))
			}
			for _, g := range bindings(s, wanted) {
				hit := g.hit(low)
				hit.Edits = g.drop()
				h.Add(hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/foreign-account", Severity: low, Title: "An account of one namespace has rights in another", Hygiene: true,
			Tags: []string{"cis:5.1.1"}, Fix: "see that it is meant",
			Why:   "whoever takes over the account's namespace is in this one as well",
			Noise: "extension API servers read extension-apiserver-authentication in kube-system, which is not found",
			Refs:  []string{good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return b.Namespace != "" && account(s) && s.Namespace != b.Namespace && b.RefName != "extension-apiserver-authentication-reader" && !expected(b.Role, s)
			}
			for _, g := range bindings(s, wanted) {
				h.Add(g.hit(low))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/system-name", Severity: low, Title: "A role takes a name that is Kubernetes' own", Hygiene: true,
			Fix:   "call it otherwise",
			Why:   "names that begin with system: are kept for Kubernetes, which may make a role of that name; and whoever looks over roles skips these",
			Noise: "parts of a distribution of Kubernetes that use the names by intention",
			Refs:  []string{docs + "#default-roles-and-role-bindings"}},
		Object: func(h *posture.Hits, o *kube.Object) {
			role := authz.Of(h.Set).Role(o.ID())
			if strings.HasPrefix(o.Name, "system:") && role != nil && !role.Default() {
				h.Add(posture.Hit{Object: o, Path: []any{"metadata", "name"}, Evidence: "name: " + o.Name})
			}
		},
		Kinds: []string{"ClusterRole." + authz.Group},
	},
}

// eachRule asks about every rule of roles that are not Kubernetes' own.
func eachRule(wrong func(*authz.Role, *authz.Rule) string) func(*posture.Hits, *kube.Set) {
	return func(h *posture.Hits, s *kube.Set) {
		for _, role := range authz.Of(s).Roles {
			if role.Object == nil || role.Default() {
				continue
			}
			told := 0
			for i := range role.Rules {
				if why := wrong(role, &role.Rules[i]); why != "" && told < mostTold {
					told++
					h.Add(posture.Hit{Object: role.Object, Path: role.At(i), Evidence: fmt.Sprintf("rule %d: %s: %s", index(role, i)+1, why, role.Rules[i].String())})
				}
			}
		}
	}
}

// withoutEffect says why a rule never counts.
func withoutEffect(role *authz.Role, r *authz.Rule) string {
	names := func(s string) bool { return s == "create" || s == "deletecollection" }
	switch {
	case len(r.Verbs) == 0:
		return "no verb"
	case len(r.Resources)+len(r.URLs) == 0:
		return "no resource"
	case len(r.Resources) > 0 && len(r.Groups) == 0:
		return "no API group"
	case len(r.Names) > 0 && !slices.ContainsFunc(r.Verbs, func(v string) bool { return !names(v) }) && !slices.ContainsFunc(r.Resources, func(s string) bool { return strings.Contains(s, "/") }):
		return "requests to create name nothing, so that resourceNames never fit"
	}
	for _, s := range r.Resources {
		name, sub, found := strings.Cut(s, "/")
		switch {
		case !role.Cluster() && name != "namespaces" && len(r.Groups) == 1 && clusterWide(name, r.Groups[0]):
			return name + " belong to no namespace, and this is a Role"
		case found && sub == "*", strings.Contains(name, "*") && name != "*":
			return fmt.Sprintf("%q is no pattern", s)
		case strings.ToLower(s) != s:
			return fmt.Sprintf("%q is a kind, resources are written small and plural", s)
		}
	}
	return ""
}

func duplicateRules(h *posture.Hits, role *authz.Role) {
	seen := map[string]bool{}
	var again []int
	for i := range role.Rules {
		r := &role.Rules[i]
		key := fmt.Sprintf("%q", [][]string{r.Verbs, r.Groups, r.Resources, r.Names, r.URLs})
		if seen[key] && len(again) < mostTold {
			again = append(again, i)
		}
		seen[key] = true
	}
	for _, i := range slices.Backward(again) {
		h.Add(posture.Hit{Object: role.Object, Path: role.At(i), Evidence: fmt.Sprintf("rule %d: %s", index(role, i)+1, role.Rules[i].String()), Edits: []kube.Edit{kube.Drop(role.At(i)...)}})
	}
}

// dangling finds bindings without a role, without subjects, or to accounts and namespaces
// that do not exist.
func dangling(h *posture.Hits, s *kube.Set) {
	rights, gone := authz.Of(s), missing(s)
	for _, b := range rights.Bindings {
		kind := strings.ToLower(b.RefKind) + "s"
		if b.Role == nil && (kind == "roles" || kind == "clusterroles") && rights.Known(kind) {
			h.Add(posture.Hit{Object: b.Object, Path: []any{"roleRef"}, Evidence: "there is no " + b.RefID()})
		}
		if len(b.Subjects) == 0 && !(b.Role != nil && b.Role.Default()) {
			h.Add(posture.Hit{Object: b.Object, Path: []any{"subjects"}, Evidence: "it has no subjects"})
		}
		for i, subject := range b.Subjects {
			if !subject.Real() || !gone(b, subject) {
				continue
			}
			text := "there is no " + subject.String()
			if s.Cluster != nil && s.Find("Namespace/"+subject.Namespace) == nil && rights.Known("namespaces") {
				text += ", nor its namespace"
			}
			h.Add(posture.Hit{Object: b.Object, Path: []any{"subjects", i}, Evidence: text})
		}
	}
}

func duplicateBindings(h *posture.Hits, s *kube.Set) {
	type key struct {
		subject   authz.Subject
		role      *authz.Role
		namespace string
	}
	seen := map[key]*authz.Binding{}
	for _, b := range authz.Of(s).Bindings {
		for i, subject := range b.Subjects {
			if b.Role == nil || !subject.Real() {
				continue
			}
			k := key{subject, b.Role, b.Namespace}
			if first := seen[k]; first != nil && (first == b || first.Object.ID() != b.Object.ID()) {
				h.Add(posture.Hit{Object: b.Object, Path: []any{"subjects", i}, Evidence: fmt.Sprintf("%s has %s by %s%s already", subject, b.Role.ID(), first.Object.ID(), first.Place())})
				continue
			}
			seen[k] = b
		}
	}
}

// oneNamespace is that of all subjects of a ClusterRoleBinding, if they are accounts of one.
func oneNamespace(b *authz.Binding) string {
	if b.Namespace != "" || len(b.Subjects) == 0 {
		return ""
	}
	ns := b.Subjects[0].Namespace
	if ns == system || slices.ContainsFunc(b.Subjects, func(s authz.Subject) bool { return !account(s) || s.Namespace != ns }) {
		return ""
	}
	return ns
}

// namespaced tells whether all that a role allows is within namespaces, as far as it is known
// of each resource.
func namespaced(r *authz.Role) bool {
	for _, from := range append([]*authz.Role{r}, r.From...) {
		for _, rule := range from.Rules {
			if len(rule.URLs) > 0 {
				return false
			}
			for _, name := range rule.Resources {
				name, _, _ = strings.Cut(name, "/")
				for _, group := range rule.Groups {
					if group != "" {
						group = "." + group
					}
					if res, ok := authz.Lookup(name + group); !ok || !res.Namespaced || name == "*" || group == ".*" {
						return false
					}
				}
			}
		}
	}
	return len(r.Rules)+len(r.From) > 0
}

// clusterWide tells whether a resource of Kubernetes belongs to no namespace.
func clusterWide(name, group string) bool {
	if group != "" {
		name += "." + group
	}
	res, ok := authz.Lookup(name)
	return ok && !res.Namespaced
}
