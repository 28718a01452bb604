package network

import (
	"slices"

	"bulwark/kube"
)

// networkPolicy reads a NetworkPolicy of networking.k8s.io/v1. API servers validate all of
// it: what is wrong with it refuses it whole.
func (r *reader) networkPolicy(o *kube.Object) {
	r.strict = true
	spec := o.Root.Get("spec")
	types := r.policyTypes(o, spec.Get("policyTypes"))
	subject, ok := r.selected(o, spec, o.Namespace, "spec")
	if !ok {
		return
	}
	p := &Policy{Object: o, tier: tierNamespace, order: orderNamespace, tie: o.Namespace + "/knp.default." + o.Name, subject: r.holdingFor(subject)}
	p.isolates[Ingress] = len(types) == 0 || slices.Contains(types, "Ingress")
	p.isolates[Egress] = slices.Contains(types, "Egress") || len(types) == 0 && spec.Get("egress").Len() > 0
	for d, rules := range [2]string{"ingress", "egress"} {
		for i, n := range spec.Get(rules).Items() {
			path := append(r.path[:0], "spec", directionStep[d], i) // what is told of keeps a copy
			who := r.from(o, n.Get(peerField[d]), append(path, peerStep[d]))
			ports := r.ports(o, n.Get("ports"), append(path, "ports"))
			p.cuts[d] = append(p.cuts[d], who.cidr...)
			if p.isolates[d] {
				r.add(p, Direction(d), Allow, who, ports, slices.Clone(path))
			}
		}
		if !p.isolates[d] && spec.Get(rules).Len() > 0 {
			r.mistake(o, []any{"spec", rules}, "policyTypes leaves these rules out")
		}
	}
	r.policies = append(r.policies, p)
}

// peerField names the peers of a rule.
var peerField = [2]string{"from", "to"}

// The same as steps of paths.
var directionStep, peerStep = [2]any{"ingress", "egress"}, [2]any{"from", "to"}

// policyTypes reads the directions that a policy holds for.
func (r *reader) policyTypes(o *kube.Object, n *kube.Node) []string {
	for i, t := range n.Items() {
		if t.Text() != "Ingress" && t.Text() != "Egress" {
			r.problem(o, []any{"spec", "policyTypes", i}, "unknown policy type %q", t.Text())
		}
	}
	if n.Len() > 2 {
		r.problem(o, []any{"spec", "policyTypes"}, "%d policy types", n.Len())
	}
	return n.Strings()
}

// holdingFor leaves out the endpoints that no policy holds for.
func (r *reader) holdingFor(subject group) group { return subject.only(r.subjects) }

// from reads the peers of a rule. None at all are everybody.
func (r *reader) from(o *kube.Object, n *kube.Node, path []any) *peers {
	who := &peers{}
	if n.Len() == 0 {
		return who.open()
	}
	for i, peer := range n.Items() {
		at := append(path, i)
		block, pods := peer.Get("ipBlock").Exists(), peer.Get("podSelector").Exists() || peer.Get("namespaceSelector").Exists()
		switch {
		case block && pods:
			r.problem(o, at, "a peer with ipBlock and a selector")
		case block:
			r.ipBlock(o, peer.Get("ipBlock"), who, append(at, "ipBlock"))
		case !pods:
			r.problem(o, at, "a peer without podSelector, namespaceSelector or ipBlock")
		default:
			if s, ok := r.selected(o, peer, o.Namespace, at...); ok {
				who.pods = append(who.pods, s)
			}
		}
	}
	return who
}

// ipBlock reads {cidr, except}.
func (r *reader) ipBlock(o *kube.Object, n *kube.Node, who *peers, path []any) {
	whole, ok := r.network(o, n.Get("cidr"), append(path, "cidr")...)
	if !ok {
		return
	}
	c := cidr{block: BlockOf(whole)}
	for i, x := range n.Get("except").Items() {
		at := append(path, "except", i)
		p, ok := r.network(o, x, at...)
		switch {
		case !ok:
		case !whole.Overlaps(p) || p.Bits() <= whole.Bits():
			r.problem(o, at, "%s is no part of %s", p, whole)
		default:
			c.except = append(c.except, BlockOf(p))
		}
	}
	who.cidr = append(who.cidr, c)
}

// ports reads those of a rule. None at all are all.
func (r *reader) ports(o *kube.Object, n *kube.Node, path []any) portList {
	if n.Len() == 0 {
		return portList{numbers: AllPorts()}
	}
	var list portList
	for i, p := range n.Items() {
		at := append(path, i)
		proto, ok := protocolNamed(p.Get("protocol"))
		port, end := p.Get("port"), p.Get("endPort")
		first, isNumber := port.Int()
		last := first
		if end.Exists() {
			last, _ = end.Int()
		}
		switch {
		case !ok:
			r.problem(o, append(at, "protocol"), "unknown protocol %q", p.Get("protocol").Text())
		case end.Exists() && !isNumber:
			r.problem(o, append(at, "endPort"), "endPort without a number as port")
		case !port.Exists():
			list.spans(proto, 1, lastPort)
		case port.Form() == kube.String && validPortName(port.Text()):
			list.names = append(list.names, portName{name: port.Text(), proto: proto})
		case !isNumber || port.Form() == kube.String:
			r.problem(o, append(at, "port"), "invalid port %q", port.Text())
		case end.Exists() && 0 < first && first <= lastPort:
			r.span(o, append(at, "endPort"), &list, proto, int(first), int(last))
		default:
			r.span(o, append(at, "port"), &list, proto, int(first), int(last))
		}
	}
	list.settle()
	return list
}

// protocolNamed is the protocol that a node names; TCP when there is none.
func protocolNamed(n *kube.Node) (Protocol, bool) {
	if !n.Exists() {
		return TCP, true
	}
	switch n.Text() {
	case "TCP", "UDP", "SCTP":
		return protocolOf(n.Text())
	}
	return 0, false
}

// span adds the ports from first to last.
func (r *reader) span(o *kube.Object, path []any, list *portList, proto Protocol, first, last int) {
	if first < 1 || last > lastPort || last < first {
		r.problem(o, path, "invalid ports %d-%d", first, last)
		return
	}
	list.spans(proto, first, last)
}
