package network_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/network"
)

// This oracle says what the documentation of the policies says, connection by connection:
// one pod, one policy, one port at a time, from the objects as they were written. It shares
// nothing with the engine but the objects.

// thing is an object, or a part of one.
type thing = map[string]any

type things = []any

// world is a small cluster.
type world struct {
	dice     *rand.Rand
	objects  []thing
	spaces   map[string]map[string]string // labels of namespaces
	pods     []*pod
	policies []thing
	refused  map[string]bool // policies that an API server does not take
}

// pod is one pod, or those that one template makes.
type pod struct {
	space, name, kind string
	labels            map[string]string
	ports             []port
}

type port struct {
	name, proto string
	number      int
}

func (p *pod) String() string { return p.space + "/" + p.name + "[" + p.kind + "]" }

// peer is the other end of a connection: a pod or an address.
type peer struct {
	pod     *pod
	address netip.Addr
}

// law is a kind of policy: how a random one is written, and what one says about a connection:
// allow, deny, pass (to the next tier), isolate (it holds for the pod and direction, but no
// rule for the connection), or nothing.
type law struct {
	kind string
	tier int
	make func(w *world, n int) thing
	says func(w *world, policy thing, direction string, p *pod, other peer, proto string, port int) string
	// hurt are changes after which an API server does not take the policy.
	hurt []func(policy thing)
}

// laws are all kinds.
var laws = []law{
	{"AdminNetworkPolicy", 0, makeAdmin, sayAdmin, hurtAdmin},
	{"NetworkPolicy", 1, makeNetworkPolicy, sayNetworkPolicy, hurtNetworkPolicy},
	{"BaselineAdminNetworkPolicy", 2, makeBaseline, sayAdmin, nil},
}

func lawOf(policy thing) *law {
	i := slices.IndexFunc(laws, func(l law) bool { return l.kind == policy["kind"] })
	return &laws[i]
}

// Universes are small, so that what is random meets.
var (
	labelKeys   = []string{"app", "tier"}
	labelValues = []string{"x", "y", "z"}
	portNumbers = []int{1, 53, 80, 81, 443, 65535}
	portNames   = []string{"http", "dns"}
	protos      = []string{"TCP", "UDP", "SCTP"}
	addresses   = []string{"0.0.0.1", "10.0.0.1", "10.0.1.200", "10.0.1.255", "10.1.0.0", "11.0.0.0", "255.255.255.255", "2001:db8::1", "2001:db9::", "::", "fe80::1"}
	prefixes    = []string{"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/15", "10.0.1.77/24", "::/0", "2001:db8::/32", "10.0.1.200/32"}
	within      = map[string][]string{"0.0.0.0/0": {"10.0.0.0/8", "10.0.1.200/32", "128.0.0.0/1"}, "10.0.0.0/8": {"10.0.1.0/24", "10.1.0.0/16", "10.0.0.0/9"}, "::/0": {"2001:db8::/32"}, "2001:db8::/32": {"2001:db8::/120", "2001:db8::1/128"}}
)

func pick[T any](w *world, list []T) T { return list[w.dice.IntN(len(list))] }

// chance is true n times out of a hundred.
func (w *world) chance(n int) bool { return w.dice.IntN(100) < n }

// some is a list of at least low and at most high things.
func some(w *world, low, high int, one func() any) things {
	list := things{}
	for range low + w.dice.IntN(high-low+1) {
		list = append(list, one())
	}
	return list
}

func (w *world) labels() map[string]string {
	m := map[string]string{}
	for _, k := range labelKeys {
		if w.chance(70) {
			m[k] = pick(w, labelValues)
		}
	}
	return m
}

// newWorld makes a cluster of a seed.
func newWorld(seed uint64) *world {
	w := &world{dice: rand.New(rand.NewPCG(seed, 5)), spaces: map[string]map[string]string{}, refused: map[string]bool{}}
	for i := range 1 + w.dice.IntN(3) {
		name := fmt.Sprint("ns", i)
		w.spaces[name] = map[string]string{}
		if w.chance(80) { // the others have no object
			w.spaces[name] = w.labels()
			w.objects = append(w.objects, thing{"apiVersion": "v1", "kind": "Namespace", "metadata": thing{"name": name, "labels": written(w.spaces[name])}})
		}
		w.spaces[name]["kubernetes.io/metadata.name"] = name
	}
	for i := range 2 + w.dice.IntN(3) {
		w.pod(i)
	}
	for n := range w.dice.IntN(6) {
		l := pick(w, laws)
		if l.kind == "BaselineAdminNetworkPolicy" && slices.ContainsFunc(w.policies, func(p thing) bool { return p["kind"] == l.kind }) {
			continue
		}
		p := l.make(w, n)
		if len(l.hurt) > 0 && w.chance(6) {
			pick(w, l.hurt)(p)
			w.refused[nameOf(p)] = true
		}
		w.policies = append(w.policies, p)
		w.objects = append(w.objects, p)
	}
	return w
}

func written(m map[string]string) thing {
	t := thing{}
	for k, v := range m {
		t[k] = v
	}
	return t
}

func (w *world) space() string { return fmt.Sprint("ns", w.dice.IntN(len(w.spaces))) }

func (w *world) pod(i int) {
	p := &pod{space: w.space(), name: fmt.Sprint("p", i), kind: pick(w, []string{"Pod", "Deployment"}), labels: w.labels()}
	var ports things
	for _, name := range portNames {
		if w.chance(60) {
			one := port{name, pick(w, protos), pick(w, portNumbers)}
			p.ports = append(p.ports, one)
			ports = append(ports, thing{"name": one.name, "protocol": one.proto, "containerPort": one.number})
		}
	}
	spec := thing{"containers": things{thing{"name": "c", "image": "x", "ports": ports}}}
	o := thing{"apiVersion": "v1", "kind": "Pod", "metadata": thing{"name": p.name, "namespace": p.space, "labels": written(p.labels)}, "spec": spec}
	if p.kind == "Deployment" {
		o = thing{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": thing{"name": p.name, "namespace": p.space},
			"spec": thing{"template": thing{"metadata": thing{"labels": written(p.labels)}, "spec": spec}}}
	}
	w.pods, w.objects = append(w.pods, p), append(w.objects, o)
}

// set is the world as the engine sees it.
func (w *world) set(tb testing.TB) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	for _, o := range w.objects {
		s.Objects = append(s.Objects, objectOf(tb, o))
	}
	return s
}

func objectOf(tb testing.TB, o thing) *kube.Object {
	tb.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	return kubetest.Object(tb, "%s", data)
}

// open says whether a direction of a connection is: tier by tier, in each the policies in
// order.
func (w *world) open(direction string, p *pod, other peer, proto string, port int) bool {
	list := slices.Clone(w.policies)
	slices.SortStableFunc(list, func(a, b thing) int {
		return cmp.Or(cmp.Compare(lawOf(a).tier, lawOf(b).tier), cmp.Compare(priority(a), priority(b)))
	})
	for i := 0; i < len(list); {
		tier, isolated, passed := lawOf(list[i]).tier, false, false
		for ; i < len(list) && lawOf(list[i]).tier == tier; i++ {
			if passed || w.refused[nameOf(list[i])] {
				continue
			}
			switch lawOf(list[i]).says(w, list[i], direction, p, other, proto, port) {
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

func nameOf(o thing) string { return o["kind"].(string) + " " + o["metadata"].(thing)["name"].(string) }

func priority(policy thing) int {
	n, _ := policy["spec"].(thing)["priority"].(int)
	return n
}

// TestOracle holds the engine to the oracle where there are policies of Kubernetes' own alone,
// for every pair, block and port of random clusters. TestOracleMixed has them all.
func TestOracle(t *testing.T) {
	n := uint64(2000)
	if testing.Short() {
		n = 300
	}
	for seed := range n {
		w := newWorld(seed)
		if !w.agrees(t, seed, network.New(w.set(t))) {
			data, _ := json.MarshalIndent(w.objects, "", " ")
			t.Fatalf("seed %d: %s", seed, data)
		}
	}
}

// agrees tells whether an engine says of everything what the oracle does.
func (w *world) agrees(t *testing.T, seed uint64, e *network.Engine) bool {
	t.Helper()
	numbers := map[string]int{}
	for i, p := range e.Endpoints {
		numbers[p.String()] = i
	}
	for name, is := range w.refused {
		if is && !slices.ContainsFunc(e.Problems, func(p network.Problem) bool { return p.Object.Kind+" "+p.Object.Name == name }) {
			t.Errorf("seed %d: nothing is said of %s", seed, name)
			return false
		}
	}
	for _, from := range w.pods {
		i := numbers[from.String()]
		for _, to := range w.pods {
			j := numbers[to.String()]
			got := e.Ports(i, j)
			for _, proto := range protos {
				for _, port := range portNumbers {
					egress, ingress := w.open("egress", from, peer{pod: to}, proto, port), w.open("ingress", to, peer{pod: from}, proto, port)
					if got.Has(protocol(proto), uint16(port)) != (egress && ingress) {
						t.Errorf("seed %d: %v -> %v %s %d: the engine says %v, the oracle egress %v, ingress %v", seed, from, to, proto, port, got, egress, ingress)
						return false
					}
					out, in := e.Explain(i, j, protocol(proto), uint16(port))
					if out.Allowed != egress || in.Allowed != ingress {
						t.Errorf("seed %d: %v -> %v %s %d: explained egress %v, ingress %v, the oracle %v, %v", seed, from, to, proto, port, out.Allowed, in.Allowed, egress, ingress)
						return false
					}
				}
			}
		}
		for d, direction := range []string{"ingress", "egress"} {
			if !w.agreesOfAddresses(t, seed, e, network.Direction(d), direction, from, i) {
				return false
			}
		}
	}
	return true
}

func (w *world) agreesOfAddresses(t *testing.T, seed uint64, e *network.Engine, d network.Direction, direction string, p *pod, endpoint int) bool {
	t.Helper()
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		block := slices.IndexFunc(e.Blocks(d), func(b network.Block) bool { return b.Contains(a) })
		got := e.BlockPorts(d, endpoint, block)
		for _, proto := range protos {
			for _, port := range portNumbers {
				want := w.open(direction, p, peer{address: a}, proto, port)
				if got.Has(protocol(proto), uint16(port)) != want || e.ExplainBlock(d, endpoint, block, protocol(proto), uint16(port)).Allowed != want {
					t.Errorf("seed %d: %s %v %v %s %d: the engine says %v, the oracle %v", seed, direction, p, a, proto, port, got, want)
					return false
				}
			}
		}
	}
	return true
}

func protocol(name string) network.Protocol {
	switch name {
	case "SCTP":
		return network.SCTP
	case "TCP":
		return network.TCP
	}
	return network.UDP
}
