package generate

import (
	"net/netip"
	"slices"

	"bulwark/kube"
)

// servers are the addresses of the API server, as CIDRs; none when they are not known.
func (p *Plan) servers() []string {
	var list []string
	add := func(n *kube.Node) {
		if a, err := netip.ParseAddr(n.Text()); err == nil {
			list = append(list, netip.PrefixFrom(a, a.BitLen()).String())
		}
	}
	if o := p.Set.Find("default/Endpoints/kubernetes"); o != nil {
		for _, subset := range o.Root.Get("subsets").Items() {
			for _, a := range subset.Get("addresses").Items() {
				add(a.Get("ip"))
			}
		}
	}
	for _, o := range p.Set.Kind("discovery.k8s.io", "EndpointSlice") {
		if o.Namespace != "default" || o.Labels["kubernetes.io/service-name"] != "kubernetes" {
			continue
		}
		for _, e := range o.Root.Get("endpoints").Items() {
			for _, a := range e.Get("addresses").Items() {
				add(a)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
