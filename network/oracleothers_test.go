package network_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"bulwark/network"
)

// saying is what one policy says about connections of one tier, at its place in it.
type saying struct {
	tier, order float64
	says        func(c connection) string // allow, deny, pass, isolate or nothing
}

// connection is one direction of one, as its policies see it.
type connection struct {
	direction string
	p         *pod
	other     peer
	proto     string
	port      int
	sure      bool // whatever is in a request
}

// counts tells whether a rule with a condition decides: what it allows may be there, what it
// denies is not surely so.
func (c connection) counts(denies bool) bool { return c.sure == denies }

// server is the pod whose port it is; nil for something outside.
func (c connection) server() *pod {
	if c.direction == "ingress" {
		return c.p
	}
	return c.other.pod
}

func (c connection) named(name string, proto string) bool {
	return c.server() != nil && (proto == "" || proto == c.proto) && slices.ContainsFunc(c.server().ports, func(have port) bool { return have == (port{name, c.proto, c.port}) })
}

// country is a world with policies of all kinds.
type country struct {
	*world
	sayings []saying
	mesh    meshWorld
	set0    map[string]string // labels of the set of addresses; nil: there is none
	asks    bool              // some rules ask for what is in a request
}

func newOthers(seed uint64) *country {
	w := &country{world: newWorld(seed)}
	for _, p := range w.policies {
		if w.refused[nameOf(p)] {
			continue
		}
		law := lawOf(p)
		order := float64(priority(p))
		if law.kind == "NetworkPolicy" {
			order = 1000
		}
		w.sayings = append(w.sayings, saying{float64(law.tier * 10), order, func(c connection) string {
			return law.says(w.world, p, c.direction, c.p, c.other, c.proto, c.port)
		}})
	}
	for n := range w.dice.IntN(2) {
		w.cluster(n)
	}
	for n := range w.dice.IntN(3) {
		w.cilium(n)
	}
	for n := range w.dice.IntN(3) {
		w.calico(n)
	}
	w.istio()
	slices.SortStableFunc(w.sayings, func(a, b saying) int { return cmp.Or(cmp.Compare(a.tier, b.tier), cmp.Compare(a.order, b.order)) })
	return w
}

// open says whether a direction of a connection is.
func (w *country) open(c connection) bool {
	return w.network(c) && (c.direction == "egress" || w.mesh.open(w, c))
}

func (w *country) network(c connection) bool {
	for i := 0; i < len(w.sayings); {
		tier, isolated, passed := w.sayings[i].tier, false, false
		for ; i < len(w.sayings) && w.sayings[i].tier == tier; i++ {
			if passed {
				continue
			}
			switch w.sayings[i].says(c) {
			case "allow":
				return true
			case "deny":
				return false
			case "pass":
				passed = true
			case "isolate":
				isolated = true
			}
		}
		if isolated && !passed {
			return false
		}
	}
	return true
}

// TestOracleMixed holds the engine to what policies of all kinds say together, for every
// pair, address and port of random clusters.
func TestOracleMixed(t *testing.T) {
	n := uint64(10_000)
	if testing.Short() {
		n = 400
	}
	const parts = 4
	for part := range uint64(parts) {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < n; seed += parts {
				w := newOthers(seed)
				if text := w.differs(network.New(w.set(t))); text != "" {
					data, _ := json.MarshalIndent(w.objects, "", " ")
					t.Fatalf("seed %d: %s\n%s", seed, text, data)
				}
			}
		})
	}
}

// A seed makes the same cluster whenever it is asked.
func TestSeeds(t *testing.T) {
	for seed := range uint64(200) {
		a, _ := json.Marshal(newOthers(seed).objects)
		b, _ := json.Marshal(newOthers(seed).objects)
		if string(a) != string(b) {
			t.Fatalf("seed %d:\n%s\n%s", seed, a, b)
		}
	}
}

// Every kind is there in a good part of the clusters, several together in most.
func TestSeedsMix(t *testing.T) {
	many, count := 0, map[string]int{}
	for seed := range uint64(400) {
		has := map[string]bool{}
		for _, o := range newOthers(seed).objects {
			if version := o["apiVersion"].(string); strings.Contains(version, "/") && version != "apps/v1" {
				has[version+" "+o["kind"].(string)] = true
			}
		}
		for kind := range has {
			count[kind]++
		}
		if len(has) > 2 {
			many++
		}
	}
	for _, kind := range []string{"networking.k8s.io/v1 NetworkPolicy", "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy",
		"policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy", "cilium.io/v2 CiliumNetworkPolicy", "cilium.io/v2 CiliumClusterwideNetworkPolicy", "projectcalico.org/v3 NetworkPolicy",
		"projectcalico.org/v3 GlobalNetworkPolicy", "security.istio.io/v1 AuthorizationPolicy", "security.istio.io/v1 PeerAuthentication"} {
		if count[kind] < 60 {
			t.Errorf("%s in %d of 400", kind, count[kind])
		}
	}
	if many < 250 {
		t.Errorf("three kinds or more in %d of 400", many)
	}
}

// differs says of what an engine says something else than the oracle, first of all; "" when
// they agree on everything.
func (w *country) differs(e *network.Engine) string {
	numbers := map[string]int{}
	for i, p := range e.Endpoints {
		numbers[p.String()] = i
	}
	for name, is := range w.refused {
		if is && !slices.ContainsFunc(e.Problems, func(p network.Problem) bool { return p.Object.Kind+" "+p.Object.Name == name }) {
			return "nothing is said of " + name
		}
	}
	for _, proto := range protos {
		for _, number := range portNumbers {
			for _, from := range w.pods {
				for _, to := range w.pods {
					if text := w.differsOnPair(e, numbers, from, to, proto, number); text != "" {
						return text
					}
				}
				for d, direction := range directions {
					if text := w.differsOnAddresses(e, network.Direction(d), numbers[from.String()], connection{direction: direction, p: from, proto: proto, port: number}); text != "" {
						return text
					}
				}
			}
		}
	}
	return ""
}

func (w *country) differsOnPair(e *network.Engine, numbers map[string]int, from, to *pod, proto string, number int) string {
	i, j := numbers[from.String()], numbers[to.String()]
	p, port := protocol(proto), uint16(number)
	both := func(sure bool) (egress, ingress bool) {
		return w.open(connection{"egress", from, peer{pod: to}, proto, number, sure}), w.open(connection{"ingress", to, peer{pod: from}, proto, number, sure})
	}
	out, in := both(false)
	egress, ingress := e.Explain(i, j, p, port)
	if e.Ports(i, j).Has(p, port) != (out && in) || egress.Allowed != out || ingress.Allowed != in {
		return fmt.Sprintf("%v -> %v %s %d: the engine says %v, explains %v %v, the oracle egress %v, ingress %v", from, to, proto, number, e.Ports(i, j), egress.Allowed, ingress.Allowed, out, in)
	}
	if w.asks {
		out, in = both(true)
	}
	if e.Sure(i, j).Has(p, port) != (out && in) {
		return fmt.Sprintf("%v -> %v %s %d: the engine is sure of %v, the oracle of egress %v, ingress %v", from, to, proto, number, e.Sure(i, j), out, in)
	}
	return ""
}

func (w *country) differsOnAddresses(e *network.Engine, d network.Direction, i int, c connection) string {
	p, port := protocol(c.proto), uint16(c.port)
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		block := slices.IndexFunc(e.Blocks(d), func(b network.Block) bool { return b.Contains(a) })
		c.other, c.sure = peer{address: a}, false
		want := w.open(c)
		if got := e.BlockPorts(d, i, block); got.Has(p, port) != want || e.ExplainBlock(d, i, block, p, port).Allowed != want {
			return fmt.Sprintf("%s %v %v %s %d: the engine says %v, the oracle %v", c.direction, c.p, a, c.proto, c.port, got, want)
		}
		if c.sure = true; w.asks {
			want = w.open(c)
		}
		if got := e.SureBlock(d, i, block); got.Has(p, port) != want {
			return fmt.Sprintf("%s %v %v %s %d: the engine is sure of %v, the oracle says %v", c.direction, c.p, a, c.proto, c.port, got, !got.Has(p, port))
		}
	}
	return ""
}

func (w *country) add(version, kind, name, space string, spec thing) {
	meta := thing{"name": name}
	if space != "" {
		meta["namespace"] = space
	}
	w.objects = append(w.objects, thing{"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
}

// cluster adds a ClusterNetworkPolicy.
func (w *country) cluster(n int) {
	spec := w.admin([]string{"Accept", "Deny", "Pass"})["spec"].(thing)
	tier := pick(w.world, []string{"Admin", "Baseline"})
	spec["tier"], spec["priority"] = tier, 990+n // after all others
	for _, direction := range directions {
		rules, _ := spec[direction].(things)
		for _, r := range rules {
			r := r.(thing)
			if ports, ok := r["ports"].(things); ok {
				var list things
				for _, p := range ports {
					list = append(list, protocolOfPort(p.(thing)))
				}
				r["protocols"] = list
				delete(r, "ports")
			}
		}
	}
	w.add("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", fmt.Sprint("cnp", n), "", spec)
	if namesPortsOfNetworks(spec) {
		w.refused[fmt.Sprint("ClusterNetworkPolicy cnp", n)] = true
		return
	}
	w.sayings = append(w.sayings, saying{map[string]float64{"Admin": 0, "Baseline": 20}[tier], 2000 + float64(n), func(c connection) string { return w.sayCluster(spec, c) }})
}

// namesPortsOfNetworks says whether a rule has both addresses and ports with names, which no
// API server takes.
func namesPortsOfNetworks(spec thing) bool {
	rules, _ := spec["egress"].(things)
	return slices.ContainsFunc(rules, func(r any) bool {
		ports, _ := r.(thing)["protocols"].(things)
		return slices.ContainsFunc(r.(thing)["to"].(things), func(q any) bool { return q.(thing)["networks"] != nil }) &&
			slices.ContainsFunc(ports, func(q any) bool { return q.(thing)["destinationNamedPort"] != nil })
	})
}

func protocolOfPort(p thing) thing {
	if name, ok := p["namedPort"]; ok {
		return thing{"destinationNamedPort": name}
	}
	if one, ok := p["portNumber"].(thing); ok {
		return thing{strings.ToLower(one["protocol"].(string)): thing{"destinationPort": thing{"number": one["port"]}}}
	}
	r := p["portRange"].(thing)
	return thing{strings.ToLower(r["protocol"].(string)): thing{"destinationPort": thing{"range": thing{"start": r["start"], "end": r["end"]}}}}
}

func (w *country) sayCluster(spec thing, c connection) string {
	if !w.isAdminPods(spec["subject"].(thing), c.p) {
		return ""
	}
	rules, _ := spec[c.direction].(things)
	for _, r := range rules {
		r := r.(thing)
		ports, some := r["protocols"].(things)
		who := slices.ContainsFunc(r[peersField[c.direction]].(things), func(q any) bool {
			networks, _ := q.(thing)["networks"].(things)
			return w.isAdminPeer(q.(thing), c.other) || c.other.pod != nil && slices.Contains(networks, any("0.0.0.0/0"))
		})
		if who && (!some || slices.ContainsFunc(ports, func(q any) bool { return isProtocol(q.(thing), c) })) {
			return map[any]string{"Accept": "allow", "Deny": "deny", "Pass": "pass"}[r["action"]]
		}
	}
	return ""
}

func isProtocol(q thing, c connection) bool {
	if name, ok := q["destinationNamedPort"].(string); ok {
		return c.named(name, "")
	}
	one, ok := q[strings.ToLower(c.proto)].(thing)
	if !ok {
		return false
	}
	p := one["destinationPort"].(thing)
	if r, ok := p["range"].(thing); ok {
		return r["start"].(int) <= c.port && c.port <= r["end"].(int)
	}
	return p["number"] == c.port
}

// cilium adds a policy of Cilium's, of a namespace or of the whole cluster.
func (w *country) cilium(n int) {
	space, kind := w.space(), "CiliumNetworkPolicy"
	if w.chance(40) {
		space, kind = "", "CiliumClusterwideNetworkPolicy"
	}
	spec := thing{"endpointSelector": w.selector()}
	for _, direction := range directions {
		field := peersField[direction]
		for _, deny := range []string{"", "Deny"} {
			if w.chance(50) {
				spec[direction+deny] = some(w.world, 0, 2, func() any { return w.ciliumRule(field, deny != "") })
			}
		}
		if w.chance(20) {
			set, _ := spec["enableDefaultDeny"].(thing)
			if set == nil {
				set = thing{}
			}
			set[direction] = w.chance(50)
			spec["enableDefaultDeny"] = set
		}
	}
	w.add("cilium.io/v2", kind, fmt.Sprint("cilium", n), space, spec)
	w.sayings = append(w.sayings,
		saying{10, math.Inf(-1), func(c connection) string { return w.sayCilium(spec, space, "Deny", c) }},
		saying{10, 1000, func(c connection) string { return w.sayCilium(spec, space, "", c) }})
}

func (w *country) ciliumRule(field string, denies bool) thing {
	r := thing{}
	if w.chance(50) {
		r[field+"Endpoints"] = some(w.world, 0, 2, func() any { return w.ciliumSelector() })
	}
	if w.chance(30) {
		r[field+"Entities"] = some(w.world, 0, 2, func() any { return pick(w.world, []string{"world", "cluster", "all", "host", "world-ipv4", "none"}) })
	}
	if w.chance(30) {
		cidr := pick(w.world, prefixes)
		r[field+"CIDRSet"] = things{thing{"cidr": cidr, "except": some(w.world, 0, 1, func() any { return pick(w.world, append([]string{"9.9.9.9/32"}, within[cidr]...)) })}}
	}
	if w.chance(60) {
		r["toPorts"] = some(w.world, 1, 2, func() any {
			requests := thing{}
			if !denies && w.chance(20) {
				w.asks = true
				requests = thing{"http": things{thing{"method": "GET"}}}
			}
			return thing{"rules": requests, "ports": some(w.world, 1, 2, func() any {
				p := thing{"port": fmt.Sprint(pick(w.world, append([]int{0}, portNumbers...)))}
				if w.chance(30) {
					p["port"] = pick(w.world, portNames)
				} else if w.chance(30) {
					p["port"], p["endPort"] = "50", 81
				}
				if w.chance(70) {
					p["protocol"] = pick(w.world, append([]string{"ANY"}, protos...))
				}
				return p
			})}
		})
	}
	return r
}

func (w *country) ciliumSelector() thing {
	s := w.selector()
	if w.chance(40) {
		labels, _ := s["matchLabels"].(thing)
		if labels == nil {
			labels = thing{}
		}
		if w.chance(50) {
			labels["k8s:io.kubernetes.pod.namespace"] = w.space()
		} else {
			labels["io.cilium.k8s.namespace.labels.app"] = pick(w.world, labelValues)
		}
		s["matchLabels"] = labels
	}
	return s
}

// ciliumSelects says whether a selector of a policy of a namespace selects a pod.
func (w *country) ciliumSelects(s thing, space string, p *pod) bool {
	have := map[string]string{"k8s:io.kubernetes.pod.namespace": p.space}
	for k, v := range p.labels {
		have[k] = v
	}
	if v, ok := w.spaces[p.space]["app"]; ok {
		have["io.cilium.k8s.namespace.labels.app"] = v
	}
	labels, _ := s["matchLabels"].(thing)
	_, named := labels["k8s:io.kubernetes.pod.namespace"]
	_, labelled := labels["io.cilium.k8s.namespace.labels.app"]
	return matches(s, have) && (named || labelled || space == "" || space == p.space)
}

func (w *country) sayCilium(spec thing, space, deny string, c connection) string {
	if space != "" && c.p.space != space || !matches(spec["endpointSelector"], c.p.labels) {
		return ""
	}
	rules, _ := spec[c.direction+deny].(things)
	for _, r := range rules {
		if w.ciliumHolds(r.(thing), space, c) {
			return map[string]string{"": "allow", "Deny": "deny"}[deny]
		}
	}
	allows, _ := spec[c.direction].(things)
	denies, _ := spec[c.direction+"Deny"].(things)
	closed := len(allows)+len(denies) > 0
	if set, ok := spec["enableDefaultDeny"].(thing); ok && set[c.direction] != nil {
		closed = set[c.direction].(bool)
	}
	if closed && deny == "" {
		return "isolate"
	}
	return ""
}

func (w *country) ciliumHolds(r thing, space string, c connection) bool {
	field := peersField[c.direction]
	ports, limited := r["toPorts"].(things)
	endpoints, a := r[field+"Endpoints"].(things)
	entities, b := r[field+"Entities"].(things)
	sets, d := r[field+"CIDRSet"].(things)
	who := !a && !b && !d && limited
	for _, s := range endpoints {
		who = who || c.other.pod != nil && w.ciliumSelects(s.(thing), space, c.other.pod)
	}
	for _, e := range entities {
		inside := c.other.pod != nil
		who = who || e == "all" || e == "cluster" && inside || e == "world" && !inside || e == "world-ipv4" && !inside && c.other.address.Is4()
	}
	for _, s := range sets {
		s := s.(thing)
		who = who || c.other.pod == nil && inPrefix(s["cidr"], c.other.address) && !slices.ContainsFunc(s["except"].(things), func(x any) bool { return inPrefix(x, c.other.address) })
	}
	return who && (!limited || slices.ContainsFunc(ports, func(list any) bool {
		asks := len(list.(thing)["rules"].(thing)) > 0
		return (!asks || c.counts(false)) && slices.ContainsFunc(list.(thing)["ports"].(things), func(p any) bool { return ciliumPort(p.(thing), c) })
	}))
}

func ciliumPort(p thing, c connection) bool {
	proto, _ := p["protocol"].(string)
	if proto != "" && proto != "ANY" && proto != c.proto {
		return false
	}
	text := p["port"].(string)
	if slices.Contains(portNames, text) {
		return c.named(text, "")
	}
	return text == "0" || text == fmt.Sprint(c.port) || p["endPort"] == 81 && 50 <= c.port && c.port <= 81
}
