package network

import (
	"slices"

	"bulwark/kube"
)

// clusterPolicy reads a ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2.
func (r *reader) clusterPolicy(o *kube.Object) {
	spec := o.Root.Get("spec")
	tier, ok := map[string]int{"Admin": tierAdmin, "Baseline": tierBaseline}[spec.Get("tier").Text()]
	if !ok {
		r.refuse(o, []any{"spec", "tier"}, "unknown tier %q", spec.Get("tier").Text())
		return
	}
	priority, ok := spec.Get("priority").Int()
	if !ok || priority < 0 || priority > 1000 {
		r.refuse(o, []any{"spec", "priority"}, "priority is not 0 to 1000")
		return
	}
	subject, ok := r.adminPods(o, spec.Get("subject"), []any{"spec", "subject"})
	if !ok {
		return
	}
	r.unknown(o, spec, []any{"spec"}, "tier", "priority", "subject", "ingress", "egress")
	p := &Policy{Object: o, tier: tier, order: priority, subject: r.podded(r.holdingFor(subject))}
	for d, field := range [2][2]string{{"ingress", "from"}, {"egress", "to"}} {
		r.atMost(o, spec.Get(field[0]), []any{"spec", field[0]})
		for i, n := range spec.Get(field[0]).Items() {
			r.clusterRule(p, Direction(d), n, field[1], []any{"spec", field[0], i})
		}
	}
	r.policies = append(r.policies, p)
}

// atMost refuses lists that are longer than their schema allows.
func (r *reader) atMost(o *kube.Object, n *kube.Node, path []any) {
	if n.Len() > maxClusterItems {
		r.refuse(o, path, "%d items, more than %d", n.Len(), maxClusterItems)
	}
}

const maxClusterItems = 25

// clusterRule reads one rule. Of a peer that it does not know it says what the API asks for:
// accept nobody, or deny everybody.
func (r *reader) clusterRule(p *Policy, d Direction, n *kube.Node, field string, path []any) {
	r.unknown(p.Object, n, path, "name", "action", "protocols", field)
	action, ok := map[string]Action{"Accept": Allow, "Deny": Deny, "Pass": Pass}[n.Get("action").Text()]
	if !ok {
		r.refuse(p.Object, append(path, "action"), "unknown action %q", n.Get("action").Text())
		return
	}
	if n.Get(field).Len() == 0 {
		r.refuse(p.Object, append(path, field), "a rule without peers")
		return
	}
	c := clause{action: action, who: &peers{}, path: path}
	r.atMost(p.Object, n.Get(field), append(slices.Clone(path), field))
	r.atMost(p.Object, n.Get("protocols"), append(slices.Clone(path), "protocols"))
	var known bool
	c.ports, known = r.clusterPorts(p.Object, n.Get("protocols"), append(slices.Clone(path), "protocols"))
	for i, peer := range n.Get(field).Items() {
		at := append(slices.Clone(path), field, i)
		if len(c.ports.names) > 0 && (peer.Has("networks") || peer.Has("nodes") || peer.Has("domainNames")) {
			r.refuse(p.Object, at, "it has no ports with names")
		}
		known = r.clusterPeer(p, d, c, peer, at) && known
	}
	switch {
	case known:
		r.clause(p, d, c)
	case action != Allow:
		r.clause(p, d, clause{action: Deny, who: (&peers{}).open(), ports: portList{numbers: AllPorts()}, path: path})
	}
}

// clusterPeer adds one peer to those of a clause; false when it is of no kind that is known.
func (r *reader) clusterPeer(p *Policy, d Direction, c clause, n *kube.Node, path []any) bool {
	switch {
	case n.Has("namespaces") || n.Has("pods"):
		if g, ok := r.adminPods(p.Object, n, path); ok {
			c.who.pods = append(c.who.pods, r.podded(g))
		}
	case d == Egress && n.Has("networks"):
		r.atMost(p.Object, n.Get("networks"), append(slices.Clone(path), "networks"))
		r.clusterNetworks(p.Object, n.Get("networks"), c.who, append(path, "networks"))
	case d == Egress && n.Has("nodes"):
		selector, ok := r.selector(p.Object, n.Get("nodes"), append(path, "nodes"))
		if ok {
			r.nodes(p, d, c, selector, append(path, "nodes"))
		}
	case d == Egress && n.Has("domainNames"):
		if c.action != Allow {
			r.refuse(p.Object, path, "domain names can only be accepted")
			return true
		}
		for _, name := range n.Get("domainNames").Strings() {
			c.who.cidr = append(c.who.cidr, cidr{name: name})
		}
	default:
		r.problem(p.Object, path, "a peer of no kind that is known")
		return false
	}
	return true
}

// clusterNetworks reads addresses. All of them are those of pods too; which others pods have
// is not known.
func (r *reader) clusterNetworks(o *kube.Object, n *kube.Node, who *peers, path []any) {
	for i, item := range n.Items() {
		prefix, ok := r.network(o, item, append(slices.Clone(path), i)...)
		if !ok {
			continue
		}
		who.cidr = append(who.cidr, cidr{block: BlockOf(prefix)})
		if prefix.Bits() == 0 && prefix.Addr().Is4() {
			who.pods = append(who.pods, r.everybody)
		}
	}
}

// nodes adds nodes to the peers of a clause: their addresses, and the endpoints on their
// network. On which of them those run is not known, and is a condition.
func (r *reader) nodes(p *Policy, d Direction, c clause, selector []requirement, path []any) {
	found := false
	var labels []map[string]string
	nodes := r.all.Kind("", "Node")
	for _, o := range nodes {
		labels = append(labels, o.Labels)
	}
	for i := range newIndex(labels).match(selector).each {
		for _, a := range nodes[i].Root.Get("status", "addresses").Items() {
			if kind := a.Get("type").Text(); kind != "InternalIP" && kind != "ExternalIP" {
				continue
			}
			if b, ok := r.prefix(nodes[i], a.Get("address"), "status", "addresses"); ok {
				c.who.cidr = append(c.who.cidr, cidr{block: b})
				found = true
			}
		}
	}
	if !found {
		r.note(p.Object, path, "the addresses of the nodes are not known: the answer is without them")
	}
	if len(selector) == 0 {
		c.who.pods = append(c.who.pods, r.hosts())
		return
	}
	c.who, c.when = &peers{pods: []group{r.hosts()}}, append(slices.Clone(c.when), "on the nodes that are selected")
	r.clause(p, d, c)
}

// clusterPorts reads protocols, and tells whether it knows all of them. None at all are all.
func (r *reader) clusterPorts(o *kube.Object, n *kube.Node, path []any) (list portList, all bool) {
	if n.Len() == 0 {
		return portList{numbers: AllPorts()}, true
	}
	all = true
	for i, one := range n.Items() {
		at := append(slices.Clone(path), i)
		known := false
		for name, v := range one.Fields() {
			if name == "destinationNamedPort" {
				list.names = append(list.names, portName{name: v.Text(), any: true})
				known = true
				continue
			}
			proto, ok := map[string]Protocol{"tcp": TCP, "udp": UDP, "sctp": SCTP}[name]
			if ok {
				r.clusterPort(o, v.Get("destinationPort"), &list, proto, append(at, name, "destinationPort"))
				known = true
			}
		}
		if !known {
			r.problem(o, at, "a protocol that is not known")
			all = false
		}
	}
	list.settle()
	return list, all
}

func (r *reader) clusterPort(o *kube.Object, n *kube.Node, list *portList, proto Protocol, path []any) {
	if !n.Exists() {
		list.spans(proto, 1, lastPort)
		return
	}
	first, ok := n.Get("number").Int()
	last, ok2 := first, ok
	at := append(slices.Clone(path), "number")
	if n.Has("range") {
		at[len(path)] = "range"
		first, ok = n.Get("range", "start").Int()
		last, ok2 = n.Get("range", "end").Int()
	}
	if !ok || !ok2 || first < 1 || last > lastPort || last < first || first == last && n.Has("range") {
		r.refuse(o, at, "invalid ports")
		return
	}
	list.spans(proto, int(first), int(last))
}
