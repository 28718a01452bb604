package network

import (
	"slices"
	"strconv"

	"bulwark/kube"
)

// networkPolicy reads a NetworkPolicy of networking.k8s.io/v1.
func (r *reader) networkPolicy(o *kube.Object) {
	spec := o.Root.Get("spec")
	subject, ok := r.selected(o, spec, o.Namespace, "spec")
	if !ok {
		return
	}
	p := &Policy{Object: o, tier: tierNamespace, order: orderNamespace, subject: r.holdingFor(subject)}
	types := spec.Get("policyTypes").Strings()
	p.isolates[Ingress] = len(types) == 0 || slices.Contains(types, "Ingress")
	p.isolates[Egress] = slices.Contains(types, "Egress") || len(types) == 0 && spec.Get("egress").Len() > 0
	for d, field := range [2][2]string{{"ingress", "from"}, {"egress", "to"}} {
		if !p.isolates[d] {
			if spec.Get(field[0]).Len() > 0 {
				r.problem(o, []any{"spec", field[0]}, "policyTypes leaves these rules out")
			}
			continue
		}
		for i, n := range spec.Get(field[0]).Items() {
			path := []any{"spec", field[0], i}
			r.add(p, Direction(d), Allow, r.from(o, n.Get(field[1]), append(path, field[1])), r.ports(o, n.Get("ports"), append(path, "ports")), path)
		}
	}
	r.policies = append(r.policies, p)
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
		at := append(slices.Clone(path), i)
		if block := peer.Get("ipBlock"); block.Exists() {
			r.ipBlock(o, block, who, append(at, "ipBlock"))
			continue
		}
		if !peer.Has("podSelector") && !peer.Has("namespaceSelector") {
			r.problem(o, at, "a peer without podSelector, namespaceSelector or ipBlock")
			continue
		}
		if s, ok := r.selected(o, peer, o.Namespace, at...); ok {
			who.pods = append(who.pods, s)
		}
	}
	return who
}

// ipBlock reads {cidr, except}.
func (r *reader) ipBlock(o *kube.Object, n *kube.Node, who *peers, path []any) {
	block, ok := r.prefix(o, n.Get("cidr"), append(slices.Clone(path), "cidr")...)
	if !ok {
		return
	}
	c := cidr{block: block}
	for i, x := range n.Get("except").Items() {
		if b, ok := r.prefix(o, x, append(slices.Clone(path), "except", i)...); ok {
			c.except = append(c.except, b)
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
		at := append(slices.Clone(path), i)
		proto, ok := protocolOf(p.Get("protocol").Text())
		if !ok {
			r.problem(o, at, "unknown protocol %q", p.Get("protocol").Text())
			continue
		}
		port := p.Get("port")
		first, err := strconv.Atoi(port.Text())
		switch {
		case !port.Exists():
			list.numbers = list.numbers.Union(PortRange(proto, 1, lastPort))
			continue
		case err != nil:
			list.names = append(list.names, portName{name: port.Text(), proto: proto})
			continue
		}
		last := first
		if end := p.Get("endPort"); end.Exists() {
			last, _ = strconv.Atoi(end.Text())
		}
		r.span(o, at, &list, proto, first, last)
	}
	return list
}

// span adds the ports from first to last.
func (r *reader) span(o *kube.Object, path []any, list *portList, proto Protocol, first, last int) {
	if first < 1 || last > lastPort || last < first {
		r.problem(o, path, "invalid ports %d-%d", first, last)
		return
	}
	list.numbers = list.numbers.Union(PortRange(proto, uint16(first), uint16(last)))
}
