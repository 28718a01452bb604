package network

import (
	"cmp"
	"slices"
	"strings"

	"bulwark/kube"
)

const gatewayGroup = "gateway.networking.k8s.io"

// routeKinds are those of the Gateway API that lead to Services, with the protocols of the
// listeners that take them.
var routeKinds = []struct {
	kind      string
	protocols []string
}{
	{"HTTPRoute", []string{"HTTP", "HTTPS"}},
	{"GRPCRoute", []string{"HTTP", "HTTPS"}},
	{"TLSRoute", []string{"TLS"}},
	{"TCPRoute", []string{"TCP", "TLS"}},
	{"UDPRoute", []string{"UDP"}},
}

// gateways reads the Gateway API: every route that a listener of a Gateway takes, and every
// Service that it leads to.
func (x *edge) gateways() {
	grants := x.set.Kind(gatewayGroup, "ReferenceGrant")
	for _, k := range routeKinds {
		for _, o := range x.set.Kind(gatewayGroup, k.kind) {
			r := &gatewayRoute{edge: x, Object: o, protocols: k.protocols, grants: grants}
			for i, parent := range o.Root.Get("spec", "parentRefs").Items() {
				if f, ok := r.parent(parent, []any{"spec", "parentRefs", i}); ok {
					r.backends(f)
				}
			}
		}
	}
}

// gatewayRoute is a route, and what may take it.
type gatewayRoute struct {
	*edge
	*kube.Object
	protocols []string
	grants    []*kube.Object
}

// parent gives what a reference to a Gateway makes of the route; ok is false when nothing
// does.
func (r *gatewayRoute) parent(ref *kube.Node, path []any) (front, bool) {
	if kind := ref.Get("kind").Text(); kind != "" && kind != "Gateway" {
		if kind != "Service" && kind != "ServiceEntry" { // those of a mesh: from pods to pods
			r.lacks(r.Object, path, "it hangs on a %s, which is not read: the answer is without it", kind)
		}
		return front{}, false
	}
	f := front{kind: ByGateway, from: r.Object}
	space, name := cmp.Or(ref.Get("namespace").Text(), r.Namespace), ref.Get("name").Text()
	gateway := r.set.Find(space + "/Gateway.gateway.networking.k8s.io/" + name)
	if gateway == nil {
		gateway = r.set.Find(space + "/Gateway/" + name)
	}
	if gateway == nil || gateway.Group() != gatewayGroup {
		f.conditions = []string{"the Gateway " + space + "/" + name + " is not among the objects"}
		f.before = []Hop{{Object: r.Object, Path: path, Text: "Gateway " + space + "/" + name}}
		return f, true
	}
	class := gateway.Root.Get("spec", "gatewayClassName").Text()
	if strings.Contains(class, "waypoint") {
		return front{}, false
	}
	listener := r.listener(gateway, ref)
	if listener < 0 {
		r.problem(r.Object, path, "no listener of the Gateway %s/%s takes it", space, name)
		return front{}, false
	}
	n := gateway.Root.Get("spec", "listeners").Item(listener)
	f.before = []Hop{{Object: gateway, Path: []any{"spec", "listeners", listener}, Text: "listener " + n.Get("name").Text() + ", port " + n.Get("port").Text()}}
	f.inside = internalGateway(gateway, class)
	if classes := r.set.Kind(gatewayGroup, "GatewayClass"); len(classes) > 0 && !slices.ContainsFunc(classes, func(o *kube.Object) bool { return o.Name == class }) {
		f.conditions = []string{"a controller answers for the class " + class + ": no GatewayClass is called so"}
	}
	for _, i := range r.services.labelled(gateway.Namespace, "gateway.networking.k8s.io/gateway-name", gateway.Name) {
		f.controllers = append(f.controllers, int(i))
	}
	return f, true
}

// internalGateway tells whether a Gateway is for the inside alone.
func internalGateway(o *kube.Object, class string) bool {
	notes := map[string]string{}
	for k, v := range o.Root.Get("spec", "infrastructure", "annotations").Fields() {
		notes[k] = v.Text()
	}
	if internalEdge(o) || internalNotes(notes) || strings.Contains(class, "internal") || strings.HasSuffix(class, "-ilb") || strings.Contains(class, "-rilb") {
		return true
	}
	known, open := 0, 0
	for _, from := range [][]string{{"spec", "addresses"}, {"status", "addresses"}} {
		for _, a := range o.Root.Get(from...).Items() {
			b, ok := parseBlock(a.Get("value").Text())
			if !ok {
				open++ // a name
			} else if isPublic(b.First) {
				open++
			}
			known++
		}
	}
	return known > 0 && open == 0
}

// listener gives the first of a Gateway's that takes the route; -1 when none does.
func (r *gatewayRoute) listener(gateway *kube.Object, ref *kube.Node) int {
	for i, l := range gateway.Root.Get("spec", "listeners").Items() {
		if section := ref.Get("sectionName").Text(); section != "" && section != l.Get("name").Text() {
			continue
		}
		if port := ref.Get("port"); port.Exists() && port.Text() != l.Get("port").Text() {
			continue
		}
		if r.kindAllowed(l) && r.hostAllowed(l) && r.spaceAllowed(gateway, l) {
			return i
		}
	}
	return -1
}

func (r *gatewayRoute) kindAllowed(l *kube.Node) bool {
	if kinds := l.Get("allowedRoutes", "kinds"); kinds.Len() > 0 {
		for _, k := range kinds.Items() {
			if k.Get("kind").Text() == r.Kind {
				return true
			}
		}
		return false
	}
	protocol := l.Get("protocol").Text()
	return slices.Contains(r.protocols, protocol) || strings.Contains(protocol, "/") // an implementation's own
}

// hostAllowed tells whether a host of the route is one of the listener's.
func (r *gatewayRoute) hostAllowed(l *kube.Node) bool {
	want, hosts := l.Get("hostname").Text(), r.Root.Get("spec", "hostnames").Strings()
	return want == "" || len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool { return hostsMeet(h, want) })
}

// hostsMeet tells whether two names, of which either may begin with "*.", have one in common.
func hostsMeet(a, b string) bool {
	within := func(name, pattern string) bool {
		suffix, ok := strings.CutPrefix(pattern, "*")
		return pattern == "*" || name == pattern || ok && strings.HasSuffix(name, suffix) && len(strings.TrimPrefix(name, "*")) >= len(suffix)
	}
	return within(a, b) || within(b, a)
}

// spaceAllowed tells whether a listener takes routes of the route's namespace.
func (r *gatewayRoute) spaceAllowed(gateway *kube.Object, l *kube.Node) bool {
	spaces := l.Get("allowedRoutes", "namespaces")
	switch spaces.Get("from").Text() {
	case "All":
		return true
	case "Selector":
		want, err := selectorOf(spaces.Get("selector"))
		if err != nil {
			return false
		}
		labels := map[string]string{}
		if o := r.set.Find("Namespace/" + r.Namespace); o != nil {
			for k, v := range o.Labels {
				labels[k] = v
			}
		}
		labels["kubernetes.io/metadata.name"] = r.Namespace
		return !slices.ContainsFunc(want, func(q requirement) bool { return !q.matches(labels) })
	case "None":
		return false
	}
	return gateway.Namespace == r.Namespace
}

// matches tells whether labels meet the requirement.
func (q requirement) matches(labels map[string]string) bool {
	v, ok := labels[q.key]
	switch q.op {
	case "In":
		return ok && slices.Contains(q.values, v)
	case "NotIn":
		return !ok || !slices.Contains(q.values, v)
	case "Exists":
		return ok
	}
	return !ok
}

// backends adds what the rules of the route lead to, by way of f.
func (r *gatewayRoute) backends(f front) {
	one := func(ref *kube.Node, path ...any) {
		if kind, group := ref.Get("kind").Text(), ref.Get("group").Text(); kind != "" && kind != "Service" || group != "" {
			r.lacks(r.Object, path, "it leads to a %s, which is not read: the answer is without it", cmp.Or(kind, "Service of "+group))
			return
		}
		if weight, ok := ref.Get("weight").Int(); ok && weight == 0 {
			return
		}
		f.namespace, f.service, f.port, f.path = cmp.Or(ref.Get("namespace").Text(), r.Namespace), ref.Get("name").Text(), ref.Get("port"), path
		if f.namespace != r.Namespace && !r.granted(f.namespace, f.service) {
			r.problem(r.Object, path, "no ReferenceGrant of %s lets it lead to the Service %s there", f.namespace, f.service)
			return
		}
		r.add(f)
	}
	for i, rule := range r.Root.Get("spec", "rules").Items() {
		for j, ref := range rule.Get("backendRefs").Items() {
			one(ref, "spec", "rules", i, "backendRefs", j)
		}
		for j, filter := range rule.Get("filters").Items() {
			if mirror := filter.Get("requestMirror", "backendRef"); mirror.Exists() {
				one(mirror, "spec", "rules", i, "filters", j, "requestMirror", "backendRef")
			}
		}
	}
}

// granted tells whether a ReferenceGrant of a namespace lets the route lead to a Service there.
func (r *gatewayRoute) granted(namespace, service string) bool {
	for _, o := range r.grants {
		if o.Namespace != namespace {
			continue
		}
		from, to := false, false
		for _, n := range o.Root.Get("spec", "from").Items() {
			from = from || n.Get("group").Text() == gatewayGroup && n.Get("kind").Text() == r.Kind && n.Get("namespace").Text() == r.Namespace
		}
		for _, n := range o.Root.Get("spec", "to").Items() {
			name := n.Get("name").Text()
			to = to || n.Get("group").Text() == "" && n.Get("kind").Text() == "Service" && (name == "" || name == service)
		}
		if from && to {
			return true
		}
	}
	return false
}
