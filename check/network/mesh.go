package network

import (
	"fmt"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/network"
)

var meshRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "network/plaintext-path", Severity: low, Title: "Pods outside of the mesh reach pods in it in the clear",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "mtls.mode: STRICT for the namespace, or a policy that keeps out who is not in the mesh",
			Why:   "the namespace's pods prove and encrypt whom they talk to, and take connections of other namespaces without either: rules about identities do not hold for those. Low, since it takes a pod in the cluster",
			Noise: "while pods are being brought into the mesh; monitoring that stands outside of it",
			Refs:  []string{"https://istio.io/latest/docs/reference/config/security/peer_authentication/", "https://istio.io/latest/docs/ops/best-practices/security/"}},
		Set: plaintextPaths,
	},
}

// plaintextPaths looks at namespaces of the mesh whose pods take what is not encrypted, for
// pods of namespaces outside of the mesh that policies let in. Where a PeerAuthentication says
// so itself, check/exposure tells of it.
func plaintextPaths(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	modes := map[string]string{}
	for _, o := range s.Kind("security.istio.io", "PeerAuthentication") {
		if o.Root.Get("spec", "selector").Len() == 0 {
			modes[o.Namespace] = o.Root.Get("spec", "mtls", "mode").Text()
		}
	}
	if modes["istio-system"] != "" || s.Cluster != nil {
		return // for the whole mesh; in a cluster the default is told of by check/exposure
	}
	for _, space := range g.spaces {
		ns := s.Find("Namespace/" + space)
		if ns == nil || !inMesh(ns) || modes[space] != "" {
			continue
		}
		if from, to := g.stranger(s, space); to >= 0 {
			h.Add(posture.Hit{Object: ns, Path: []any{"metadata", "labels"}, Evidence: fmt.Sprintf("%s reaches %s without TLS: no PeerAuthentication holds for the namespace, and PERMISSIVE is the default", g.Endpoints[from], g.Endpoints[to])})
		}
	}
}

// inMesh tells whether a namespace's labels put its pods into Istio's mesh.
func inMesh(ns *kube.Object) bool {
	return ns.Labels["istio-injection"] == "enabled" || ns.Labels["istio.io/rev"] != "" || ns.Labels["istio.io/dataplane-mode"] == "ambient"
}

// stranger finds a pod of a namespace outside of the mesh that reaches one of a namespace.
func (g *ground) stranger(s *kube.Set, space string) (from, to int) {
	pairs := 0
	for _, other := range g.spaces {
		if ns := s.Find("Namespace/" + other); other == space || ns == nil || inMesh(ns) {
			continue
		}
		for _, i := range g.members[other] {
			for _, j := range g.members[space] {
				if pairs++; pairs > mostPairs {
					return -1, -1
				}
				p := g.Ports(i, j)
				if !p.Intersect(network.PortRange(network.TCP, 1, 65535)).Empty() {
					return i, j
				}
			}
		}
	}
	return -1, -1
}
