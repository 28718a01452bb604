package network

import (
	"fmt"
	"slices"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/network"
)

var wideRules = []*posture.Rule{
	{
		Kind: bulwark.KindExposure,
		Rule: misconfig.Rule{ID: "network/database-for-all", Severity: medium, Title: "A policy opens a database or administration to every namespace",
			Tags:  []string{"attack:T1210", "attack:T1046", "edge:ENDPOINT_EXPLOIT"},
			Fix:   "name under from who needs it: podSelector, and namespaceSelector only with labels",
			Why:   "what listens there trusts its network: one pod that is taken over anywhere in the cluster has it. Medium; high for what asks nobody for a password",
			Noise: "monitoring that listens for agents of all namespaces; databases as a service, with strong passwords and TLS",
			Refs:  []string{about + "#behavior-of-to-and-from-selectors"}},
		Set: databasesForAll,
	},
	{
		Rule: misconfig.Rule{ID: "network/allow-all", Severity: low, Title: "A policy allows everything",
			Tags:  []string{"cis:5.3.2", "attack:T1046", "attack:T1210"},
			Fix:   "name under from who may come, and under ports where to",
			Why:   "rules add up: what one allows no other policy of the namespace takes back, so that all of them are as good as none. Low; a rule of an administrator's policy that allows everything is medium, since it stands before those of all namespaces; for what goes out, and for single workloads, it is merely untidy",
			Noise: "policies that are there to say that a namespace is open",
			Refs:  []string{about + "#allow-all-ingress-traffic"}},
		Set: allowAll,
	},
}

// databasesForAll looks at the rules that open the port of a database to all pods of all
// other namespaces, though some policy isolates it.
func databasesForAll(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	for to, e := range g.Endpoints {
		l, port, ok := database(e.Workload)
		if !ok || e.Host || g.unknown || !g.isolated(network.Ingress, to) {
			continue
		}
		severity := medium
		if l.Severity >= high {
			severity = high
		}
		for _, p := range g.holding(network.Ingress)[to] {
			for _, r := range p.Rules(network.Ingress) {
				if r.Action == network.Allow && policy(p.Object) && len(r.When) == 0 && r.HoldsFor(to) && r.Ports.Has(network.TCP, uint16(port)) && g.foreign(&r, e.Namespace) {
					h.Add(posture.Hit{Object: p.Object, Path: r.Path, Severity: severity, Evidence: fmt.Sprintf("%s in %s (port %d) is open to every namespace", l.What, e, port)})
				}
			}
		}
	}
}

// foreign tells whether a rule speaks of all pods of all other namespaces: two at least, since
// one may be meant.
func (g *ground) foreign(r *network.RuleView, space string) bool {
	n, _ := r.Len()
	if n < len(g.Endpoints)-1-len(g.members[space])-g.unjudged {
		return false
	}
	if g.everything(r) {
		return !r.Ports.All() // what is told of as a policy that allows everything
	}
	of := map[int]bool{}
	for i := range r.Endpoints() {
		of[i] = true
	}
	others := 0
	for _, other := range g.spaces {
		if other == space {
			continue
		}
		if slices.ContainsFunc(g.members[other], func(i int) bool { return !of[i] }) {
			return false
		}
		others++
	}
	return others >= 2
}

// everything tells whether a rule speaks of every pod and every address, whatever they ask.
func (g *ground) everything(r *network.RuleView) bool {
	pods, blocks := r.Len()
	return len(r.When) == 0 && pods == len(g.Endpoints) && blocks == len(g.Blocks(r.Direction))
}

func allowAll(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	for _, p := range g.policies {
		for _, d := range []network.Direction{network.Ingress, network.Egress} {
			for _, r := range p.Rules(d) {
				if r.Action != network.Allow || !r.Ports.All() || !g.everything(&r) {
					continue
				}
				hit := posture.Hit{Object: p.Object, Path: r.Path, What: d.String(), Evidence: kube.PathText(r.Path...) + " allows all " + d.String()}
				switch {
				case p.Namespace == "":
					hit.Severity = medium
				case d == network.Egress, !g.whole(p):
					hit.Tags = hygiene
				}
				h.Add(hit)
			}
		}
	}
}

// whole tells whether a policy holds for all pods of its namespace.
func (g *ground) whole(p *network.Policy) bool {
	return p.Len() > 0 && p.Len() >= len(g.members[p.Namespace]) && p.Root.Get("spec", "podSelector", "matchLabels").Len() == 0
}
