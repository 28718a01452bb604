package network

import (
	"cmp"
	"slices"
	"strings"

	"bulwark/kube"
)

const istioNetworking = "networking.istio.io"

// meshGateways reads the VirtualServices that Istio's Gateways at the edge serve.
func (x *edge) meshGateways() {
	gateways := map[string]*kube.Object{}
	for _, o := range x.set.Kind(istioNetworking, "Gateway") {
		gateways[o.Namespace+"/"+o.Name] = o
	}
	for _, o := range x.set.Kind(istioNetworking, "VirtualService") {
		for i, n := range o.Root.Get("spec", "gateways").Items() {
			name := n.Text()
			if name == "mesh" || name == "" {
				continue
			}
			if !strings.Contains(name, "/") {
				name = o.Namespace + "/" + name
			}
			f := front{kind: ByGateway, from: o}
			gateway := gateways[name]
			switch {
			case gateway == nil:
				f.conditions = []string{"the Gateway " + name + " is not among the objects"}
				f.before = []Hop{{Object: o, Path: []any{"spec", "gateways", i}, Text: "Gateway " + name}}
			case strings.Contains(gateway.Root.Get("spec", "selector", "istio").Text(), "egress"):
				continue
			default:
				server := servesMesh(gateway, o)
				if server < 0 {
					x.problem(o, []any{"spec", "gateways", i}, "no server of the Gateway %s has a host of it", name)
					continue
				}
				f.before = []Hop{{Object: gateway, Path: []any{"spec", "servers", server}, Text: "port " + gateway.Root.Get("spec", "servers").Item(server).Get("port", "number").Text()}}
				f.controllers = unique(x.services.selected("", gateway.Root.Get("spec", "selector")))
				f.inside = internalEdge(gateway)
			}
			x.destinations(f, o)
		}
	}
}

// servesMesh gives the first server of a Gateway that has a host of a VirtualService; -1 when
// none has.
func servesMesh(gateway, service *kube.Object) int {
	hosts := service.Root.Get("spec", "hosts").Strings()
	for i, server := range gateway.Root.Get("spec", "servers").Items() {
		for _, want := range server.Get("hosts").Strings() {
			space, host, ok := strings.Cut(want, "/")
			switch {
			case !ok:
				host = space
			case space == "." && service.Namespace != gateway.Namespace, space != "." && space != "*" && space != service.Namespace:
				continue
			}
			if slices.ContainsFunc(hosts, func(h string) bool { return hostsMeet(h, host) }) {
				return i
			}
		}
	}
	return -1
}

// destinations adds the Services that a VirtualService leads to.
func (x *edge) destinations(f front, o *kube.Object) {
	one := func(n *kube.Node, path ...any) {
		space, name, ok := serviceOfHost(n.Get("host").Text(), o.Namespace)
		if !ok || strings.Count(n.Get("host").Text(), ".") == 1 && x.services.byName[space+"/"+name] == nil {
			return // perhaps a host outside of the cluster
		}
		f.namespace, f.service, f.port, f.path = space, name, n.Get("port", "number"), path
		x.add(f)
	}
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for i, rule := range o.Root.Get("spec", protocol).Items() {
			for j, to := range rule.Get("route").Items() {
				if weight, ok := to.Get("weight").Int(); !ok || weight > 0 {
					one(to.Get("destination"), "spec", protocol, i, "route", j, "destination")
				}
			}
			if mirror := rule.Get("mirror"); mirror.Exists() {
				one(mirror, "spec", protocol, i, "mirror")
			}
			for j, to := range rule.Get("mirrors").Items() {
				one(to.Get("destination"), "spec", protocol, i, "mirrors", j, "destination")
			}
		}
	}
}

// serviceOfHost reads the name of a Service in the cluster's DNS: "cart", "cart.shop",
// "cart.shop.svc.cluster.local". Without a namespace of one's own the name has to be a full one.
func serviceOfHost(host, namespace string) (space, name string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case parts[0] == "" || parts[0] == "*":
		return "", "", false
	case len(parts) == 1:
		return namespace, parts[0], namespace != ""
	case len(parts) == 2:
		return parts[1], parts[0], namespace != ""
	}
	return cmp.Or(parts[1], namespace), parts[0], parts[2] == "svc"
}
