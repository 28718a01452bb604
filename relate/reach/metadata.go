package reach

import (
	"net/netip"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/relate/internal/name"
)

// service is where clouds answer pods and nodes.
var service = netip.MustParseAddr("169.254.169.254")

const metadataPods bulwark.VertexID = "group:pods that reach the metadata service"

// metadata relates the workloads that reach the metadata service of the cloud to what it
// gives away: the identity of the nodes. Those on the network of a node that is there are the
// cloud relater's.
func (x *reach) metadata() {
	nodes := x.set.Kind("", "Node")
	clouds := clouds(nodes)
	if len(nodes) > 0 && len(clouds) == 0 {
		return // of no cloud, or of one that keeps pods from it
	}
	block := slices.IndexFunc(x.engine.Blocks(network.Egress), func(b network.Block) bool { return b.Contains(service) })
	any, leaves := false, x.engine.Leaving()
	open := map[string]bool{} // namespace -> whether a pod of it, not on its node's network, gets there
	var hosts []*network.Endpoint
	for i, e := range x.engine.Endpoints {
		switch {
		case e.Workload == nil:
		case e.Host:
			hosts = append(hosts, e)
		case block >= 0 && x.engine.BlockPorts(network.Egress, i, block).Has(network.TCP, 80):
			any, open[e.Namespace] = true, true
			x.asks(i, block, leaves[i])
		default:
			open[e.Namespace] = open[e.Namespace] || false
		}
	}
	for _, p := range x.set.Kind("networking.k8s.io", "NetworkPolicy") {
		if _, known := open[p.Namespace]; !known && len(p.Root.Get("spec", "policyTypes").Strings()) > 0 {
			open[p.Namespace] = !slices.Contains(p.Root.Get("spec", "policyTypes").Strings(), "Egress")
		}
	}
	if len(nodes) > 0 {
		hosts = nil
	}
	for _, e := range hosts {
		x.onNode(e.Workload)
		// Off its node's network it asks as the others of its namespace do.
		if gets, known := open[e.Namespace]; gets || !known {
			any = true
			x.to.Relation(x.asking(e, true))
		}
	}
	for _, c := range clouds {
		if any {
			x.to.Relation(c)
		}
	}
	if any && len(clouds) == 0 {
		x.to.Relation(bulwark.Relation{From: metadataPods, To: name.AnyNodeIdentity, Type: "CLOUD_METADATA", Likelihood: unknownCloud,
			Text: "is given the credentials of the nodes, where they are in a cloud", Remedies: []string{"nodes metadata"}})
	}
	if any {
		x.mend.Remedy("nodes metadata", "keep pods from the metadata service of the nodes: hop limit 1 and IMDSv2 required on AWS, Workload Identity on GKE, on others a policy for all namespaces without 169.254.169.254/32", nil)
	}
}

// clouds gives for each identity that nodes have the relation to it of the pods that reach
// the metadata service.
func clouds(nodes []*kube.Object) []bulwark.Relation {
	var list []bulwark.Relation
	seen := map[bulwark.VertexID]bool{}
	for _, n := range nodes {
		id, ok := name.NodeIdentity(n)
		if !ok || seen[id] || n.Labels["iam.gke.io/gke-metadata-server-enabled"] == "true" {
			continue // the latter answer pods with their own identity
		}
		seen[id] = true
		r := bulwark.Relation{From: metadataPods, To: id, Type: "CLOUD_METADATA", Likelihood: metadataOpen, Text: "is given the credentials of the nodes", Remedies: []string{"nodes metadata"}}
		if strings.HasPrefix(string(id), "cloud:aws/") {
			r.Likelihood, r.Text = hopLimit, "is given the credentials of the nodes, where the hop limit lets the answer come"
		}
		list = append(list, r)
	}
	return list
}

// onNode relates a workload on the network of its node, where nodes are not there to look at.
func (x *reach) onNode(w *kube.Workload) {
	r := bulwark.Relation{From: name.Network(w), To: name.AnyNodeIdentity, Type: "CLOUD_METADATA", Likelihood: unknownCloud, Text: "asks the metadata service from the network of the node, where it is in a cloud"}
	x.known.Because(&r, w.ID(), "workload/host-network")
	if len(r.Remedies) == 0 {
		r.Remedies = []string{x.offNode(w)}
	}
	x.to.Relation(r)
}

// asks relates a workload whose policies let it go to the metadata service.
func (x *reach) asks(endpoint, block int, leaves bool) {
	e := x.engine.Endpoints[endpoint]
	r := x.asking(e, leaves)
	x.limits.let(&r, network.Egress, endpoint, e.Namespace)
	for _, one := range x.out(x.limits, r, endpoint, block) {
		x.to.Relation(one)
	}
}

// asking is the relation of one that no policy limits. What it is given there is worth less
// where it cannot be sent out.
func (x *reach) asking(e *network.Endpoint, leaves bool) bulwark.Relation {
	r := bulwark.Relation{From: name.Network(e.Workload), To: metadataPods, Type: "CLOUD_METADATA", Text: "asks 169.254.169.254"}
	if !leaves {
		r.Likelihood, r.Text = withoutEgress, r.Text+", and cannot send out what it is given"
	}
	r.Remedies = []string{x.mend.Remedy(e.Namespace+" without metadata", "a NetworkPolicy for all pods of "+e.Namespace+" that lets nothing out to 169.254.169.254/32", nil)}
	return r
}
