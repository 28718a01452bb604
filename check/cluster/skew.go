package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// skewRules are about versions that do not go together.
func skewRules() []*posture.Rule {
	return []*posture.Rule{{
		Rule: misconfig.Rule{ID: "cluster/version-skew", Severity: medium, Title: "A node's version does not go with the API server's", Tags: []string{"component:kubernetes"},
			Fix: "upgrade the control plane first, then the nodes; keep kubelets at most three minor versions behind it",
			Why: "nobody tests such a pair: what it refuses or forgets is not known, and fixes of one side do not help the other; a node that is newer is not supported at all", Noise: "while an upgrade is going on", Refs: []string{docsSkew}},
		Set: skew,
	}}
}

// skew makes one finding of all nodes that have one version.
func skew(h *posture.Hits, s *kube.Set) {
	server, ok := minor(serverVersion(s))
	if !ok {
		return
	}
	for _, g := range nodesBy(s, "kubeletVersion") {
		m, ok := minor(g.version)
		if !ok || m <= server && server-m <= 3 {
			continue
		}
		severity := medium
		if m > server {
			severity = high
		}
		h.Add(posture.Hit{Object: g.nodes[0], Path: []any{"status", "nodeInfo", "kubeletVersion"}, What: g.version, Severity: severity,
			Evidence: fmt.Sprintf("kubelet %s on %s, and the API server is %s", g.version, g.text(), serverVersion(s))})
	}
}

// serverVersion is the API server's: as the cluster says, or by its image.
func serverVersion(s *kube.Set) string {
	if s.Cluster != nil && s.Cluster.Version != "" {
		return s.Cluster.Version
	}
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			if c := &w.Containers[i]; c.Component() == apiserver {
				return kube.ImageTag(c.Image)
			}
		}
	}
	return ""
}

// minor is the minor version of "v1.31.4-gke.1".
func minor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, "v"), "1.")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(strings.TrimRight(digits, "+"))
	return n, err == nil
}

// group is the nodes that say one thing of themselves.
type group struct {
	version string
	nodes   []*kube.Object
}

// nodesBy groups nodes by a field of nodeInfo, sorted by what it says.
func nodesBy(s *kube.Set, field string) []group {
	by := map[string]*group{}
	var list []*group
	for _, n := range s.Kind("", "Node") {
		v := n.Root.Get("status", "nodeInfo", field).Text()
		if v == "" {
			continue
		}
		if by[v] == nil {
			by[v] = &group{version: v}
			list = append(list, by[v])
		}
		by[v].nodes = append(by[v].nodes, n)
	}
	slices.SortFunc(list, func(a, b *group) int { return strings.Compare(a.version, b.version) })
	out := make([]group, len(list))
	for i, g := range list {
		out[i] = *g
	}
	return out
}

// text names the nodes, a few of many.
func (g *group) text() string {
	const most = 5
	var names []string
	for _, n := range g.nodes[:min(most, len(g.nodes))] {
		names = append(names, n.Name)
	}
	s := strings.Join(names, ", ")
	if n := len(g.nodes); n > most {
		return fmt.Sprintf("%d nodes: %s and %d more", n, s, n-most)
	}
	if len(g.nodes) == 1 {
		return "node " + s
	}
	return fmt.Sprintf("%d nodes: %s", len(g.nodes), s)
}
