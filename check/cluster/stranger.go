package cluster

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

// strangerRules are about what decides over everybody's objects and is not what it seems: the
// ways in which an intruder stays.
func strangerRules() []*posture.Rule {
	return []*posture.Rule{
		webhookRule(misconfig.Rule{ID: "cluster/webhook-outside", Severity: high, Title: "A webhook outside of the cluster changes what runs", Tags: []string{"attack:T1546", "attack:T1557", "attack:T1610"},
			Fix: "run it in the cluster (clientConfig.service), or delete it when nobody knows it", Why: "whoever answers at that address adds containers, privileges and rights to what others create, as long as the configuration stands",
			Noise: "services of a vendor that are run outside on purpose", Refs: []string{docsWebhooks, docsDynamic}},
			outside),
		{Rule: misconfig.Rule{ID: "cluster/apiservice-built-in", Severity: high, Title: "Somebody else answers for a part of Kubernetes' own API", Tags: []string{"attack:T1557", "attack:T1546"},
			Fix: "delete the APIService: the API server makes its own again", Why: "requests for that group, with the users' names and what they send, go to a Service instead of the API server: it sees and answers them as it likes",
			Noise: "none is known", Refs: []string{"https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/"}},
			Object: builtInService, Kinds: []string{"APIService.apiregistration.k8s.io"}},
		{Rule: misconfig.Rule{ID: "cluster/mutation-grants", Severity: high, Title: "A policy that changes objects gives them privileges", Tags: []string{"attack:T1546", "attack:T1611"},
			Fix: "delete the policy, or what it adds", Why: "every pod that it is for gets what its author did not ask for, and no file of the pod shows it",
			Noise: "a policy that gives one agent what it needs; its patterns are read as text", Refs: []string{"https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/"}},
			Object: mutationGrants, Kinds: []string{"MutatingAdmissionPolicy." + admissionGroup, "ClusterPolicy.kyverno.io", "Policy.kyverno.io", "MutatingPolicy.policies.kyverno.io", "Assign.mutations.gatekeeper.sh"}},
		{Rule: misconfig.Rule{ID: "cluster/policy-exception-wide", Severity: medium, Title: "An exception excuses more than named objects from a policy", Tags: []string{"attack:T1562"},
			Fix: "name the namespaces and objects that it is for, and the rules", Why: "whoever fits it is checked by nobody: a kind alone is every object of that kind",
			Noise: "a policy that is being taken away", Refs: []string{"https://kyverno.io/docs/exceptions/"}},
			Object: wideException, Kinds: []string{"PolicyException.kyverno.io"}},
		{Rule: misconfig.Rule{ID: "cluster/constraint-for-all", Severity: high, Title: "A security context constraint gives everybody the node", Tags: []string{"cis:5.2.2", "attack:T1611"},
			Fix: "take the groups out, and give use of it to the one service account by a RoleBinding", Why: "pods of all who are in the group may be privileged, or mount the node's folders",
			Noise: "none is known", Refs: []string{"https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-pod-security-policies"}},
			Object: openConstraint, Kinds: []string{"SecurityContextConstraints.security.openshift.io"}},
		{Rule: misconfig.Rule{ID: "cluster/namespace-excused", Severity: low, Title: "A namespace is excused from the policy engine", Tags: []string{"attack:T1562"},
			Fix: "take the label out", Why: "the engine's webhook leaves the namespace alone: what runs there is checked by nobody. Low: engines let few namespaces have the label",
			Noise: "the engine's own namespace, and those of the system, are left out", Refs: []string{"https://open-policy-agent.github.io/gatekeeper/website/docs/exempt-namespaces/"}},
			Object: excused, Kinds: []string{"Namespace"}},
	}
}

// outside finds webhooks at an address that is not the cluster's and that change pods, what
// makes pods, or rights.
func outside(w *webhook, _ *kube.Set) *posture.Hit {
	u := w.root.Get("clientConfig", "url").Text()
	if !w.mutating || u == "" || atHome(u) {
		return nil
	}
	for _, r := range w.root.Get("rules").Items() {
		for _, name := range r.Get("resources").Strings() {
			name, _, _ = strings.Cut(name, "/")
			switch name {
			case "*", "pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs", "clusterroles", "roles", "clusterrolebindings", "rolebindings":
				return &posture.Hit{Path: w.path("clientConfig", "url"), Evidence: u + " may change " + strings.Join(r.Get("resources").Strings(), ", ")}
			}
		}
	}
	return nil
}

// groups of Kubernetes' own beside those that end in ".k8s.io" and are listed here too: other
// projects have names there.
var ownGroups = []string{
	"", "apps", "batch", "autoscaling", "policy", "extensions", "rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
	"authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io", "resource.k8s.io",
}

func builtInService(h *posture.Hits, o *kube.Object) {
	spec := o.Root.Get("spec")
	group := spec.Get("group").Text()
	if !spec.Get("service").Exists() || !spec.Get("version").Exists() || !slices.Contains(ownGroups, group) {
		return
	}
	if group == "" {
		group = "the core"
	}
	h.Add(posture.Hit{Object: o, Path: []any{"spec", "service"}, Evidence: group + " is answered by the Service " + spec.Get("service", "namespace").Text() + "/" + spec.Get("service", "name").Text()})
}

var grants = lazyregexp.New(`(?i)["']?\b(?:privileged|hostPID|hostIPC|hostNetwork|allowPrivilegeEscalation)["']?\s*[:=]\s*["']?true\b|["']?hostPath["']?\s*:|hostPath\s*\{|\bSYS_ADMIN\b`)

// mutationGrants looks at what a policy adds, which is text in most of its forms.
func mutationGrants(h *posture.Hits, o *kube.Object) {
	spec := o.Root.Get("spec")
	if o.Kind == "Assign" {
		at := spec.Get("location").Text()
		for _, field := range []string{"privileged", "hostPID", "hostIPC", "hostNetwork", "allowPrivilegeEscalation"} {
			if strings.HasSuffix(at, "."+field) && spec.Get("parameters", "assign", "value").True() {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "location"}, Evidence: at + ": true"})
			}
		}
		return
	}
	for i, m := range spec.Get("mutations").Items() {
		for _, part := range []string{"jsonPatch", "applyConfiguration"} {
			if found := grants.FindString(m.Get(part, "expression").Text()); found != "" {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "mutations", i, part, "expression"}, Evidence: "it adds " + found})
			}
		}
	}
	for i, r := range spec.Get("rules").Items() {
		mutate := r.Get("mutate")
		if found := grants.FindString(mutate.Get("patchesJson6902").Text()); found != "" {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i, "mutate", "patchesJson6902"}, Evidence: "it adds " + found})
		}
		if field := grantedIn(mutate.Get("patchStrategicMerge"), 12); field != "" {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i, "mutate", "patchStrategicMerge"}, Evidence: "it adds " + field})
		}
	}
}

// grantedIn is the first field of a patch that gives a privilege; a name in brackets is a
// condition, and adds nothing.
func grantedIn(n *kube.Node, depth int) string {
	if depth == 0 {
		return ""
	}
	for name, v := range n.Fields() {
		if strings.HasPrefix(name, "(") {
			continue
		}
		bare := strings.TrimSuffix(strings.TrimPrefix(name, "+("), ")")
		switch bare {
		case "privileged", "hostPID", "hostIPC", "hostNetwork", "allowPrivilegeEscalation":
			if v.True() {
				return bare + ": true"
			}
		case "hostPath":
			return "hostPath: " + v.Get("path").Text()
		}
		if found := grantedIn(v, depth-1); found != "" {
			return found
		}
	}
	for _, v := range n.Items() {
		if found := grantedIn(v, depth-1); found != "" {
			return found
		}
	}
	return ""
}

// wideException finds exceptions of Kyverno for every object of a kind.
func wideException(h *posture.Hits, o *kube.Object) {
	match := o.Root.Get("spec", "match")
	for _, how := range []string{"any", "all"} {
		for i, m := range match.Get(how).Items() {
			r := m.Get("resources")
			if !r.Exists() || limited(r.Get("namespaces")) || limited(r.Get("names")) || r.Get("name").Exists() || r.Get("selector").Exists() || r.Get("namespaceSelector").Exists() || m.Get("subjects").Exists() {
				continue
			}
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "match", how, i}, Evidence: "every " + strings.Join(r.Get("kinds").Strings(), ", ") + " of every namespace, from " + excusedFrom(o)})
		}
	}
}

func limited(list *kube.Node) bool {
	return list.Len() > 0 && !slices.Contains(list.Strings(), "*")
}

func excusedFrom(o *kube.Object) string {
	var list []string
	for i, e := range o.Root.Get("spec", "exceptions").Items() {
		if i < 3 {
			list = append(list, e.Get("policyName").Text())
		}
	}
	return strings.Join(list, ", ")
}

// openConstraint finds constraints of OpenShift that let groups of all users do as they like.
func openConstraint(h *posture.Hits, o *kube.Object) {
	what := ""
	for _, field := range []string{"allowPrivilegedContainer", "allowHostDirVolumePlugin", "allowHostPID"} {
		if o.Root.Get(field).True() {
			what = field
			break
		}
	}
	for i, g := range o.Root.Get("groups").Items() {
		switch name := g.Text(); name {
		case "system:authenticated", "system:serviceaccounts", "system:unauthenticated", "system:authenticated:oauth":
			if what != "" {
				h.Add(posture.Hit{Object: o, Path: []any{"groups", i}, Evidence: what + ": true, for " + name})
			}
		}
	}
}

func excused(h *posture.Hits, o *kube.Object) {
	if o.Name == system || strings.HasPrefix(o.Name, "gatekeeper") {
		return
	}
	const label = "admission.gatekeeper.sh/ignore"
	if _, ok := o.Labels[label]; ok {
		h.Add(posture.Hit{Object: o, Path: []any{"metadata", "labels", label}, Evidence: "the label " + label})
	}
}
