package network

import (
	"fmt"
	"net/netip"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/network"
)

var egressRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "network/metadata-open", Severity: medium, Title: "A policy lets pods that hold keys ask the cloud's metadata service",
			Tags:  []string{"attack:T1552.005", "attack:T1528"},
			Fix:   "except: [169.254.169.254/32] beside the cidr",
			Why:   "the metadata service gives whoever asks tokens of the node's own role, and with an identity of the pod's cloud account those of that. Medium: somebody limited where the pods go, and left out the one address that is asked first",
			Noise: "nodes that keep pods from their metadata (hop limit 1, GKE's metadata server); clusters outside of clouds",
			Refs:  []string{"https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata", "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"}},
		Set: metadataOpen,
	},
	{
		Rule: misconfig.Rule{ID: "network/internet-open", Severity: low, Title: "A policy lets pods that hold keys reach all of the Internet on every port",
			Tags:  []string{"attack:T1048", "attack:T1071"},
			Fix:   "name the addresses and ports that are needed; 443 alone already stops most tools",
			Why:   "who takes the pod over fetches tools and sends out what it holds, on any port. Low, since it takes somebody in the pod",
			Noise: "pods whose purpose it is, as crawlers and proxies",
			Refs:  []string{about + "#allow-all-egress-traffic"}},
		Set: internetOpen,
	},
}

var metadata = netip.MustParseAddr("169.254.169.254")

// metadataOpen looks at the rules of limited pods that reach the metadata service. One that
// allows everything limits nothing, and is told of as that.
func metadataOpen(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	block := g.block(network.Egress, metadata)
	eachEgress(h, g, func(p *network.Policy, r *network.RuleView, i int, what string) {
		if g.everything(r) || !r.Ports.Has(network.TCP, 80) || !has(r, block) || !g.BlockPorts(network.Egress, i, block).Has(network.TCP, 80) {
			return
		}
		hit := posture.Hit{Object: p.Object, Path: r.Path, Evidence: fmt.Sprintf("%s reaches 169.254.169.254, and has %s", g.Endpoints[i], what)}
		hit.Edits = exceptMetadata(p.Object, r.Path)
		h.Add(hit)
	})
}

// exceptMetadata are the edits that take the address out of the CIDRs of a NetworkPolicy's
// rule; none where there is no CIDR.
func exceptMetadata(o *kube.Object, path []any) []kube.Edit {
	if !o.Is("networking.k8s.io", "NetworkPolicy") {
		return nil
	}
	var edits []kube.Edit
	for j, to := range o.Root.At(path...).Get("to").Items() {
		p, err := netip.ParsePrefix(to.Get("ipBlock", "cidr").Text())
		if err == nil && p.Contains(metadata) {
			at := append(append([]any{}, path...), "to", j, "ipBlock", "except")
			edits = append(edits, kube.Edit{Path: at, Value: "169.254.169.254/32", Append: true})
		}
	}
	return edits
}

func internetOpen(h *posture.Hits, s *kube.Set) {
	g := groundOf(s)
	somewhere := g.block(network.Egress, netip.MustParseAddr("1.1.1.1"))
	eachEgress(h, g, func(p *network.Policy, r *network.RuleView, i int, what string) {
		if has(r, somewhere) && g.internet(r) && r.Ports.All() && g.BlockPorts(network.Egress, i, somewhere).All() && !g.everything(r) {
			h.Add(posture.Hit{Object: p.Object, Path: r.Path, Evidence: fmt.Sprintf("%s reaches every address, and has %s", g.Endpoints[i], what)})
		}
	})
}

// internet tells whether a rule speaks of most addresses: those of several blocks far apart.
func (g *ground) internet(r *network.RuleView) bool {
	for _, a := range []string{"8.8.8.8", "93.184.216.34", "203.0.114.1"} {
		if b := g.block(network.Egress, netip.MustParseAddr(a)); b < 0 || !has(r, b) {
			return false
		}
	}
	return true
}

// eachEgress goes through the rules that allow pods with keys to go somewhere.
func eachEgress(h *posture.Hits, g *ground, look func(p *network.Policy, r *network.RuleView, endpoint int, what string)) {
	held := map[int]string{}
	for i, e := range g.Endpoints {
		if what := keys(h.Set, e.Workload); what != "" && !e.Host {
			held[i] = what
		}
	}
	if len(held) == 0 {
		return
	}
	for _, p := range g.policies {
		rules := p.Rules(network.Egress)
		for i := range p.Subject() {
			what := held[i]
			if what == "" {
				continue
			}
			for k := range rules {
				if rules[k].Action == network.Allow && rules[k].HoldsFor(i) {
					look(p, &rules[k], i, what)
				}
			}
		}
	}
}

// block is the position of the block that an address is in; -1 when there is none.
func (g *ground) block(d network.Direction, a netip.Addr) int {
	for i, b := range g.Blocks(d) {
		if b.Contains(a) {
			return i
		}
	}
	return -1
}

// has tells whether a rule speaks of a block.
func has(r *network.RuleView, block int) bool {
	for i := range r.Blocks() {
		if i >= block {
			return i == block
		}
	}
	return false
}
