package network

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"bulwark/kube"
)

// calicoPolicy reads a NetworkPolicy or GlobalNetworkPolicy of Calico's, as people write it
// (projectcalico.org/v3) or as it is stored (crd.projectcalico.org/v1).
func (r *reader) calicoPolicy(o *kube.Object) {
	spec := o.Root.Get("spec")
	c := &calico{reader: r, o: o}
	if o.Kind == "NetworkPolicy" {
		c.space = spaceOf(o)
	}
	tier := cmp.Or(spec.Get("tier").Text(), "default")
	name := strings.TrimPrefix(strings.TrimPrefix(o.Name, tier+"."), "default.")
	if strings.HasPrefix(name, "knp.") || strings.HasPrefix(name, "kanp.") || strings.HasPrefix(name, "kbanp.") {
		return // what Calico makes of Kubernetes' policies
	}
	p := &Policy{Object: o, tie: c.space + "/" + tier + "." + name, order: math.MaxInt64}
	if slices.ContainsFunc(r.policies, func(q *Policy) bool { return q.tie == p.tie && q.Kind == o.Kind }) {
		return // a cluster lists it in both groups
	}
	var pass bool
	p.tier, pass = c.tier(tier)
	if order, err := strconv.ParseFloat(spec.Get("order").Text(), 64); err == nil {
		p.order = int64(max(-1e12, min(order, 1e12)) * (1 << 20))
	}
	for _, field := range []string{"doNotTrack", "preDNAT"} {
		if spec.Get(field).True() {
			r.note(o, []any{"spec", field}, "%s: it holds for hosts alone, which the answer leaves out", field)
			return
		}
	}
	r.unknown(o, spec, []any{"spec"}, "tier", "order", "selector", "namespaceSelector", "serviceAccountSelector", "types", "ingress", "egress", "performanceHints", "doNotTrack", "preDNAT", "applyOnForward")
	subject, ok := c.subject(spec)
	if !ok {
		return
	}
	p.subject = r.holdingFor(subject)
	for d, field := range [2]string{"ingress", "egress"} {
		if !c.holds(spec, Direction(d)) {
			if spec.Get(field).Len() > 0 {
				r.problem(o, []any{"spec", field}, "types leaves these rules out")
			}
			continue
		}
		p.isolates[d] = !pass
		for i, n := range spec.Get(field).Items() {
			c.rule(p, Direction(d), n, []any{"spec", field, i})
		}
	}
	r.policies = append(r.policies, p)
}

// calico reads one policy of Calico's.
type calico struct {
	*reader
	o     *kube.Object
	space string // "" for all of the cluster
}

// holds tells whether the policy says anything about a direction.
func (c *calico) holds(spec *kube.Node, d Direction) bool {
	types := spec.Get("types").Strings()
	if len(types) > 0 {
		return slices.Contains(types, [2]string{"Ingress", "Egress"}[d])
	}
	if d == Egress {
		return spec.Get("egress").Len() > 0
	}
	return spec.Get("ingress").Len() > 0 || spec.Get("egress").Len() == 0
}

// subject gives the endpoints that the policy is for.
func (c *calico) subject(spec *kube.Node) (group, bool) {
	x, ok := c.expression(spec.Get("selector"), "", "spec", "selector")
	spaces, ok2 := c.expression(spec.Get("namespaceSelector"), "pcns.", "spec", "namespaceSelector")
	accounts, ok3 := c.expression(spec.Get("serviceAccountSelector"), "pcsa.", "spec", "serviceAccountSelector")
	if !ok || !ok2 || !ok3 {
		return group{}, false
	}
	for _, more := range []set{spaces, accounts} {
		if more != nil {
			x.and(more)
		}
	}
	if c.space != "" {
		x.and(c.things().with(spaceLabel, func(v string) bool { return v == c.space }))
	}
	return c.endpointsOf(x), true
}

// expression reads a selector: what it selects of things. That of pods is everything when
// it is not there, others are nil then.
func (c *calico) expression(n *kube.Node, prefix string, path ...any) (set, bool) {
	if prefix != "" && n.Text() == "" {
		return nil, true
	}
	if prefix != "" && strings.TrimSpace(n.Text()) == "all()" { // of namespaces, not of what has none
		return c.things().with(spaceLabel, func(string) bool { return true }), true
	}
	x, err := expressionOf(n.Text())
	if err != nil {
		c.refuse(c.o, path, "invalid selector: %v", err)
		return nil, false
	}
	return x.match(c.things(), prefix), true
}

// endpointsOf leaves of things the endpoints with an address of their own.
func (c *calico) endpointsOf(things set) group {
	s := newSet(len(c.e.Endpoints))
	for i := range things.each {
		if i < len(c.e.Endpoints) {
			s.add(i)
		}
	}
	return c.podded(groupOf(s))
}

// rule reads one rule. What is only written down is left out.
func (c *calico) rule(p *Policy, d Direction, n *kube.Node, path []any) {
	c.unknown(c.o, n, path, "action", "protocol", "notProtocol", "source", "destination", "http", "metadata", "icmp", "notICMP", "ipVersion")
	var action Action
	switch strings.ToLower(n.Get("action").Text()) {
	case "allow":
		action = Allow
	case "deny":
		action = Deny
	case "pass", "next-tier":
		action = Pass
	case "log":
		return
	default:
		c.refuse(c.o, append(slices.Clone(path), "action"), "unknown action %q", n.Get("action").Text())
		return
	}
	protos, ok := c.protocols(n, path)
	if !ok {
		return
	}
	self, peer := "destination", "source"
	if d == Egress {
		self, peer = peer, self
	}
	one := clause{action: action, path: path}
	if n.Get(peer).Has("services") {
		c.services(p, d, one, n, append(slices.Clone(path), peer), protos)
		return
	}
	if one.who, ok = c.entity(n.Get(peer), n.Get("ipVersion").Text(), append(slices.Clone(path), peer)); !ok {
		return
	}
	if one.only, ok = c.self(n.Get(self), append(slices.Clone(path), self), &one); !ok {
		return
	}
	one.ports = c.ports(n.Get("destination"), protos, append(slices.Clone(path), "destination"), &one)
	if ports := n.Get("source"); ports.Get("ports").Len()+ports.Get("notPorts").Len() > 0 {
		one.when = append(one.when, words([]string{"from ports", strings.Join(ports.Get("ports").Strings(), ","), but(ports.Get("notPorts").Strings())}))
	}
	if http := n.Get("http"); http.Exists() {
		one.when = append(one.when, httpOf(http))
	}
	c.clause(p, d, one)
}

// but is what a list leaves out, in words.
func but(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "but " + strings.Join(list, ",")
}

// httpOf is what a rule asks of a request.
func httpOf(n *kube.Node) string {
	var paths []string
	for _, p := range n.Get("paths").Items() {
		paths = append(paths, p.Get("exact").Text()+p.Get("prefix").Text())
	}
	return words([]string{strings.Join(n.Get("methods").Strings(), "|"), strings.Join(paths, "|")})
}

// protocols are those that a rule speaks of; false when it is only of others.
func (c *calico) protocols(n *kube.Node, path []any) ([]Protocol, bool) {
	all := []Protocol{SCTP, TCP, UDP}
	one := func(n *kube.Node) (Protocol, bool) {
		text := n.Text()
		if name, ok := map[string]string{"6": "TCP", "17": "UDP", "132": "SCTP"}[text]; ok {
			text = name
		}
		return protocolOf(text)
	}
	if p := n.Get("protocol"); p.Exists() {
		proto, ok := one(p)
		return []Protocol{proto}, ok // the others have no ports: ICMP
	}
	if p := n.Get("notProtocol"); p.Exists() {
		if proto, ok := one(p); ok {
			return slices.DeleteFunc(all, func(q Protocol) bool { return q == proto }), true
		}
	}
	return all, true
}

// ports reads those of a destination. None at all are all of the protocols.
func (c *calico) ports(n *kube.Node, protos []Protocol, path []any, one *clause) portList {
	var list portList
	if n.Get("ports").Len() == 0 {
		for _, proto := range protos {
			list.spans(proto, 1, lastPort)
		}
	}
	for i, p := range n.Get("ports").Items() {
		first, last, ok := portSpan(p.Text())
		for _, proto := range protos {
			if ok {
				list.spans(proto, first, last)
			} else if validPortName(lower(p.Text())) {
				list.names = append(list.names, portName{name: p.Text(), proto: proto})
			} else {
				c.refuse(c.o, append(slices.Clone(path), "ports", i), "invalid port %q", p.Text())
			}
		}
	}
	list.settle()
	var not Ports
	for i, p := range n.Get("notPorts").Items() {
		first, last, ok := portSpan(p.Text())
		if !ok && !validPortName(lower(p.Text())) {
			c.refuse(c.o, append(slices.Clone(path), "notPorts", i), "invalid port %q", p.Text())
			continue
		}
		if !ok { // in each endpoint another
			one.when = append(one.when, "to another port than its "+p.Text())
			continue
		}
		for _, proto := range protos {
			not = not.Union(PortRange(proto, uint16(first), uint16(last)))
		}
	}
	list.numbers = list.numbers.Without(not)
	return list
}

// portSpan reads "80" or "80:90".
func portSpan(text string) (first, last int, ok bool) {
	a, b, isRange := strings.Cut(text, ":")
	first, ok = number16(a)
	last = first
	if isRange && ok {
		last, ok = number16(b)
	}
	return max(first, 1), last, ok && first <= last && last > 0
}

// Without is the ports that are not among others.
func (p Ports) Without(q Ports) Ports {
	var rest Ports
	for i := range q.of {
		next := 1
		for _, s := range q.of[i] {
			if next < int(s.first) {
				rest.of[i] = append(rest.of[i], span{uint16(next), s.first - 1})
			}
			next = int(s.last) + 1
		}
		if next <= lastPort {
			rest.of[i] = append(rest.of[i], span{uint16(next), lastPort})
		}
	}
	return p.Intersect(rest)
}
