package network

import (
	"fmt"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/internal/near"
	"bulwark/kube"
	"bulwark/network"
)

var vainRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "network/policy-selects-nothing", Severity: low, Title: "A policy selects no pod",
			Tags:  []string{"attack:T1046", "kubelinter:dangling-networkpolicy"},
			Fix:   "the labels that the pods have, or no policy",
			Why:   "what it was written for is not protected, and looks as if it were. Low in a cluster, and in files where pods of the namespace have the same label with another value; else merely untidy, for the pods may lie elsewhere",
			Noise: "policies for jobs and pods that come and go; for what an operator makes",
			Refs:  []string{about + "#networkpolicy-resource"}},
		Set: selectsNothing,
	},
	{
		Rule: misconfig.Rule{ID: "network/peer-matches-nothing", Severity: low, Hygiene: true, Title: "A rule of a policy names peers that are not there",
			Tags:  []string{"kubelinter:dangling-networkpolicypeer-podselector"},
			Fix:   "the labels of those who are meant, or no rule",
			Why:   "nothing is opened by it, and whoever comes by these labels later gets in. Untidy: it fails on the side of shutting",
			Noise: "pods that come and go; namespaces of others, in files",
			Refs:  []string{about + "#behavior-of-to-and-from-selectors"}},
		Set: peersNothing,
	},
	{
		Rule: misconfig.Rule{ID: "network/rule-overridden", Severity: medium, Title: "A rule decides nothing, for others come before it",
			Tags:  []string{"attack:T1562.007"},
			Fix:   "give the policy a priority before that one, or take one of both out",
			Why:   "what it says to drop is open all the same, since a rule before it lets all of that through. Medium; a rule that allows in vain is merely untidy: what it opens stays shut",
			Noise: "rules that are kept for pods that are to come",
			Refs:  []string{tiers}},
		Set: overridden,
	},
	{
		Rule: misconfig.Rule{ID: "network/policy-invalid", Severity: medium, Title: "A part of a policy cannot be taken as it is written",
			Tags:  []string{"attack:T1046"},
			Fix:   "what is said at that line",
			Why:   "the API server refuses such a policy, or the network plugin leaves the part out: what it was to shut stays open. Medium, since nobody is told where policies are applied by a program",
			Noise: "fields of versions of the API that are newer than this program",
			Refs:  []string{about}},
		Set: invalid,
	},
	{
		Rule: misconfig.Rule{ID: "network/named-port-missing", Severity: low, Hygiene: true, Title: "A policy names a port that no pod has",
			Fix:   "the name that the containers give the port, or its number",
			Why:   "the rule opens nothing. Untidy: it fails on the side of shutting",
			Noise: "pods that are not among the objects",
			Refs:  []string{about}},
		Set: namedPorts,
	},
}

func selectsNothing(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	for _, p := range g.policies {
		if p.Len() > 0 || unseen(s) {
			continue
		}
		if p.Namespace == "kube-system" || s.Cluster == nil && len(g.members[p.Namespace]) == 0 && p.Namespace != "" {
			continue // of files without pods nothing can be said
		}
		at, hit := []any{"spec", "podSelector"}, posture.Hit{Object: p.Object}
		if !p.Root.At(at...).Exists() {
			at = []any{"spec"}
		}
		hit.Path, hit.Evidence = at, "no pod has the labels that it selects"
		if like := g.alike(p); like != "" {
			hit.More = []string{like}
		} else if s.Cluster == nil {
			hit.Tags = hygiene
		}
		h.Add(hit)
	}
}

// alike says which pods of a policy's namespace have a label of its selector with another
// value that is nearly the same.
func (g *ground) alike(p *network.Policy) string {
	for name, v := range p.Root.Get("spec", "podSelector", "matchLabels").Fields() {
		for _, i := range g.members[p.Namespace] {
			have, ok := g.Endpoints[i].Labels[name]
			if ok && have != v.Text() && near.Is(have, v.Text()) {
				return fmt.Sprintf("%s has %s: %s", g.Endpoints[i], name, have)
			}
		}
	}
	return ""
}

func peersNothing(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	if unseen(s) {
		return
	}
	for _, p := range g.policies {
		if s.Cluster == nil && len(g.members[p.Namespace]) == 0 {
			continue
		}
		for _, d := range []network.Direction{network.Ingress, network.Egress} {
			for _, r := range p.Rules(d) {
				if r.Action != network.Allow || speaks(&r) || s.Cluster == nil && !inside(p.Root.At(r.Path...)) {
					continue
				}
				h.Add(posture.Hit{Object: p.Object, Path: r.Path, Evidence: kube.PathText(r.Path...) + ": no pod has the labels of its peers"})
			}
		}
	}
}

// inside tells whether the peers of a rule are pods of the policy's own namespace alone.
func inside(rule *kube.Node) bool {
	for _, field := range []string{"from", "to"} {
		for _, peer := range rule.Get(field).Items() {
			if peer.Has("namespaceSelector") || !peer.Has("podSelector") {
				return false
			}
		}
	}
	return rule.Get("from").Len()+rule.Get("to").Len() > 0
}

const mostPairs = 2000 // that are looked at for one rule

// overridden looks at rules of which nothing comes to pass: all that they allow is dropped at
// the same end, or all that they deny is let through by both.
func overridden(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	for _, p := range g.policies {
		for _, d := range []network.Direction{network.Ingress, network.Egress} {
			for _, r := range p.Rules(d) {
				if r.Action == network.Pass || len(r.When) > 0 || !g.vain(p, &r) {
					continue
				}
				hit := posture.Hit{Object: p.Object, Path: r.Path, What: r.Action.String(), Evidence: kube.PathText(r.Path...) + " denies what rules before it let through"}
				if r.Action == network.Allow {
					hit.Evidence, hit.Severity, hit.Tags = kube.PathText(r.Path...)+" allows what rules before it drop", low, hygiene
				}
				h.Add(hit)
			}
		}
	}
}

// vain tells whether a rule speaks of pairs, and of none as things turn out.
func (g *ground) vain(p *network.Policy, r *network.RuleView) bool {
	pairs := 0
	for i := range p.Subject() {
		if !r.HoldsFor(i) {
			continue
		}
		for j := range r.Endpoints() {
			if i == j || g.Endpoints[j].Outside {
				continue
			}
			if pairs++; pairs > mostPairs {
				return false
			}
			passing := r.Ports.Intersect(g.Side(r.Direction, i, j))
			if r.Action == network.Allow && !passing.Empty() || r.Action == network.Deny && !passing.Equal(r.Ports) {
				return false
			}
		}
		for b := range r.Blocks() {
			if pairs++; pairs > mostPairs {
				return false
			}
			passing := r.Ports.Intersect(g.BlockPorts(r.Direction, i, b))
			if r.Action == network.Allow && !passing.Empty() || r.Action == network.Deny && !passing.Equal(r.Ports) {
				return false
			}
		}
	}
	return pairs > 0
}

func invalid(h *posture.Hits, s *kube.Set) {
	for _, p := range groundOf(s).Problems {
		if policy(p.Object) && p.Mistake {
			h.Add(posture.Hit{Object: p.Object, Path: p.Path, Evidence: kube.PathText(p.Path...) + ": " + p.Text})
		}
	}
}

// policy tells whether an object is of a kind of policies.
func policy(o *kube.Object) bool {
	for _, k := range policyKinds {
		if o.Is(k.group, k.kind) {
			return true
		}
	}
	return false
}

func namedPorts(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	for _, p := range g.policies {
		if !p.Is("networking.k8s.io", "NetworkPolicy") || p.Len() == 0 {
			continue
		}
		for i, r := range p.Root.Get("spec", "ingress").Items() {
			for j, port := range r.Get("ports").Items() {
				name := port.Get("port")
				if _, number := name.Int(); number || name.Text() == "" || g.anyNamed(p, name.Text()) {
					continue
				}
				h.Add(posture.Hit{Object: p.Object, Path: []any{"spec", "ingress", i, "ports", j, "port"}, Evidence: fmt.Sprintf("no pod that it selects has a port %q", name.Text())})
			}
		}
	}
}

func (g *ground) anyNamed(p *network.Policy, name string) bool {
	for i := range p.Subject() {
		if _, _, ok := g.Endpoints[i].Named(name); ok {
			return true
		}
	}
	return false
}

// speaks tells whether a rule has any peer.
func speaks(r *network.RuleView) bool {
	pods, blocks := r.Len()
	return pods+blocks > 0
}
