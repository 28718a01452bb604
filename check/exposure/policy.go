package exposure

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const aboutPolicies = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"

var policyRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/no-network-policy", Severity: medium, Title: "A namespace has no network policy",
			Tags:  []string{"cis:5.3.2", "attack:T1046", "attack:T1210", "kubescape:C-0260", "kubelinter:non-isolated-pod"},
			Fix:   "a policy for all pods (podSelector: {}) that denies what comes in and goes out, and one for each connection that is needed",
			Why:   "every pod of the cluster reaches every port of these, and these reach everything: what is taken over first has the whole network. Medium in a cluster; low in files that make the namespace, and hygiene in others, whose policies often lie elsewhere",
			Noise: "policies of a network plugin of which no objects are seen",
			Refs:  []string{aboutPolicies}},
		Set: noPolicy,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/no-default-deny", Severity: low, Hygiene: true, Title: "A namespace has network policies, and none for all pods",
			Tags:  []string{"cis:5.3.2", "attack:T1046", "kubescape:C-0260"},
			Fix:   "a policy with podSelector: {} and no rules",
			Why:   "a pod that no policy selects is open to all, as is the next one that somebody adds",
			Noise: "policies that do select every pod, one by one",
			Refs:  []string{aboutPolicies + "#default-deny-all-ingress-traffic"}},
		Set: noDefaultDeny,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/egress-open", Severity: low, Hygiene: true, Title: "Pods of a namespace may go anywhere, also to the cloud's metadata",
			Tags:  []string{"attack:T1552.005", "attack:T1048", "cis:5.3.2"},
			Fix:   "a policy for all pods with policyTypes: [Egress], and in rules for 0.0.0.0/0 an exception of 169.254.169.254/32",
			Why:   "who takes a pod over fetches tools, sends out what was found, and asks the metadata service for the node's role",
			Noise: "clusters whose nodes keep pods from the metadata service; firewalls around the cluster",
			Refs:  []string{aboutPolicies + "#default-deny-all-egress-traffic"}},
		Set: egressOpen,
	},
}

// segmented are the namespaces that have some policy; everything when a policy holds for the
// whole cluster, or is not known.
type segmented struct {
	policies   map[string][]*kube.Object
	other      map[string]bool // by the objects of a network plugin
	everywhere bool
}

func policiesOf(s *kube.Set) *segmented {
	return kube.Memo(s, func(s *kube.Set) *segmented {
		g := &segmented{policies: map[string][]*kube.Object{}, other: map[string]bool{}, everywhere: policiesUnseen(s)}
		for _, o := range s.Kind("networking.k8s.io", "NetworkPolicy") {
			g.policies[o.Namespace] = append(g.policies[o.Namespace], o)
		}
		for _, k := range []struct{ group, kind string }{{"cilium.io", "CiliumNetworkPolicy"}, {"crd.projectcalico.org", "NetworkPolicy"}, {"projectcalico.org", "NetworkPolicy"}} {
			for _, o := range s.Kind(k.group, k.kind) {
				g.other[o.Namespace] = true
			}
		}
		for _, k := range []struct{ group, kind string }{{"cilium.io", "CiliumClusterwideNetworkPolicy"}, {"crd.projectcalico.org", "GlobalNetworkPolicy"}, {"projectcalico.org", "GlobalNetworkPolicy"}, {"policy.networking.k8s.io", "AdminNetworkPolicy"}, {"policy.networking.k8s.io", "BaselineAdminNetworkPolicy"}, {"policy.networking.k8s.io", "ClusterNetworkPolicy"}} {
			g.everywhere = g.everywhere || len(s.Kind(k.group, k.kind)) > 0
		}
		return g
	})
}

// policiesUnseen tells whether policies may be there that could not be listed.
func policiesUnseen(s *kube.Set) bool {
	if s.Cluster == nil {
		return false
	}
	for resource := range s.Cluster.Unseen {
		if strings.Contains(resource, "networkpolicies") || strings.HasPrefix(resource, "pods") {
			return true
		}
	}
	return false
}

// inhabited are the namespaces with pods that a policy could hold for, with how many
// workloads, and the object that stands for each.
type inhabited struct {
	list  []string
	count map[string]int
	about map[string]*kube.Object
}

func namespaces(s *kube.Set) *inhabited {
	return kube.Memo(s, func(s *kube.Set) *inhabited {
		n := &inhabited{count: map[string]int{}, about: map[string]*kube.Object{}}
		for _, w := range s.Workloads() {
			if w.Spec.HostNetwork || w.Namespace == "" || w.Namespace == "kube-system" {
				continue
			}
			if n.count[w.Namespace]++; n.about[w.Namespace] == nil {
				n.about[w.Namespace] = w.Object
			}
		}
		for ns := range n.count {
			n.list = append(n.list, ns)
			if o := s.Find("Namespace/" + ns); o != nil {
				n.about[ns] = o
			}
		}
		slices.Sort(n.list)
		return n
	})
}

func noPolicy(h *posture.Hits, s *kube.Set) {
	g, n := policiesOf(s), namespaces(s)
	for _, ns := range n.list {
		if g.everywhere || g.other[ns] || len(g.policies[ns]) > 0 {
			continue
		}
		hit := posture.Hit{Object: n.about[ns], Evidence: fmt.Sprintf("%s: %s, and no NetworkPolicy", ns, workloads(n.count[ns]))}
		if s.Cluster == nil {
			hit.Severity = low
			if hit.Object.Kind != "Namespace" {
				hit.Tags = hygiene // the namespace is another's, and its policies may be too
			}
		}
		h.Add(hit)
	}
}

func workloads(n int) string {
	if n == 1 {
		return "1 workload"
	}
	return fmt.Sprintf("%d workloads", n)
}

// forAll tells whether a policy selects every pod for a direction.
func forAll(o *kube.Object, direction string) bool {
	sel := o.Root.Get("spec", "podSelector")
	if sel.Get("matchLabels").Len() > 0 || sel.Get("matchExpressions").Len() > 0 {
		return false
	}
	types := o.Root.Get("spec", "policyTypes").Strings()
	return slices.Contains(types, direction) || len(types) == 0 && (direction == "Ingress" || o.Root.Get("spec", "egress").Exists())
}

func noDefaultDeny(h *posture.Hits, s *kube.Set) {
	g, n := policiesOf(s), namespaces(s)
	for _, ns := range n.list {
		list := g.policies[ns]
		if g.everywhere || g.other[ns] || len(list) == 0 || slices.ContainsFunc(list, func(o *kube.Object) bool { return forAll(o, "Ingress") }) {
			continue
		}
		h.Add(posture.Hit{Object: n.about[ns], Evidence: fmt.Sprintf("%s: %d policies, none with podSelector: {} for Ingress", ns, len(list))})
	}
}

func egressOpen(h *posture.Hits, s *kube.Set) {
	g, n := policiesOf(s), namespaces(s)
	for _, ns := range n.list {
		if g.everywhere || g.other[ns] {
			continue
		}
		if !slices.ContainsFunc(g.policies[ns], func(o *kube.Object) bool { return forAll(o, "Egress") }) {
			h.Add(posture.Hit{Object: n.about[ns], Evidence: ns + ": no policy with podSelector: {} for Egress"})
		}
	}
	for _, o := range s.Kind("networking.k8s.io", "NetworkPolicy") {
		for i, e := range o.Root.Get("spec", "egress").Items() {
			for j, to := range e.Get("to").Items() {
				block := to.Get("ipBlock")
				if except := block.Get("except").Strings(); all(block.Get("cidr").Text()) && !slices.ContainsFunc(except, coversMetadata) {
					h.Add(posture.Hit{Object: o, Path: []any{"spec", "egress", i, "to", j, "ipBlock"}, Evidence: block.Get("cidr").Text() + " without an exception of 169.254.169.254/32"})
				}
			}
		}
	}
}

func coversMetadata(cidr string) bool { return strings.HasPrefix(cidr, "169.254.") }
