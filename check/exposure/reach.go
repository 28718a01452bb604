package exposure

import (
	"iter"

	"bulwark/kube"
)

// servicePort is one port of a Service.
type servicePort struct {
	number int
	target int    // in the pods; 0 when a name says so
	name   string // of the pods' port
	label  string // its own name
	index  int
}

// service is a Service with what is behind it.
type service struct {
	*kube.Object
	kind     string // ClusterIP where it says nothing
	ports    []servicePort
	selector map[string]string
	behind   []*kube.Workload
}

// reach is the index over Services and what they select.
type reach struct {
	services map[string]*service // by ID
	list     []*service
}

func reachOf(s *kube.Set) *reach { return kube.Memo(s, newReach) }

func newReach(s *kube.Set) *reach {
	r := &reach{services: map[string]*service{}}
	byLabel := map[string][]*kube.Workload{}
	for _, w := range s.Workloads() {
		for name, value := range w.Meta.Labels {
			key := w.Namespace + "\x00" + name + "\x00" + value
			byLabel[key] = append(byLabel[key], w)
		}
	}
	for _, o := range s.Kind("", "Service") {
		svc := newService(o)
		svc.behind = selected(svc, byLabel)
		if r.services[o.ID()] == nil {
			r.services[o.ID()] = svc
		}
		r.list = append(r.list, svc)
	}
	return r
}

func newService(o *kube.Object) *service {
	spec := o.Root.Get("spec")
	svc := &service{Object: o, kind: spec.Get("type").Text(), selector: map[string]string{}}
	if svc.kind == "" {
		svc.kind = "ClusterIP"
	}
	for name, v := range spec.Get("selector").Fields() {
		svc.selector[name] = v.Text()
	}
	for i, p := range spec.Get("ports").Items() {
		number, _ := p.Get("port").Int()
		port := servicePort{number: int(number), target: int(number), label: p.Get("name").Text(), index: i}
		if t := p.Get("targetPort"); t.Exists() {
			if n, ok := t.Int(); ok {
				port.target = int(n)
			} else {
				port.target, port.name = 0, t.Text()
			}
		}
		if proto := p.Get("protocol").Text(); proto == "" || proto == "TCP" {
			svc.ports = append(svc.ports, port)
		}
	}
	return svc
}

const mostBehind = 100 // workloads that are looked at behind one Service

// selected gives the workloads whose pods a Service's selector takes: those with its rarest
// label, as long as they have the others.
func selected(svc *service, byLabel map[string][]*kube.Workload) []*kube.Workload {
	if len(svc.selector) == 0 {
		return nil
	}
	var fewest []*kube.Workload
	first := true
	for name, value := range svc.selector {
		list := byLabel[svc.Namespace+"\x00"+name+"\x00"+value]
		if first || len(list) < len(fewest) {
			fewest, first = list, false
		}
	}
	var out []*kube.Workload
	for _, w := range fewest {
		fits := true
		for name, value := range svc.selector {
			fits = fits && w.Meta.Labels[name] == value
		}
		if fits {
			if out = append(out, w); len(out) == mostBehind {
				break
			}
		}
	}
	return out
}

// port finds a Service's port by its number or name; nil when there is none.
func (s *service) port(ref *kube.Node) *servicePort {
	n, isNumber := ref.Int()
	for i := range s.ports {
		if p := &s.ports[i]; isNumber && p.number == int(n) || !isNumber && p.label == ref.Text() {
			return p
		}
	}
	if len(s.ports) == 1 && !ref.Exists() {
		return &s.ports[0]
	}
	return nil
}

// route is one way from outside to a Service.
type route struct {
	from    *kube.Object
	path    []any // of the reference
	service string
	port    *kube.Node
	ns      string // of the Service
}

// routes gives the ways that objects of HTTP routing open.
func routes(s *kube.Set) []route {
	var list []route
	for _, o := range s.Kind("networking.k8s.io", "Ingress") {
		list = append(list, ingressRoutes(o)...)
	}
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"} {
		for _, o := range s.Kind("gateway.networking.k8s.io", kind) {
			list = append(list, gatewayRoutes(o)...)
		}
	}
	for _, o := range s.Kind("route.openshift.io", "Route") {
		list = append(list, route{o, []any{"spec", "to", "name"}, o.Root.Get("spec", "to", "name").Text(), nil, o.Namespace})
	}
	for _, group := range []string{"traefik.io", "traefik.containo.us"} {
		for _, o := range s.Kind(group, "IngressRoute") {
			for i, r := range o.Root.Get("spec", "routes").Items() {
				for j, b := range r.Get("services").Items() {
					list = append(list, route{o, []any{"spec", "routes", i, "services", j}, b.Get("name").Text(), b.Get("port"), orElse(b.Get("namespace").Text(), o.Namespace)})
				}
			}
		}
	}
	for _, o := range s.Kind("projectcontour.io", "HTTPProxy") {
		for i, r := range o.Root.Get("spec", "routes").Items() {
			for j, b := range r.Get("services").Items() {
				list = append(list, route{o, []any{"spec", "routes", i, "services", j}, b.Get("name").Text(), b.Get("port"), o.Namespace})
			}
		}
	}
	return list
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func ingressRoutes(o *kube.Object) []route {
	var list []route
	add := func(b *kube.Node, path []any) {
		name, port := b.Get("service", "name").Text(), b.Get("service", "port", "number")
		if !port.Exists() {
			port = b.Get("service", "port", "name")
		}
		if b.Get("serviceName").Exists() { // before v1
			name, port = b.Get("serviceName").Text(), b.Get("servicePort")
		}
		if name != "" {
			list = append(list, route{o, path, name, port, o.Namespace})
		}
	}
	add(o.Root.Get("spec", "defaultBackend"), []any{"spec", "defaultBackend"})
	for i, r := range o.Root.Get("spec", "rules").Items() {
		for j, p := range r.Get("http", "paths").Items() {
			add(p.Get("backend"), []any{"spec", "rules", i, "http", "paths", j, "backend"})
		}
	}
	return list
}

func gatewayRoutes(o *kube.Object) []route {
	var list []route
	for i, r := range o.Root.Get("spec", "rules").Items() {
		for j, b := range r.Get("backendRefs").Items() {
			if kind := b.Get("kind").Text(); kind == "" || kind == "Service" {
				list = append(list, route{o, []any{"spec", "rules", i, "backendRefs", j}, b.Get("name").Text(), b.Get("port"), orElse(b.Get("namespace").Text(), o.Namespace)})
			}
		}
	}
	return list
}

// annotations gives those of an object in the order in which they were written.
func annotations(o *kube.Object) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for name, n := range o.Root.Get("metadata", "annotations").Fields() {
			if !yield(name, n.Text()) {
				return
			}
		}
	}
}
