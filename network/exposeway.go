package network

import (
	"cmp"
	"net/netip"
	"slices"

	"bulwark/kube"
)

// ofServices adds what Services of their own open: by a load balancer, a port of every node,
// or addresses that nodes answer for.
func (x *exposer) ofServices() {
	for _, o := range x.e.set.Kind("", "Service") {
		spec := o.Root.Get("spec")
		kind := spec.Get("type").Text()
		asNode := spec.Get("externalTrafficPolicy").Text() != "Local"
		switch kind {
		case "LoadBalancer":
			sources, conditions := balancerSources(o)
			x.service(o, nil, ByLoadBalancer, []any{"spec", "type"}, sources, conditions, asNode)
		case "NodePort":
			sources, conditions := x.byNode()
			x.service(o, nil, ByNodePort, []any{"spec", "type"}, sources, conditions, asNode)
		}
		if list := spec.Get("externalIPs"); list.Len() > 0 && kind != "ExternalName" {
			sources := private
			for _, text := range list.Strings() {
				if a, err := netip.ParseAddr(text); err == nil && isPublic(a) {
					sources = everywhere
				}
			}
			x.service(o, nil, ByExternalIP, []any{"spec", "externalIPs"}, sources, []string{"what is sent to the address comes to a node"}, asNode)
		}
	}
}

// balancerSources gives whence a load balancer lets clients in.
func balancerSources(o *kube.Object) (sources []Block, conditions []string) {
	sources = everywhere
	var ranges []Block
	for _, text := range o.Root.Get("spec", "loadBalancerSourceRanges").Strings() {
		if b, ok := parseBlock(text); ok {
			ranges = append(ranges, b)
		}
	}
	if ranges == nil {
		ranges = (&reader{e: &Engine{}}).allowed(o)
	}
	if ranges != nil {
		sources = together(ranges)
	}
	if internalBalancer(o) {
		sources, conditions = both(sources, private), []string{"the load balancer is for private networks"}
	}
	if ranges != nil && !o.Root.Get("spec", "allocateLoadBalancerNodePorts").False() {
		conditions = append(conditions, "its ports of nodes know nothing of the source ranges")
	} else if ranges == nil && conditions != nil && !o.Root.Get("spec", "allocateLoadBalancerNodePorts").False() {
		conditions = append(conditions, "its ports of nodes are not for private networks alone")
	}
	return sources, conditions
}

// service adds an exposure of every endpoint behind a Service.
func (x *exposer) service(o *kube.Object, port *kube.Node, by string, path []any, sources []Block, conditions []string, asNode bool) {
	for _, b := range x.services.behind(o, port) {
		x.way(Exposure{Endpoint: b.endpoint, By: by, Ports: b.ports, Conditions: conditions,
			Through: []Hop{{Object: o, Path: path, Text: "type " + typeOf(o)}}}, sources, asNode)
	}
}

func typeOf(o *kube.Object) string {
	if t := o.Root.Get("spec", "type").Text(); t != "" {
		return t
	}
	return "ClusterIP"
}

// ofPods adds what pods open themselves: ports of their node, or an address that the Internet
// knows.
func (x *exposer) ofPods() {
	sources, conditions := x.byNode()
	for i, e := range x.e.Endpoints {
		if e.Workload == nil {
			continue
		}
		x.ofNode(i, sources, conditions)
		for _, o := range e.podObjects() {
			if !e.Host && slices.ContainsFunc(podAddresses(o), isPublic) {
				x.way(Exposure{Endpoint: i, By: ByPublicAddress, Ports: e.Listens(), Through: []Hop{{Object: o, Path: []any{"status", "podIP"}, Text: "has a public address"}}}, everywhere, false)
				break
			}
		}
	}
}

// ofNode adds the ports of nodes that an endpoint's containers take.
func (x *exposer) ofNode(endpoint int, sources []Block, conditions []string) {
	w := x.e.Endpoints[endpoint].Workload
	one := Exposure{Endpoint: endpoint, By: ByHostPort, Conditions: conditions}
	var path []any
	var taken Ports
	for i := range w.Containers {
		c := &w.Containers[i]
		if c.Init && !c.Sidecar() {
			continue
		}
		for j, p := range c.Ports {
			proto, ok := protocolOf(string(p.Protocol))
			a, err := netip.ParseAddr(p.HostIP)
			if !ok || p.ContainerPort < 1 || p.ContainerPort > lastPort || p.HostPort < 0 || p.HostPort > lastPort || p.HostPort == 0 && !w.Spec.HostNetwork || err == nil && a.IsLoopback() {
				continue
			}
			if path == nil {
				path = w.ContainerPath(c, "ports", j)
			}
			port := cmp.Or(p.HostPort, p.ContainerPort)
			taken = taken.Union(PortRange(proto, uint16(port), uint16(port)))
			one.Ports = one.Ports.Union(PortRange(proto, uint16(p.ContainerPort), uint16(p.ContainerPort)))
		}
	}
	if path == nil {
		return
	}
	text := taken.String() + " of the node"
	if w.Spec.HostNetwork {
		one.By, text = ByHostNetwork, text+", past all policies of pods"
	}
	one.Through = []Hop{{Object: w.Object, Path: path, Text: text}}
	x.way(one, sources, false)
}

// ofFronts adds what Ingresses, Routes and Gateways lead to.
func (x *exposer) ofFronts() {
	x.direct = map[int][]int{}
	for i := range x.list {
		x.direct[x.list[i].Endpoint] = append(x.direct[x.list[i].Endpoint], i)
	}
	for _, b := range x.e.backends {
		f := b.front
		w := Exposure{Endpoint: b.endpoint, By: f.kind, Conditions: f.conditions, Through: slices.Clone(f.before)}
		if len(f.before) == 0 || f.before[0].Object != f.from {
			w.Through = append(w.Through, Hop{Object: f.from, Path: f.path})
		}
		if o := x.services.find(f.namespace, f.service); o != nil {
			w.Through = append(w.Through, Hop{Object: o, Path: []any{"spec", "ports"}, Text: b.ports.String()})
		}
		sources := everywhere
		if f.sources != nil {
			sources = f.sources
		}
		if f.inside {
			sources = both(sources, private)
			w.Conditions = append(slices.Clone(w.Conditions), "the controller is for private networks")
		}
		if len(f.controllers) == 0 {
			x.unseen(w, b, sources)
			continue
		}
		for _, c := range f.controllers {
			x.byController(w, c, b, sources)
		}
	}
}

// unseen adds what a controller that is not among the objects hands on.
func (x *exposer) unseen(w Exposure, b backend, sources []Block) {
	last := len(x.e.Endpoints) - 1
	open := b.ports
	if !x.e.Endpoints[b.endpoint].Host {
		open = x.e.Ports(last, b.endpoint).Intersect(b.ports)
	}
	if !open.Empty() {
		one := w
		one.Ports, one.From = open, sources
		x.askedOf(&one, last)
		x.list = append(x.list, one)
	}
	rest := b.ports.less(open)
	if rest.Empty() {
		return
	}
	proto, port := rest.first()
	_, v := x.e.Explain(last, b.endpoint, proto, port)
	if p := x.strangers(v.Isolating, b.endpoint, proto, port); p != nil {
		w.Ports, w.From = rest, sources
		w.Conditions = append(slices.Clone(w.Conditions), "the controller is whom "+p.ID()+" lets in: pods that are not among the objects")
		x.list = append(x.list, w)
		return
	}
	w.Ports, w.From, w.Closed, w.ClosedBy = Ports{}, nil, rest, v.deciding()
	x.list = append(x.list, w)
}

// strangers gives the policy of those that isolate an endpoint that lets pods in, on a port,
// of which none is among the objects; nil when none does.
func (x *exposer) strangers(policies []*Policy, endpoint int, proto Protocol, port uint16) *Policy {
	for _, p := range policies {
		for i := range p.rules[Ingress] {
			r := &p.rules[Ingress][i]
			if r.action == Allow && r.pods.empty() && r.blocks.empty() && (r.only == nil || r.only.has(endpoint)) && r.ports.Has(proto, port) {
				return p
			}
		}
	}
	return nil
}

// byController adds what a controller that is among the objects hands on, by the ways that
// lead to itself.
func (x *exposer) byController(w Exposure, controller int, b backend, sources []Block) {
	open := b.ports
	if !x.e.Endpoints[b.endpoint].Host {
		open = x.e.Ports(controller, b.endpoint).Intersect(b.ports)
	}
	hop := Hop{Object: x.e.Endpoints[controller].Workload.Object, Text: "the controller"}
	if open.Empty() {
		proto, port := b.ports.first()
		egress, ingress := x.e.Explain(controller, b.endpoint, proto, port)
		if ingress.Allowed {
			ingress = egress
		}
		w.Closed, w.ClosedBy, w.Through = b.ports, ingress.deciding(), append([]Hop{hop}, w.Through...)
		x.list = append(x.list, w)
		return
	}
	w.Ports = open
	x.askedOf(&w, controller)
	reached := false
	for _, i := range x.direct[controller] {
		if before := x.list[i]; before.Open() {
			one := w
			one.From = both(before.From, sources)
			one.Through = slices.Concat(before.Through, []Hop{hop}, w.Through)
			one.Conditions = slices.Concat(before.Conditions, w.Conditions)
			x.list, reached = append(x.list, one), true
		}
	}
	if !reached {
		w.From, w.Through = sources, append([]Hop{hop}, w.Through...)
		w.Conditions = append(slices.Clone(w.Conditions), "nothing among the objects leads to the controller from outside")
		x.list = append(x.list, w)
	}
}
