package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"bulwark/kube"
)

// The ways by which what is outside a cluster reaches a pod.
const (
	ByLoadBalancer  = "load balancer"
	ByNodePort      = "node port"
	ByExternalIP    = "external address"
	ByIngress       = "Ingress"
	ByRoute         = "Route"
	ByGateway       = "Gateway"
	ByHostPort      = "host port"
	ByHostNetwork   = "host network"
	ByPublicAddress = "public address"
)

// Hop is one of the objects that lead from the outside to a pod, and what of it does.
type Hop struct {
	Object *kube.Object
	Path   []any
	Text   string
}

// String names the object: "shop/Service/cart (port 80)".
func (h Hop) String() string {
	if h.Text == "" {
		return h.Object.ID()
	}
	return h.Object.ID() + " (" + h.Text + ")"
}

// Exposure is a way from outside the cluster to an endpoint.
type Exposure struct {
	Endpoint int
	By       string // ByLoadBalancer, ...
	Ports    Ports  // of the pods, that are reached
	// From are the addresses that get in: those that the way is open to, less those that
	// policies drop.
	From []Block
	// Through are the objects that lead to the endpoint, from the outside in.
	Through []Hop
	// Conditions are what else must hold, and what the objects do not show.
	Conditions []string
	// Closed are the ports that policies close to all that come this way, and By whom.
	Closed   Ports
	ClosedBy []*Policy
}

// Open tells whether anything gets in.
func (x *Exposure) Open() bool { return !x.Ports.Empty() && len(x.From) > 0 }

// Internet tells whether what gets in may come from the Internet.
func (x *Exposure) Internet() bool { return x.Open() && hasPublic(x.From) }

// Everyone tells whether all of the Internet gets in.
func (x *Exposure) Everyone() bool {
	return x.Open() && slices.ContainsFunc(x.From, func(b Block) bool { return b == everyV4 })
}

// Sources are the addresses that get in, as people write them.
func (x *Exposure) Sources() string {
	if x.Everyone() {
		return "everywhere"
	}
	var list []string
	for i, b := range x.From {
		if i == 8 {
			list = append(list, fmt.Sprintf("and %d more", len(x.From)-i))
			break
		}
		list = append(list, b.short())
	}
	return strings.Join(list, ", ")
}

// short writes a block as a prefix where it is one.
func (b Block) short() string {
	for bits := range b.First.BitLen() + 1 {
		if p := netip.PrefixFrom(b.First, bits); BlockOf(p) == b {
			return p.String()
		}
	}
	return b.String()
}

// ByTypeAlone tells whether nothing but the type of its Service opens the way: as ClusterIP
// it would be closed.
func (x *Exposure) ByTypeAlone() bool {
	return (x.By == ByLoadBalancer || x.By == ByNodePort) && len(x.Through) == 1
}

// Exposed gives every way from outside the cluster to an endpoint that policies leave open,
// by endpoint.
func (e *Engine) Exposed() []Exposure {
	return slices.DeleteFunc(e.Exposures(), func(x Exposure) bool { return !x.Open() })
}

// Exposures gives every way that objects make, also those that policies close.
func (e *Engine) Exposures() []Exposure {
	x := &exposer{e: e, services: newServices(e, e.set), opened: map[[2]*cell][]opening{}}
	x.nodes()
	x.ofServices()
	x.ofPods()
	x.ofFronts()
	slices.SortStableFunc(x.list, func(a, b Exposure) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.By, b.By), cmp.Compare(a.through(), b.through()), cmp.Compare(a.Ports.String(), b.Ports.String()))
	})
	return slices.CompactFunc(x.list, func(a, b Exposure) bool {
		return a.Endpoint == b.Endpoint && a.By == b.By && a.through() == b.through() && a.Ports.Equal(b.Ports) && a.Closed.Equal(b.Closed) && slices.Equal(a.From, b.From)
	})
}

func (x *Exposure) through() string {
	var b strings.Builder
	for _, h := range x.Through {
		b.WriteString(h.String() + "\x00")
	}
	return b.String()
}

// exposer collects exposures.
type exposer struct {
	e        *Engine
	services *services
	list     []Exposure
	// inner are the nodes' addresses in the cluster's network, public those that the Internet
	// knows; known tells whether there are nodes to look at.
	inner  []netip.Addr
	public bool
	known  bool
	// direct are the positions in list of the exposures of each endpoint that need no
	// controller.
	direct map[int][]int
	// opened are the openings of each row, of the network and of the mesh.
	opened map[[2]*cell][]opening
}

// nodes looks at the addresses that nodes have.
func (x *exposer) nodes() {
	for _, o := range x.e.set.Kind("", "Node") {
		for _, a := range o.Root.Get("status", "addresses").Items() {
			addr, err := netip.ParseAddr(a.Get("address").Text())
			if err != nil {
				continue
			}
			x.known = true
			x.public = x.public || isPublic(addr)
			if a.Get("type").Text() == "InternalIP" {
				x.inner = append(x.inner, addr)
			}
		}
	}
}

// byNode gives whence nodes are reached, and what of that is not known.
func (x *exposer) byNode() ([]Block, []string) {
	switch {
	case x.public:
		return everywhere, nil
	case x.known:
		return private, []string{"nodes have private addresses only"}
	}
	return everywhere, []string{"nodes can be reached from outside"}
}

// way adds an exposure of an endpoint to some addresses, cut to what policies let in. asNode
// tells that connections may come with the address of a node for that of the client.
func (x *exposer) way(w Exposure, sources []Block, asNode bool) {
	if x.e.Endpoints[w.Endpoint].Host { // no policy of pods holds for it
		w.From = sources
		x.list = append(x.list, w)
		return
	}
	rest := w.Ports
	bySet := map[string]int{}
	var open []Exposure
	for _, o := range x.openings(w.Endpoint) {
		ports := o.ports.Intersect(w.Ports)
		if ports.Empty() {
			continue
		}
		from := both(o.from, sources)
		if len(from) == 0 {
			continue
		}
		k, ok := bySet[ports.String()]
		if !ok {
			k = len(open)
			bySet[ports.String()] = k
			one := w
			one.Ports, one.From = ports, nil
			open = append(open, one)
		}
		open[k].From = append(open[k].From, from...)
	}
	for i := range open {
		open[i].From = together(open[i].From)
		x.asked(&open[i])
		rest = rest.less(open[i].Ports)
	}
	if asNode && !hasPublicOf(open) {
		if ports := x.nodePorts(w.Endpoint).Intersect(w.Ports); !ports.Empty() {
			one := w
			one.Ports, one.From = ports, sources
			one.Conditions = append(slices.Clone(w.Conditions), "policies see the address of a node for that of the client (externalTrafficPolicy: Cluster), and let it in")
			open, rest = append(open, one), rest.less(ports)
		}
	}
	if !rest.Empty() {
		one := w
		one.Ports, one.From, one.Closed, one.ClosedBy = Ports{}, nil, rest, x.closers(w.Endpoint, rest, sources)
		open = append(open, one)
	}
	x.list = append(x.list, open...)
}

// asked adds to an exposure to addresses what rules ask for besides.
func (x *exposer) asked(w *Exposure) {
	e := x.e
	if e.sure[Ingress] == nil {
		return
	}
	b := slices.IndexFunc(e.blocks[Ingress], func(b Block) bool { return len(both([]Block{b}, w.From)) > 0 })
	if b < 0 || w.Ports.less(e.SureBlock(Ingress, w.Endpoint, b)).Empty() {
		return
	}
	w.depends(e.conditions(e.Policies, Ingress, w.Endpoint, e.words*64+b, w.Ports))
}

// askedOf is asked for what a controller hands on.
func (x *exposer) askedOf(w *Exposure, controller int) {
	e := x.e
	if e.sure[Ingress] == nil || e.Endpoints[w.Endpoint].Host || w.Ports.less(e.Sure(controller, w.Endpoint)).Empty() {
		return
	}
	w.depends(append(e.conditions(e.Policies, Egress, controller, w.Endpoint, w.Ports), e.conditions(e.Policies, Ingress, w.Endpoint, controller, w.Ports)...))
}

func (x *Exposure) depends(list []Condition) {
	x.Conditions = slices.Clone(x.Conditions)
	for _, c := range list {
		if text := c.String(); !slices.Contains(x.Conditions, text) {
			x.Conditions = append(x.Conditions, text)
		}
	}
}
