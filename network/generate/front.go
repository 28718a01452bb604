package generate

import (
	"net/netip"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// fronts adds the flows from outside: of Ingresses and routes, of load balancers and ports of
// nodes.
func (p *Plan) fronts() {
	route := func(o *kube.Object, namespace, name, port string) {
		if namespace == "" {
			namespace = o.Namespace
		}
		service := p.directory.Service(namespace, name)
		if service == nil {
			return
		}
		peer, unknown := Peer{Kind: AnyPod}, " (where it runs is not known: --ingress-namespace narrows it)"
		if p.Doors != "" {
			peer, unknown = Peer{Kind: Selected, Namespace: p.Doors}, ""
		}
		for to, ports := range p.directory.Behind(service, port) {
			p.flow(Flow{network.Ingress, to, peer, ports, "the controller of " + o.Kind + " " + o.Name + " hands requests to Service " + name + unknown})
		}
	}
	for _, o := range p.Set.Kind("networking.k8s.io", "Ingress") {
		backend := func(b *kube.Node) {
			s := b.Get("service")
			route(o, "", s.Get("name").Text(), firstOf(s.Get("port", "number").Text(), s.Get("port", "name").Text()))
		}
		backend(o.Root.Get("spec", "defaultBackend"))
		for _, r := range o.Root.Get("spec", "rules").Items() {
			for _, path := range r.Get("http", "paths").Items() {
				backend(path.Get("backend"))
			}
		}
	}
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"} {
		for _, o := range p.Set.Kind("gateway.networking.k8s.io", kind) {
			for _, r := range o.Root.Get("spec", "rules").Items() {
				for _, b := range r.Get("backendRefs").Items() {
					route(o, b.Get("namespace").Text(), b.Get("name").Text(), b.Get("port").Text())
				}
			}
		}
	}
	for _, o := range p.Set.Kind("route.openshift.io", "Route") {
		route(o, "", o.Root.Get("spec", "to", "name").Text(), "")
	}
	for _, o := range p.Set.Kind("", "Service") {
		p.balanced(o)
	}
}

// balanced adds the flow of a load balancer, or of the nodes' ports.
func (p *Plan) balanced(o *kube.Object) {
	spec := o.Root.Get("spec")
	kind := spec.Get("type").Text()
	if kind != "LoadBalancer" && kind != "NodePort" {
		return
	}
	peer := Peer{Kind: Addresses, CIDRs: []string{"0.0.0.0/0", "::/0"}}
	if ranges := spec.Get("loadBalancerSourceRanges").Strings(); len(ranges) > 0 && kind == "LoadBalancer" {
		peer.CIDRs = nil
		for _, r := range ranges {
			if c, err := netip.ParsePrefix(strings.TrimSpace(r)); err == nil {
				peer.CIDRs = append(peer.CIDRs, c.Masked().String())
			}
		}
		if len(peer.CIDRs) == 0 {
			return
		}
	}
	for to, ports := range p.directory.Behind(o, "") {
		p.flow(Flow{network.Ingress, to, peer, ports, "Service " + o.Name + " is of type " + kind})
	}
}

// callers adds the flows of the API server, which calls webhooks and extensions, and of those
// who call it.
func (p *Plan) callers() {
	called := func(o *kube.Object, service *kube.Node) {
		s := p.directory.Service(service.Get("namespace").Text(), service.Get("name").Text())
		if s == nil {
			return
		}
		for to, ports := range p.directory.Behind(s, firstOf(service.Get("port").Text(), "443")) {
			p.flow(Flow{network.Ingress, to, Peer{Kind: APIServer}, ports, "the API server calls it for " + o.Kind + " " + o.Name})
		}
	}
	for _, kind := range []string{"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"} {
		for _, o := range p.Set.Kind("admissionregistration.k8s.io", kind) {
			for _, hook := range o.Root.Get("webhooks").Items() {
				called(o, hook.Get("clientConfig", "service"))
			}
		}
	}
	for _, o := range p.Set.Kind("apiextensions.k8s.io", "CustomResourceDefinition") {
		called(o, o.Root.Get("spec", "conversion", "webhook", "clientConfig", "service"))
	}
	for _, o := range p.Set.Kind("apiregistration.k8s.io", "APIService") {
		called(o, o.Root.Get("spec", "service"))
	}
	bound := p.bindings()
	for i, e := range p.Engine.Endpoints {
		if p.holds(i) {
			if by := bound[e.Workload.Namespace+"/"+e.Workload.ServiceAccount()]; by != "" {
				p.flow(Flow{network.Egress, i, Peer{Kind: APIServer}, apiPorts, "its service account may ask the API server (" + by + ")"})
			}
		}
	}
}

var apiPorts = network.PortRange(network.TCP, 443, 443).Union(network.PortRange(network.TCP, 6443, 6443))

// bindings names a binding of each service account that has one: "shop/cart".
func (p *Plan) bindings() map[string]string {
	m := map[string]string{}
	for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
		for _, o := range p.Set.Kind("rbac.authorization.k8s.io", kind) {
			for _, n := range o.Root.Get("subjects").Items() {
				if n.Get("kind").Text() == "ServiceAccount" {
					m[firstOf(n.Get("namespace").Text(), o.Namespace)+"/"+n.Get("name").Text()] = o.Kind + " " + o.Name
				}
			}
		}
	}
	return m
}
