package network

import (
	"math"
	"slices"

	"bulwark/kube"
)

// ciliumPolicy reads a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy of cilium.io/v2:
// what is written in spec, and in each of specs.
func (r *reader) ciliumPolicy(o *kube.Object) {
	c := &cilium{reader: r, o: o}
	if o.Kind == "CiliumNetworkPolicy" {
		c.space = spaceOf(o)
	}
	if n := o.Root.Get("spec"); n.Exists() {
		c.spec(n, []any{"spec"})
	}
	for i, n := range o.Root.Get("specs").Items() {
		c.spec(n, []any{"specs", i})
	}
	if !o.Root.Get("spec").Exists() && o.Root.Get("specs").Len() == 0 {
		r.refuse(o, nil, "neither spec nor specs")
	}
}

// cilium reads one policy of Cilium's.
type cilium struct {
	*reader
	o     *kube.Object
	space string // "" for all of the cluster
}

// ciliumFields are those of the rules of a direction.
type ciliumFields struct{ allow, deny, endpoints, requires, cidr, cidrSet, entities, groups, nodes string }

var ciliumDirections = [2]ciliumFields{
	{"ingress", "ingressDeny", "fromEndpoints", "fromRequires", "fromCIDR", "fromCIDRSet", "fromEntities", "fromGroups", "fromNodes"},
	{"egress", "egressDeny", "toEndpoints", "toRequires", "toCIDR", "toCIDRSet", "toEntities", "toGroups", "toNodes"},
}

// spec reads one rule of Cilium's. What any policy denies is denied before others allow it,
// so that the rules that deny are a policy of their own.
func (c *cilium) spec(n *kube.Node, path []any) {
	c.unknown(c.o, n, path, "endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny", "labels", "description", "log")
	if !n.Get("endpointSelector").Exists() {
		if !n.Get("nodeSelector").Exists() {
			c.refuse(c.o, path, "neither endpointSelector nor nodeSelector")
			return
		}
		c.lacks(c.o, append(slices.Clone(path), "nodeSelector"), "it is for nodes, which the answer leaves out")
		return
	}
	subject, ok := c.selector(n.Get("endpointSelector"), true, append(slices.Clone(path), "endpointSelector"))
	if !ok {
		return
	}
	subject = c.holdingFor(subject)
	allow := &Policy{Object: c.o, tier: tierNamespace, order: orderNamespace, subject: subject, at: path}
	deny := &Policy{Object: c.o, tier: tierNamespace, order: math.MinInt64, subject: subject, at: path}
	for d, f := range ciliumDirections {
		for i, rule := range n.Get(f.allow).Items() {
			c.rule(allow, Direction(d), Allow, rule, append(slices.Clone(path), f.allow, i))
		}
		for i, rule := range n.Get(f.deny).Items() {
			c.rule(deny, Direction(d), Deny, rule, append(slices.Clone(path), f.deny, i))
		}
		allow.isolates[d] = n.Get(f.allow).Len()+n.Get(f.deny).Len() > 0
		if set := n.Get("enableDefaultDeny", Direction(d).String()); set.Exists() {
			allow.isolates[d] = set.True()
		}
	}
	if len(deny.rules[Ingress])+len(deny.rules[Egress]) > 0 {
		c.policies = append(c.policies, deny)
	}
	c.policies = append(c.policies, allow)
}

// rule reads one rule of a direction: its peers, and for each of its toPorts the ports.
func (c *cilium) rule(p *Policy, d Direction, action Action, n *kube.Node, path []any) {
	f := ciliumDirections[d]
	c.unknown(c.o, n, path, f.endpoints, f.cidr, f.cidrSet, f.entities, f.nodes, "toPorts", "icmps", "authentication", "toServices", "toFQDNs", f.groups, f.requires)
	one := clause{action: action, who: c.peers(d, n, path), path: path}
	if one.who == nil {
		return
	}
	if n.Get("authentication", "mode").Text() == "required" {
		one.when = append(one.when, "with mutual authentication")
	}
	if n.Get("toPorts").Len() == 0 {
		if n.Get("icmps").Len() == 0 { // else it speaks of ICMP alone
			one.ports = portList{numbers: AllPorts()}
			c.nodesOf(p, d, one, n.Get(f.nodes), append(slices.Clone(path), f.nodes))
			c.clause(p, d, one)
		}
		return
	}
	for i, ports := range n.Get("toPorts").Items() {
		at := append(slices.Clone(path), "toPorts", i)
		each := one
		each.who = &peers{pods: one.who.pods, all: one.who.all, cidr: slices.Clone(one.who.cidr)}
		each.path, each.ports = at, c.ports(ports, at)
		each.when = append(slices.Clone(one.when), c.conditions(ports, at)...)
		c.nodesOf(p, d, each, n.Get(f.nodes), append(slices.Clone(path), f.nodes))
		c.clause(p, d, each)
	}
}

// nodesOf adds nodes that are selected by their labels to the peers of a clause.
func (c *cilium) nodesOf(p *Policy, d Direction, one clause, n *kube.Node, path []any) {
	for i, item := range n.Items() {
		if list, ok := c.reader.selector(c.o, item, append(slices.Clone(path), i)); ok {
			c.nodes(p, d, one, list, path)
		}
	}
}

// ports reads those of one of toPorts. None at all are all.
func (c *cilium) ports(n *kube.Node, path []any) portList {
	if n.Get("ports").Len() == 0 {
		return portList{numbers: AllPorts()}
	}
	var list portList
	for i, p := range n.Get("ports").Items() {
		at := append(slices.Clone(path), "ports", i)
		name := p.Get("protocol").Text()
		protos := []Protocol{SCTP, TCP, UDP}
		switch name {
		case "", "ANY", "any", "Any":
		case "ICMP", "ICMPv6", "IGMP", "VRRP":
			continue
		default:
			proto, ok := protocolOf(name)
			if !ok {
				c.refuse(c.o, append(at, "protocol"), "unknown protocol %q", name)
				continue
			}
			protos = []Protocol{proto}
		}
		c.port(&list, p, protos, at)
	}
	list.settle()
	return list
}

// port reads {port, endPort}: a number, 0 for all, or a name.
func (c *cilium) port(list *portList, n *kube.Node, protos []Protocol, path []any) {
	text := n.Get("port").Text()
	first, ok := number16(text)
	last := first
	if end, isInt := n.Get("endPort").Int(); isInt && end != 0 {
		last = int(end)
	}
	switch {
	case !ok && !validPortName(lower(text)):
		c.refuse(c.o, append(slices.Clone(path), "port"), "invalid port %q", text)
		return
	case !ok && len(protos) > 1:
		list.names = append(list.names, portName{name: text, any: true})
		return
	case !ok:
		list.names = append(list.names, portName{name: text, proto: protos[0]})
		return
	case first == 0:
		first, last = 1, lastPort
	}
	if last < first || last > lastPort {
		c.refuse(c.o, append(slices.Clone(path), "endPort"), "invalid ports %d-%d", first, last)
		return
	}
	for _, proto := range protos {
		list.spans(proto, first, last)
	}
}
