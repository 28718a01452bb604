package network

import (
	"slices"

	"bulwark/kube"
)

// adminPolicy reads an AdminNetworkPolicy of policy.networking.k8s.io/v1alpha1.
func (r *reader) adminPolicy(o *kube.Object) {
	priority, ok := o.Root.Get("spec", "priority").Int()
	if !ok || priority < 0 || priority > 1000 {
		r.refuse(o, []any{"spec", "priority"}, "priority is not 0 to 1000")
		return
	}
	r.admin(o, tierAdmin, priority)
}

// baselinePolicy reads a BaselineAdminNetworkPolicy. There is one, named default.
func (r *reader) baselinePolicy(o *kube.Object) {
	if o.Name != "default" {
		r.refuse(o, []any{"metadata", "name"}, "the one that there is has to be called default")
		return
	}
	r.admin(o, tierBaseline, 0)
}

// admin reads both. What does not fit their schema is refused; a selector or CIDR that only
// who enforces the policy reads is left out.
func (r *reader) admin(o *kube.Object, tier int, order int64) {
	spec := o.Root.Get("spec")
	subject, ok := r.adminPods(o, spec.Get("subject"), []any{"spec", "subject"})
	if !ok {
		return
	}
	p := &Policy{Object: o, tier: tier, order: order, subject: r.holdingFor(subject)}
	for d, field := range [2][2]string{{"ingress", "from"}, {"egress", "to"}} {
		if spec.Get(field[0]).Len() > maxAdminRules {
			r.refuse(o, []any{"spec", field[0]}, "more than %d rules", maxAdminRules)
			return
		}
		for i, n := range spec.Get(field[0]).Items() {
			path := []any{"spec", field[0], i}
			action, ok := actions[n.Get("action").Text()]
			if !ok || tier == tierBaseline && action == Pass {
				r.refuse(o, append(path, "action"), "unknown action %q", n.Get("action").Text())
				continue
			}
			if n.Get(field[1]).Len() == 0 {
				r.refuse(o, append(path, field[1]), "a rule without peers")
			}
			c := clause{action: action, who: &peers{}, ports: r.adminPorts(o, n.Get("ports"), append(path, "ports")), path: path}
			r.adminPeers(p, Direction(d), c, n.Get(field[1]), append(slices.Clone(path), field[1]))
			p.cuts[d] = append(p.cuts[d], c.who.cidr...)
			r.clause(p, Direction(d), c)
		}
	}
	r.policies = append(r.policies, p)
}

// decidesPods tells whether a rule of a policy speaks of all pods and ports: what comes after it
// says nothing of pods.
func decidesPods(p *Policy, d Direction, all int) bool {
	return slices.ContainsFunc(p.rules[d], func(r rule) bool { return r.ports.All() && r.only == nil && len(r.when) == 0 && r.pods.len() == all })
}

// maxAdminRules is how many rules their schema allows.
const maxAdminRules = 100

var actions = map[string]Action{"Allow": Allow, "Accept": Allow, "Deny": Deny, "Pass": Pass}

// adminPods reads {namespaces} or {pods: {namespaceSelector, podSelector}}. ok is false when
// it is neither, or invalid.
func (r *reader) adminPods(o *kube.Object, n *kube.Node, path []any) (group, bool) {
	switch {
	case n.Has("namespaces"):
		spaces, ok := r.selector(o, n.Get("namespaces"), append(slices.Clone(path), "namespaces"))
		if !ok {
			return group{}, false
		}
		return r.choose(spaces, nil), true
	case n.Has("pods"):
		return r.selected(o, n.Get("pods"), "", append(slices.Clone(path), "pods")...)
	}
	r.refuse(o, path, "names neither namespaces nor pods")
	return group{}, false
}

// adminPeers reads whom a rule speaks of.
func (r *reader) adminPeers(p *Policy, d Direction, c clause, n *kube.Node, path []any) {
	o, who := p.Object, c.who
	for i, peer := range n.Items() {
		at := append(slices.Clone(path), i)
		switch {
		case peer.Has("networks"):
			for j, network := range peer.Get("networks").Items() {
				if b, ok := r.prefix(o, network, append(at, "networks", j)...); ok {
					who.cidr = append(who.cidr, cidr{block: b})
					if b == everyV4 && !decidesPods(p, d, r.everybody.len()) {
						r.lacks(o, append(at, "networks", j), "all addresses are those of pods too: the answer takes them for those of others")
					}
				}
			}
		case peer.Has("nodes"):
			if selector, ok := r.selector(o, peer.Get("nodes"), append(slices.Clone(at), "nodes")); ok && d == Egress {
				r.nodes(p, d, c, selector, append(slices.Clone(at), "nodes"))
			}
		case peer.Has("domainNames"):
			for _, name := range peer.Get("domainNames").Strings() {
				who.cidr = append(who.cidr, cidr{name: name})
			}
		default:
			if s, ok := r.adminPods(o, peer, at); ok {
				who.pods = append(who.pods, s)
			}
		}
	}
}

// adminPorts reads those of a rule. None at all are all.
func (r *reader) adminPorts(o *kube.Object, n *kube.Node, path []any) portList {
	if n.Len() == 0 {
		return portList{numbers: AllPorts()}
	}
	var list portList
	for i, p := range n.Items() {
		at := append(slices.Clone(path), i)
		if p.Has("namedPort") {
			list.names = append(list.names, portName{name: p.Get("namedPort").Text(), any: true})
			continue
		}
		field, one := "portNumber", p.Get("portNumber")
		first, last := one.Get("port"), one.Get("port")
		if p.Has("portRange") {
			field, one = "portRange", p.Get("portRange")
			first, last = one.Get("start"), one.Get("end")
		}
		proto, ok := protocolNamed(one.Get("protocol"))
		from, isNumber := first.Int()
		to, isNumber2 := last.Int()
		if !ok || !isNumber || !isNumber2 || from < 1 || to > lastPort || to < from || from == to && p.Has("portRange") {
			r.refuse(o, append(at, field), "invalid ports")
			continue
		}
		list.spans(proto, int(from), int(to))
	}
	return list
}
