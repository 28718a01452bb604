package network

import (
	"strconv"

	"bulwark/kube"
)

// backend is an endpoint that something outside hands connections to, on some ports.
type backend struct {
	endpoint int
	ports    Ports
	from     *kube.Object // the Ingress or Route
	service  *kube.Object
}

// fronts gives the backends of all Ingresses and Routes.
func (r *reader) fronts(s *kube.Set) []backend {
	services := map[string]*kube.Object{}
	for _, o := range s.Kind("", "Service") {
		services[o.Namespace+"/"+o.Name] = o
	}
	var list []backend
	add := func(o *kube.Object, path []any, name string, port *kube.Node) {
		service := services[o.Namespace+"/"+name]
		if service == nil {
			r.problem(o, path, "its service %s/%s is not there", o.Namespace, name)
			return
		}
		list = append(list, r.behind(o, service, port)...)
	}
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		one := func(n *kube.Node, path ...any) {
			if service := n.Get("service"); service.Exists() {
				port := service.Get("port", "number")
				if !port.Exists() {
					port = service.Get("port", "name")
				}
				add(o, path, service.Get("name").Text(), port)
			}
		}
		one(o.Root.Get("spec", "defaultBackend"), "spec", "defaultBackend")
		for i, rule := range o.Root.Get("spec", "rules").Items() {
			for j, path := range rule.Get("http", "paths").Items() {
				one(path.Get("backend"), "spec", "rules", i, "http", "paths", j, "backend")
			}
		}
	}
	for _, o := range s.Kind("route.openshift.io", "Route") {
		spec := o.Root.Get("spec")
		to := []*kube.Node{spec.Get("to")}
		for _, n := range spec.Get("alternateBackends").Items() {
			to = append(to, n)
		}
		for _, n := range to {
			add(o, []any{"spec", "to"}, n.Get("name").Text(), spec.Get("port", "targetPort"))
		}
	}
	return list
}

// behind gives the endpoints of a service, on the ports that its port (by number or name, or
// the target's) leads to; of all its ports when port is not there.
func (r *reader) behind(from, service *kube.Object, port *kube.Node) []backend {
	var list []backend
	for _, i := range r.serving(service) {
		var ports Ports
		for _, p := range service.Root.Get("spec", "ports").Items() {
			target := p.Get("targetPort")
			if !target.Exists() {
				target = p.Get("port")
			}
			if name := port.Text(); port.Exists() && name != p.Get("port").Text() && name != p.Get("name").Text() && name != target.Text() {
				continue
			}
			ports = ports.Union(r.target(i, p, target))
		}
		if !ports.Empty() {
			list = append(list, backend{i, ports, from, service})
		}
	}
	return list
}

// serving gives the endpoints that a service selects.
func (r *reader) serving(service *kube.Object) []int {
	selector := service.Root.Get("spec", "selector")
	if selector.Len() == 0 {
		return nil
	}
	var pods []requirement
	for k, v := range selector.Fields() {
		pods = append(pods, requirement{k, "In", []string{v.Text()}})
	}
	var list []int
	for i := range r.choose(in(service.Namespace), pods).each {
		list = append(list, i)
	}
	return list
}

// target is the port of an endpoint that a service's port leads to.
func (r *reader) target(endpoint int, port, target *kube.Node) Ports {
	proto, ok := protocolOf(port.Get("protocol").Text())
	if !ok {
		return Ports{}
	}
	if n, err := strconv.ParseUint(target.Text(), 10, 16); err == nil {
		return PortRange(proto, uint16(n), uint16(n))
	}
	var ports Ports
	for _, p := range r.e.Endpoints[endpoint].ports {
		if p.name == target.Text() && p.proto == proto {
			ports = ports.Union(PortRange(p.proto, p.port, p.port))
		}
	}
	return ports
}
