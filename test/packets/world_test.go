package packets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// pod is a pod of the test, or a host outside of the cluster.
type pod struct {
	name, namespace string
	labels          map[string]string
	address         string
	web             int // what its named port is
	outside         bool
}

func (p *pod) String() string { return p.namespace + "/" + p.name }

var spaces = map[string]map[string]string{"red": {"team": "a"}, "blue": {"team": "b"}, "green": {"team": "a", "tier": "x"}}

// pods are those of every round, two hosts outside at the end.
func pods() []*pod {
	var list []*pod
	n := 0
	for _, space := range []string{"blue", "green", "red"} {
		for _, app := range []string{"db", "web", "web2"} {
			n++
			p := &pod{name: app, namespace: space, labels: map[string]string{"app": strings.TrimSuffix(app, "2")}, address: fmt.Sprintf("10.77.0.%d", n), web: 80}
			if n%2 == 0 {
				p.labels["role"] = "front"
				p.web = 8080
			}
			list = append(list, p)
		}
	}
	return append(list, &pod{name: "near", address: "203.0.113.9", outside: true}, &pod{name: "far", address: "198.51.100.7", outside: true})
}

// port is one that is probed.
type port struct {
	proto  string
	number int
}

var ports = []port{{"tcp", 80}, {"tcp", 81}, {"tcp", 8080}, {"udp", 53}, {"udp", 80}}

// selector is a label selector, both as YAML and as what it means.
type selector struct {
	text string
	fits func(map[string]string) bool
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func label(key string, values ...string) func(map[string]string) bool {
	return func(m map[string]string) bool { v, ok := m[key]; return ok && slices.Contains(values, v) }
}

func podSelector(r *rand.Rand) selector {
	return pick(r,
		selector{"{}", func(map[string]string) bool { return true }},
		selector{"{matchLabels: {app: web}}", label("app", "web")},
		selector{"{matchLabels: {app: db}}", label("app", "db")},
		selector{"{matchExpressions: [{key: app, operator: In, values: [db, none]}]}", label("app", "db", "none")},
		selector{"{matchExpressions: [{key: app, operator: NotIn, values: [db]}]}", func(m map[string]string) bool { return m["app"] != "db" }},
		selector{"{matchExpressions: [{key: role, operator: DoesNotExist}]}", func(m map[string]string) bool { _, ok := m["role"]; return !ok }},
		selector{"{matchLabels: {role: front}, matchExpressions: [{key: app, operator: Exists}]}", label("role", "front")},
	)
}

func spaceSelector(r *rand.Rand) selector {
	return pick(r,
		selector{"{}", func(map[string]string) bool { return true }},
		selector{"{matchLabels: {team: a}}", label("team", "a")},
		selector{"{matchLabels: {kubernetes.io/metadata.name: blue}}", label("kubernetes.io/metadata.name", "blue")},
		selector{"{matchExpressions: [{key: tier, operator: Exists}]}", label("tier", "x")},
		selector{"{matchExpressions: [{key: tier, operator: DoesNotExist}]}", func(m map[string]string) bool { _, ok := m["tier"]; return !ok }},
	)
}

func spaceLabels(name string) map[string]string {
	m := map[string]string{"kubernetes.io/metadata.name": name}
	for k, v := range spaces[name] {
		m[k] = v
	}
	return m
}

// rule is one rule of a policy: for whom, on what, and what becomes of it.
type rule struct {
	action string // Allow, Deny, Pass
	peers  func(*pod) bool
	ports  func(to *pod, p port) bool
}

// policy is one policy: its YAML, and what it means.
type policy struct {
	text     string
	tier     int // 0 admin, 1 namespace, 2 baseline
	order    int
	subject  func(*pod) bool
	isolates [2]bool // ingress, egress
	rules    [2][]rule
}

func networkPolicy(r *rand.Rand, name string) *policy {
	space, subject := pick(r, "red", "blue", "green"), podSelector(r)
	p := &policy{tier: 1, subject: func(x *pod) bool { return x.namespace == space && subject.fits(x.labels) }}
	kinds := pick(r, []string{"Ingress"}, []string{"Egress"}, []string{"Ingress", "Egress"})
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: %s}\nspec:\n  podSelector: %s\n  policyTypes: [%s]\n", name, space, subject.text, strings.Join(kinds, ", "))
	for _, kind := range kinds {
		d, field, to := 0, "ingress", "from"
		if kind == "Egress" {
			d, field, to = 1, "egress", "to"
		}
		p.isolates[d] = true
		n := r.IntN(3)
		if n == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n", field)
		for range n {
			peers, peerText := somePeers(r, space)
			ports, portText := somePorts(r, false)
			p.rules[d] = append(p.rules[d], rule{"Allow", peers, ports})
			fmt.Fprintf(&b, "  - %s: %s\n    ports: %s\n", to, peerText, portText)
		}
	}
	p.text = b.String()
	return p
}

func somePeers(r *rand.Rand, space string) (func(*pod) bool, string) {
	n := r.IntN(3)
	var texts []string
	var list []func(*pod) bool
	for range n {
		text, fits := peer(r, space)
		texts, list = append(texts, text), append(list, fits)
	}
	return func(x *pod) bool {
		return n == 0 || slices.ContainsFunc(list, func(f func(*pod) bool) bool { return f(x) })
	}, "[" + strings.Join(texts, ", ") + "]"
}

func peer(r *rand.Rand, space string) (string, func(*pod) bool) {
	switch r.IntN(5) {
	case 0:
		return "{ipBlock: {cidr: 0.0.0.0/0, except: [203.0.113.0/24]}}", func(x *pod) bool { return x.outside && x.name == "far" }
	case 1:
		return "{ipBlock: {cidr: 203.0.112.0/22}}", func(x *pod) bool { return x.outside && x.name == "near" }
	case 2:
		s := podSelector(r)
		return "{podSelector: " + s.text + "}", func(x *pod) bool { return !x.outside && x.namespace == space && s.fits(x.labels) }
	case 3:
		n := spaceSelector(r)
		return "{namespaceSelector: " + n.text + "}", func(x *pod) bool { return !x.outside && n.fits(spaceLabels(x.namespace)) }
	}
	n, s := spaceSelector(r), podSelector(r)
	return "{namespaceSelector: " + n.text + ", podSelector: " + s.text + "}", func(x *pod) bool { return !x.outside && n.fits(spaceLabels(x.namespace)) && s.fits(x.labels) }
}

// somePorts gives ports of a rule; of administrators' policies they are written otherwise.
func somePorts(r *rand.Rand, admin bool) (func(*pod, port) bool, string) {
	is := func(proto string, first, last int) func(*pod, port) bool {
		return func(_ *pod, p port) bool { return p.proto == proto && first <= p.number && p.number <= last }
	}
	named := func(to *pod, p port) bool { return p.proto == "tcp" && !to.outside && to.web == p.number }
	if admin {
		switch r.IntN(4) {
		case 0:
			return is("tcp", 80, 80), "[{portNumber: {protocol: TCP, port: 80}}]"
		case 1:
			return is("tcp", 81, 9000), "[{portRange: {protocol: TCP, start: 81, end: 9000}}]"
		case 2:
			return is("udp", 1, 60), "[{portRange: {protocol: UDP, start: 1, end: 60}}]"
		}
		return func(*pod, port) bool { return true }, "[]"
	}
	switch r.IntN(6) {
	case 0:
		return is("tcp", 80, 80), "[{port: 80}]"
	case 1:
		return is("tcp", 80, 8080), "[{port: 80, endPort: 8080, protocol: TCP}]"
	case 2:
		return is("udp", 1, 65535), "[{protocol: UDP}]"
	case 3:
		return named, "[{port: web}]"
	case 4:
		udp := is("udp", 53, 53)
		return func(to *pod, p port) bool { return named(to, p) || udp(to, p) }, "[{port: web}, {port: 53, protocol: UDP}]"
	}
	return func(*pod, port) bool { return true }, "[]"
}

// adminPolicy is one before (tier 0) or behind (tier 2) the policies of namespaces.
func adminPolicy(r *rand.Rand, name string, tier, order int) *policy {
	n, s := spaceSelector(r), podSelector(r)
	p := &policy{tier: tier, order: order, subject: func(x *pod) bool { return n.fits(spaceLabels(x.namespace)) && s.fits(x.labels) }}
	kind, actions := "AdminNetworkPolicy", []string{"Allow", "Deny", "Pass"}
	if tier == 2 {
		kind, actions, name = "BaselineAdminNetworkPolicy", actions[:2], "default"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec:\n", kind, name)
	if tier == 0 {
		fmt.Fprintf(&b, "  priority: %d\n", order)
	}
	fmt.Fprintf(&b, "  subject: {pods: {namespaceSelector: %s, podSelector: %s}}\n", n.text, s.text)
	for d, field := range [][2]string{{"ingress", "from"}, {"egress", "to"}} {
		fmt.Fprintf(&b, "  %s:\n", field[0])
		for range 1 + r.IntN(3) {
			n, s := spaceSelector(r), podSelector(r)
			action := pick(r, actions...)
			ports, text := somePorts(r, true)
			peers, peer := func(x *pod) bool { return !x.outside && n.fits(spaceLabels(x.namespace)) && s.fits(x.labels) }, "{pods: {namespaceSelector: "+n.text+", podSelector: "+s.text+"}}"
			if d == 1 && r.IntN(3) == 0 {
				peers, peer = func(x *pod) bool { return x.name == "near" }, "{networks: [203.0.113.0/24]}"
			}
			p.rules[d] = append(p.rules[d], rule{action, peers, ports})
			fmt.Fprintf(&b, "  - action: %s\n    %s: [%s]\n", action, field[1], peer)
			if text != "[]" {
				fmt.Fprintf(&b, "    ports: %s\n", text)
			}
		}
	}
	p.text = b.String()
	return p
}
