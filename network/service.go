package network

import (
	"net/netip"
	"slices"
	"strconv"

	"bulwark/kube"
)

// backend is an endpoint that something at the edge hands connections to, on some ports.
type backend struct {
	endpoint int
	ports    Ports
	front    *front
}

// services finds Services, and the endpoints behind them.
type services struct {
	e       *Engine
	byName  map[string]*kube.Object // "shop/cart"
	byLabel map[string][]int32      // namespace, key and value -> endpoints
	slices  map[string][]*kube.Object
	pods    map[string]int // "shop/cart-0", and addresses -> endpoint
	set     *kube.Set
}

func newServices(e *Engine, s *kube.Set) *services {
	x := &services{e: e, set: s, byName: map[string]*kube.Object{}}
	for _, o := range s.Kind("", "Service") {
		if name := o.Namespace + "/" + o.Name; x.byName[name] == nil {
			x.byName[name] = o
		}
	}
	return x
}

// find gives a Service by name: behind an ExternalName that is another's name in the cluster,
// the other. nil when it is not there.
func (x *services) find(namespace, name string) *kube.Object {
	for range 4 { // names may lead in a circle
		o := x.byName[namespace+"/"+name]
		if o == nil || o.Root.Get("spec", "type").Text() != "ExternalName" {
			return o
		}
		var ok bool
		if namespace, name, ok = serviceOfHost(o.Root.Get("spec", "externalName").Text(), ""); !ok {
			return nil
		}
	}
	return nil
}

// labelled gives the endpoints of a namespace with a label; of all namespaces for "".
func (x *services) labelled(namespace, key, value string) []int32 {
	if x.byLabel == nil {
		x.byLabel = map[string][]int32{}
		for i, e := range x.e.Endpoints {
			for k, v := range e.Labels {
				x.byLabel["\x00"+k+"\x00"+v] = append(x.byLabel["\x00"+k+"\x00"+v], int32(i))
				x.byLabel[e.Namespace+"\x00"+k+"\x00"+v] = append(x.byLabel[e.Namespace+"\x00"+k+"\x00"+v], int32(i))
			}
		}
	}
	return x.byLabel[namespace+"\x00"+key+"\x00"+value]
}

// selected gives the endpoints of a namespace that have all labels of a plain selector; of
// all namespaces for "". None when it is empty.
func (x *services) selected(namespace string, selector *kube.Node) []int {
	var fewest []int32
	first := true
	for k, v := range selector.Fields() {
		if list := x.labelled(namespace, k, v.Text()); first || len(list) < len(fewest) {
			fewest, first = list, false
		}
	}
	var found []int
	for _, i := range fewest {
		fits := true
		for k, v := range selector.Fields() {
			has, ok := x.e.Endpoints[i].Labels[k]
			fits = fits && ok && has == v.Text()
		}
		if fits {
			found = append(found, int(i))
		}
	}
	return found
}

// behind gives the endpoints of a service, each with the ports that its port (by number or
// name, or the target's) leads to; those of all its ports when port is not there.
func (x *services) behind(service *kube.Object, port *kube.Node) []backend {
	spec := service.Root.Get("spec")
	if spec.Get("selector").Len() == 0 {
		return x.listed(service, port)
	}
	var list []backend
	for _, i := range x.selected(service.Namespace, spec.Get("selector")) {
		var ports Ports
		for _, p := range spec.Get("ports").Items() {
			if asked(p, port) {
				ports = ports.Union(x.target(i, p))
			}
		}
		if !ports.Empty() {
			list = append(list, backend{endpoint: i, ports: ports})
		}
	}
	return list
}

// asked tells whether a service's port is the one that port means.
func asked(p, port *kube.Node) bool {
	if !port.Exists() {
		return true
	}
	name := port.Text()
	return name == p.Get("port").Text() || name == p.Get("name").Text() || name == targetPort(p).Text()
}

func targetPort(p *kube.Node) *kube.Node {
	if t := p.Get("targetPort"); t.Exists() {
		return t
	}
	return p.Get("port")
}

// target is the port of an endpoint that a service's port leads to.
func (x *services) target(endpoint int, p *kube.Node) Ports {
	proto, ok := protocolOf(p.Get("protocol").Text())
	if !ok {
		return Ports{}
	}
	target := targetPort(p).Text()
	if n, err := strconv.ParseUint(target, 10, 16); err == nil {
		return PortRange(proto, uint16(n), uint16(n))
	}
	var ports Ports
	for _, p := range x.e.Endpoints[endpoint].ports {
		if p.name == target && p.proto == proto {
			ports = ports.Union(PortRange(p.proto, p.port, p.port))
		}
	}
	return ports
}

// listed gives what stands behind a service without a selector: the pods that Endpoints and
// EndpointSlices of its name list.
func (x *services) listed(service *kube.Object, port *kube.Node) []backend {
	found := map[int]Ports{}
	take := func(endpoints *kube.Node, addresses func(*kube.Node) []string, ports *kube.Node) {
		var open Ports
		for _, p := range ports.Items() {
			proto, ok := protocolOf(p.Get("protocol").Text())
			n, _ := p.Get("port").Int()
			if ok && 0 < n && n <= lastPort && x.serves(service, p.Get("name").Text(), port) {
				open = open.Union(PortRange(proto, uint16(n), uint16(n)))
			}
		}
		for _, one := range endpoints.Items() {
			if i, ok := x.pod(service.Namespace, one.Get("targetRef"), addresses(one)); ok {
				found[i] = found[i].Union(open)
			}
		}
	}
	if o := x.set.Find(service.Namespace + "/Endpoints/" + service.Name); o != nil {
		for _, subset := range o.Root.Get("subsets").Items() {
			take(subset.Get("addresses"), func(n *kube.Node) []string { return []string{n.Get("ip").Text()} }, subset.Get("ports"))
		}
	}
	for _, o := range x.slicesOf(service) {
		take(o.Root.Get("endpoints"), func(n *kube.Node) []string { return n.Get("addresses").Strings() }, o.Root.Get("ports"))
	}
	var list []backend
	for i, ports := range found {
		if !ports.Empty() {
			list = append(list, backend{endpoint: i, ports: ports})
		}
	}
	slices.SortFunc(list, func(a, b backend) int { return a.endpoint - b.endpoint })
	return list
}

// serves tells whether a port of that name belongs to the one that was asked for.
func (x *services) serves(service *kube.Object, name string, port *kube.Node) bool {
	for _, p := range service.Root.Get("spec", "ports").Items() {
		if p.Get("name").Text() == name && asked(p, port) {
			return true
		}
	}
	return false
}

func (x *services) slicesOf(service *kube.Object) []*kube.Object {
	if x.slices == nil {
		x.slices = map[string][]*kube.Object{}
		for _, o := range x.set.Kind("discovery.k8s.io", "EndpointSlice") {
			key := o.Namespace + "/" + o.Labels["kubernetes.io/service-name"]
			x.slices[key] = append(x.slices[key], o)
		}
	}
	return x.slices[service.Namespace+"/"+service.Name]
}

// pod finds the endpoint of a pod by a reference to it, else by its addresses.
func (x *services) pod(namespace string, ref *kube.Node, addresses []string) (int, bool) {
	if x.pods == nil {
		x.pods = map[string]int{}
		for i, e := range x.e.Endpoints {
			for _, o := range e.podObjects() {
				x.pods[o.Namespace+"/"+o.Name] = i
				for _, a := range podAddresses(o) {
					x.pods[a.String()] = i
				}
			}
		}
	}
	if ref.Get("kind").Text() == "Pod" {
		i, ok := x.pods[namespace+"/"+ref.Get("name").Text()]
		return i, ok
	}
	for _, text := range addresses {
		if a, err := netip.ParseAddr(text); err == nil {
			if i, ok := x.pods[a.String()]; ok {
				return i, true
			}
		}
	}
	return 0, false
}

// podObjects are the pods of an endpoint that are among the objects.
func (e *Endpoint) podObjects() []*kube.Object {
	switch {
	case e.Workload == nil:
		return nil
	case e.Workload.Kind == "Pod":
		return append([]*kube.Object{e.Workload.Object}, e.Workload.Pods...)
	}
	return e.Workload.Pods
}

// podAddresses are those that a pod's status has.
func podAddresses(o *kube.Object) []netip.Addr {
	var list []netip.Addr
	status := o.Root.Get("status")
	texts := []string{status.Get("podIP").Text()}
	for _, n := range status.Get("podIPs").Items() {
		texts = append(texts, n.Get("ip").Text())
	}
	for _, text := range texts {
		if a, err := netip.ParseAddr(text); err == nil && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}
