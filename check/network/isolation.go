package network

import (
	"fmt"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/network"
)

var isolationRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "network/pods-unselected", Severity: low, Title: "Policies divide the network, and leave pods out",
			Tags:  []string{"cis:5.3.2", "attack:T1046", "attack:T1210", "kubelinter:non-isolated-pod"},
			Fix:   "a NetworkPolicy for all pods of the namespace: podSelector: {}, policyTypes: [Ingress], no rules; and one for each connection that is needed",
			Why:   "a pod that no policy selects takes connections from every pod of the cluster, though its neighbours do not: it is the way around them. Medium where a database or administration listens in it, else low",
			Noise: "pods that are meant for everybody, as a public front; policies of a network plugin of which no objects are seen",
			Refs:  []string{about + "#default-deny-all-ingress-traffic"}},
		Set: func(h *posture.Hits, s *kube.Set) { unselected(h, groundOf(s), network.Ingress) },
	},
	{
		Rule: misconfig.Rule{ID: "network/egress-unlimited", Severity: low, Title: "Policies limit where pods go, and leave some out that have keys",
			Tags:  []string{"cis:5.3.2", "attack:T1048", "attack:T1552.005"},
			Fix:   "a NetworkPolicy for all pods of the namespace: podSelector: {}, policyTypes: [Egress], with rules for DNS and what is needed",
			Why:   "who takes such a pod over sends its Secrets anywhere, and asks the cloud's metadata service. Low, since it takes somebody in the pod; where no pod left out holds Secrets or an identity of the cloud it is merely untidy",
			Noise: "a firewall around the cluster; pods that are meant to reach the Internet",
			Refs:  []string{about + "#default-deny-all-egress-traffic"}},
		Set: func(h *posture.Hits, s *kube.Set) { unselected(h, groundOf(s), network.Egress) },
	},
}

// unselected tells of the endpoints of each namespace that no policy holds for in a direction,
// where policies of that direction are in use.
func unselected(h *posture.Hits, g *ground, d network.Direction) {
	for _, space := range g.spaces {
		if !g.judged(space) {
			continue
		}
		var open, shut []int
		for _, i := range g.members[space] {
			if g.isolated(d, i) {
				shut = append(shut, i)
			} else {
				open = append(open, i)
			}
		}
		if len(open) == 0 || d == network.Egress && len(shut) == 0 {
			continue // for egress nobody meant to limit anything
		}
		hit := posture.Hit{Object: g.about(space), Added: defaultDeny(space, d),
			Evidence: fmt.Sprintf("%s: no policy selects %s for %s", space, g.names(open), d)}
		if d == network.Ingress {
			for _, i := range open {
				if l, port, ok := database(g.Endpoints[i].Workload); ok {
					hit.Severity = medium
					hit.More = append(hit.More, fmt.Sprintf("%s listens in %s (port %d)", l.What, g.Endpoints[i], port))
				}
			}
		} else if !keysIn(h, g, open, &hit) {
			hit.Tags = hygiene
		}
		h.Add(hit)
	}
}

// keysIn adds a line for those of the endpoints that hold keys, and tells whether any do.
func keysIn(h *posture.Hits, g *ground, list []int, hit *posture.Hit) bool {
	found := false
	for _, i := range list {
		if what := keys(h.Set, g.Endpoints[i].Workload); what != "" {
			hit.More = append(hit.More, fmt.Sprintf("%s has %s", g.Endpoints[i], what))
			found = true
		}
	}
	return found
}

// defaultDeny is the policy that drops what no other allows.
func defaultDeny(space string, d network.Direction) string {
	if d == network.Ingress {
		return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: default-deny-ingress\n  namespace: " + space + "\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n"
	}
	return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: default-deny-egress\n  namespace: " + space + "\nspec:\n  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n" +
		"  - to: # names\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: kube-system\n    ports:\n    - protocol: UDP\n      port: 53\n    - protocol: TCP\n      port: 53\n"
}
