package network

import (
	"path"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var enforceRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "network/not-enforced", Severity: high, Title: "The network plugin enforces no policies, and there are some",
			Tags:  []string{"cis:5.3.1", "attack:T1046", "attack:T1210"},
			Fix:   "a network plugin that enforces them (Cilium, Calico, Antrea, kube-router), or one for policies beside it (Canal, kube-network-policies)",
			Why:   "the API server takes every policy and nobody acts on them: each pod reaches each other, and everybody believes that it does not. High, for it undoes all policies at once",
			Noise: "a plugin for policies whose pods are not among the objects",
			Refs:  []string{"https://kubernetes.io/docs/concepts/cluster-administration/networking/", about + "#prerequisites"}},
		Set: notEnforced,
	},
}

// Images of agents, by the last part of their name: those of networks without policies, and
// those that enforce them.
var (
	carriers  = map[string]bool{"flannel": true}
	enforcers = []string{"calico", "cilium", "antrea", "kube-router", "weave-npc", "canal", "kube-network-policies", "kindnetd", "aws-network-policy-agent", "aws-eks-nodeagent", "azure-npm", "ovn-kube", "kube-ovn", "romana", "network-policy-agent", "hcloud-netpol"}
)

func notEnforced(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	if len(g.policies) == 0 {
		return
	}
	var carrier *kube.Workload
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			name := kube.ImageName(w.Containers[i].Image)
			for _, e := range enforcers {
				if strings.Contains(name, e) {
					return
				}
			}
			if carriers[path.Base(name)] && carrier == nil {
				carrier = w
			}
		}
	}
	if carrier != nil {
		h.Add(posture.Hit{Object: carrier.Object, Path: carrier.Path("containers"), Evidence: "flannel carries the network, and no program enforces the " + count(len(g.policies), "policy object")})
	}
}
