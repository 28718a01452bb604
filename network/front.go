package network

import (
	"cmp"
	"strings"

	"bulwark/kube"
)

// front is a way from a controller at the edge of the cluster (of Ingresses, of Gateways) to
// a Service.
type front struct {
	kind               string
	from               *kube.Object // the Ingress, Route, HTTPRoute, ...
	path               []any        // where it names the service
	before             []Hop        // what stands before it: the Gateway
	namespace, service string
	port               *kube.Node
	// controllers are the endpoints that hand the connections on; none: they are not among
	// the objects.
	controllers []int
	conditions  []string
	inside      bool    // the controller is reached from private networks alone
	sources     []Block // whence it lets clients in; nil: everywhere
}

// edge reads what stands at the edge.
type edge struct {
	*reader
	set      *kube.Set
	services *services
	list     []*front
}

// fronts gives the backends of all Ingresses, Routes and routes of Gateways.
func (r *reader) fronts(s *kube.Set) []backend {
	x := &edge{reader: r, set: s, services: newServices(r.e, s)}
	x.ranges()
	x.ingresses()
	x.openshift()
	x.proxies()
	x.gateways()
	x.meshGateways()
	var list []backend
	for _, f := range x.list {
		service := x.services.find(f.namespace, f.service)
		if service == nil {
			if o := x.services.byName[f.namespace+"/"+f.service]; o == nil {
				r.problem(f.from, f.path, "its service %s/%s is not there", f.namespace, f.service)
			}
			continue
		}
		for _, b := range x.services.behind(service, f.port) {
			if b.front, b.ports = f, b.ports.Intersect(f.speaks()); !b.ports.Empty() {
				list = append(list, b)
			}
		}
	}
	return list
}

// speaks is what the controller can hand on: UDP for what is named for it, else TCP.
func (f *front) speaks() Ports {
	proto := TCP
	if strings.Contains(f.from.Kind, "UDP") {
		proto = UDP
	}
	return PortRange(proto, 1, lastPort)
}

// ranges tells of source ranges that cannot be read: they are left out, and where none is left
// everybody gets in.
func (x *edge) ranges() {
	for _, o := range x.set.Kind("", "Service") {
		path := []any{"spec", "loadBalancerSourceRanges"}
		for i, text := range o.Root.At(path...).Strings() {
			if _, ok := parseBlock(text); !ok {
				x.problem(o, append(path, i), "invalid CIDR %q", text)
			}
		}
		x.allowed(o)
	}
}

func (x *edge) add(f front) { x.list = append(x.list, &f) }

// ingresses reads those of networking.k8s.io, also as they were before v1.
func (x *edge) ingresses() {
	classes, standard := x.classes()
	for _, group := range []string{"networking.k8s.io", "extensions"} {
		for _, o := range x.set.Kind(group, "Ingress") {
			class := cmp.Or(o.Root.Get("spec", "ingressClassName").Text(), o.Annotations["kubernetes.io/ingress.class"], standard)
			f := front{kind: ByIngress, from: o, namespace: o.Namespace, controllers: x.controllers(cmp.Or(classes[class], class))}
			f.inside = internalEdge(o) || internalClass(cmp.Or(classes[class], class), o)
			f.sources = x.allowed(o)
			f.conditions = append(logins(o), unanswered(o, classes, standard)...)
			x.ingress(f, o)
		}
	}
}

func (x *edge) ingress(f front, o *kube.Object) {
	one := func(n *kube.Node, path ...any) {
		service := n.Get("service")
		f.service, f.path = service.Get("name").Text(), path
		if f.port = service.Get("port", "number"); !f.port.Exists() {
			f.port = service.Get("port", "name")
		}
		if n.Has("serviceName") {
			f.service, f.port = n.Get("serviceName").Text(), n.Get("servicePort")
		}
		if f.service != "" {
			x.add(f)
		} else if n.Get("resource").Exists() {
			x.lacks(o, append(path, "resource"), "what the controller makes of a %s is not known: the answer is without it", n.Get("resource", "kind").Text())
		}
	}
	spec := o.Root.Get("spec")
	one(spec.Get("defaultBackend"), "spec", "defaultBackend")
	one(spec.Get("backend"), "spec", "backend")
	for i, rule := range spec.Get("rules").Items() {
		for j, path := range rule.Get("http", "paths").Items() {
			one(path.Get("backend"), "spec", "rules", i, "http", "paths", j, "backend")
		}
	}
}

// unanswered says when none of the IngressClasses that there are is an Ingress's: perhaps nobody
// answers for it.
func unanswered(o *kube.Object, classes map[string]string, standard string) []string {
	name, note := o.Root.Get("spec", "ingressClassName").Text(), o.Annotations["kubernetes.io/ingress.class"]
	_, known := classes[name]
	switch {
	case len(classes) == 0 || known || name == "" && (note != "" || standard != ""):
		return nil
	case name == "":
		return []string{"a controller answers for Ingresses without a class: no IngressClass is the default"}
	}
	return []string{"a controller answers for the class " + name + ": no IngressClass is called so"}
}

// classes gives the controller of each IngressClass, and the class of Ingresses that name none.
func (x *edge) classes() (controller map[string]string, standard string) {
	controller = map[string]string{}
	for _, o := range x.set.Kind("networking.k8s.io", "IngressClass") {
		controller[o.Name] = o.Root.Get("spec", "controller").Text()
		if o.Annotations["ingressclass.kubernetes.io/is-default-class"] == "true" {
			standard = o.Name
		}
	}
	return controller, standard
}

// controllerNames are app.kubernetes.io/name (or app) of pods that answer for Ingresses, by a
// word of the class or its controller.
var controllerNames = map[string][]string{
	"nginx":   {"ingress-nginx", "nginx-ingress", "nginx-ingress-controller"},
	"traefik": {"traefik"}, "haproxy": {"haproxy-ingress", "kubernetes-ingress"}, "kong": {"kong", "ingress-kong", "gateway"},
	"contour": {"envoy"}, "istio": {"istio-ingressgateway"}, "apisix": {"apisix"}, "ambassador": {"emissary-ingress", "ambassador"},
}

// controllers gives the endpoints that answer for a class, as far as they are among the
// objects; for a class that is not known those of any.
func (x *edge) controllers(class string) []int {
	var found []int
	known := false
	try := func(names []string) {
		for _, name := range names {
			for _, key := range []string{"app.kubernetes.io/name", "app"} {
				for _, i := range x.services.labelled("", key, name) {
					if c := x.e.Endpoints[i].Labels["app.kubernetes.io/component"]; c == "" || c == "controller" || c == "app" || c == "envoy" {
						found = append(found, int(i))
					}
				}
			}
		}
	}
	for word, names := range controllerNames {
		if strings.Contains(strings.ToLower(class), word) {
			known = true
			try(names)
		}
	}
	if !known && class == "" {
		for _, word := range []string{"nginx", "traefik"} {
			try(controllerNames[word])
		}
	}
	return unique(found)
}

// openshift reads Routes.
func (x *edge) openshift() {
	for _, o := range x.set.Kind("route.openshift.io", "Route") {
		spec := o.Root.Get("spec")
		f := front{kind: ByRoute, from: o, namespace: o.Namespace, port: spec.Get("port", "targetPort"), inside: internalEdge(o), sources: x.allowed(o)}
		one := func(to *kube.Node, path ...any) {
			if weight, ok := to.Get("weight").Int(); ok && weight == 0 {
				return
			}
			if kind := to.Get("kind").Text(); kind != "" && kind != "Service" {
				x.lacks(o, path, "it leads to a %s, which is not read: the answer is without it", kind)
				return
			}
			f.service, f.path = to.Get("name").Text(), path
			x.add(f)
		}
		one(spec.Get("to"), "spec", "to")
		for i, to := range spec.Get("alternateBackends").Items() {
			one(to, "spec", "alternateBackends", i)
		}
	}
}

// proxies reads the routes of Traefik and Contour, which name Services as Ingresses do.
func (x *edge) proxies() {
	for _, k := range [][3]string{{"traefik.io", "IngressRoute", "traefik"}, {"traefik.io", "IngressRouteTCP", "traefik"}, {"traefik.io", "IngressRouteUDP", "traefik"},
		{"traefik.containo.us", "IngressRoute", "traefik"}, {"projectcontour.io", "HTTPProxy", "contour"}} {
		for _, o := range x.set.Kind(k[0], k[1]) {
			f := front{kind: ByIngress, from: o, controllers: x.controllers(k[2]), inside: internalEdge(o)}
			take := func(list *kube.Node, path ...any) {
				for j, b := range list.Items() {
					if kind := b.Get("kind").Text(); (kind == "" || kind == "Service") && !strings.Contains(b.Get("name").Text(), "@") {
						f.namespace, f.service, f.port = cmp.Or(b.Get("namespace").Text(), o.Namespace), b.Get("name").Text(), b.Get("port")
						f.path = append(append([]any{}, path...), j)
						x.add(f)
					}
				}
			}
			for i, r := range o.Root.Get("spec", "routes").Items() {
				f.conditions = nil
				if r.Get("middlewares").Len() > 0 {
					f.conditions = []string{"a middleware of Traefik may ask who comes"}
				}
				take(r.Get("services"), "spec", "routes", i, "services")
			}
			take(o.Root.Get("spec", "tcpproxy", "services"), "spec", "tcpproxy", "services")
		}
	}
}
