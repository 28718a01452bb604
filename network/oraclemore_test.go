package network_test

import (
	"fmt"
	"slices"
	"strings"
)

// test is an expression of Calico's, and what it says of labels.
type test struct {
	text string
	is   func(labels map[string]string) bool
}

func (w *country) expression(depth int) test {
	key, value, other := pick(w.world, labelKeys), pick(w.world, labelValues), pick(w.world, labelValues)
	if depth > 0 && w.chance(50) {
		a, b := w.expression(depth-1), w.expression(depth-1)
		switch w.dice.IntN(3) {
		case 0:
			return test{"(" + a.text + " || " + b.text + ")", func(l map[string]string) bool { return a.is(l) || b.is(l) }}
		case 1:
			return test{"(" + a.text + " && " + b.text + ")", func(l map[string]string) bool { return a.is(l) && b.is(l) }}
		}
		return test{"!(" + a.text + ")", func(l map[string]string) bool { return !a.is(l) }}
	}
	return pick(w.world, []test{
		{"all()", func(map[string]string) bool { return true }},
		{"has(" + key + ")", func(l map[string]string) bool { _, ok := l[key]; return ok }},
		{key + " == '" + value + "'", func(l map[string]string) bool { return l[key] == value }},
		{key + ` != "` + value + `"`, func(l map[string]string) bool { return l[key] != value }},
		{key + " in {'" + value + "','" + other + "'}", func(l map[string]string) bool { return l[key] == value || l[key] == other }},
		{key + " not in {'" + value + "'}", func(l map[string]string) bool { return l[key] != value }},
		{key + " starts with '" + value + "'", func(l map[string]string) bool { return strings.HasPrefix(l[key], value) }},
	})
}

// directions are both, always in this order.
var directions = []string{"ingress", "egress"}

// side is an end of a rule of Calico's.
type side struct {
	chosen, not, spaces *test
	nets, notNets       string
}

func (w *country) side() (side, thing) {
	s, n := side{}, thing{}
	one := func(to **test, field string, chance int) {
		if w.chance(chance) {
			x := w.expression(1)
			*to, n[field] = &x, x.text
		}
	}
	one(&s.chosen, "selector", 40)
	one(&s.not, "notSelector", 20)
	one(&s.spaces, "namespaceSelector", 30)
	if w.chance(25) {
		s.nets = pick(w.world, prefixes)
		n["nets"] = things{s.nets}
	}
	if w.chance(20) {
		s.notNets = pick(w.world, prefixes)
		n["notNets"] = things{s.notNets}
	}
	return s, n
}

// is says whether it is the other end; set are the labels of the set of 10.0.0.0/8.
func (s side) is(w *country, space string, other peer, set map[string]string) bool {
	if p := other.pod; p != nil {
		return (s.chosen == nil || s.chosen.is(p.labels)) && (s.not == nil || !s.not.is(p.labels)) && (s.spaces == nil || s.spaces.is(w.spaces[p.space])) &&
			(s.chosen == nil && s.spaces == nil || s.spaces != nil || space == "" || p.space == space) &&
			(s.nets == "" || s.nets == "0.0.0.0/0") && s.notNets != "0.0.0.0/0"
	}
	in := set != nil && inPrefix("10.0.0.0/8", other.address)
	if s.spaces != nil && (!in || s.spaces.text == "all()" || !s.spaces.is(nil)) { // a set of the whole cluster has no namespace
		return false
	}
	if s.chosen != nil && !(in && s.chosen.is(set) && (space == "" || s.spaces != nil)) {
		return false
	}
	return !(in && s.not != nil && s.not.is(set)) && (s.nets == "" || inPrefix(s.nets, other.address)) && (s.notNets == "" || !inPrefix(s.notNets, other.address))
}

// calico adds a policy of Calico's.
func (w *country) calico(n int) {
	space, kind := w.space(), "NetworkPolicy"
	if w.chance(50) {
		space, kind = "", "GlobalNetworkPolicy"
	}
	var set map[string]string
	if n == 0 {
		w.set0 = nil
		if w.chance(50) {
			w.set0 = w.labels()
			w.objects = append(w.objects, thing{"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet", "metadata": thing{"name": "s", "labels": written(w.set0)}, "spec": thing{"nets": things{"10.0.0.0/8"}}})
		}
		w.objects = append(w.objects, thing{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": thing{"name": "early"}, "spec": thing{"order": 5}},
			thing{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": thing{"name": "mid"}, "spec": thing{"order": 5000, "defaultAction": "Pass"}})
	}
	set = w.set0
	tier := pick(w.world, []string{"early", "mid", "default"})
	order := float64(w.dice.IntN(20)*100+n) + 0.5
	subject, types := w.expression(2), pick(w.world, []things{{"Ingress"}, {"Egress"}, {"Ingress", "Egress"}})
	spec := thing{"tier": tier, "order": order, "selector": subject.text, "types": types}
	says := map[string][]func(connection) string{}
	for _, direction := range directions {
		if !slices.Contains(types, any(typeOf[direction])) {
			continue
		}
		spec[direction] = some(w.world, 0, 3, func() any {
			rule, one := w.calicoRule(direction, space, set)
			says[direction] = append(says[direction], one)
			return rule
		})
	}
	w.add("projectcalico.org/v3", kind, fmt.Sprint(tier, ".c", n), space, spec)
	w.sayings = append(w.sayings, saying{map[string]float64{"early": -10, "mid": 5, "default": 10}[tier], order, func(c connection) string {
		if space != "" && c.p.space != space || !subject.is(c.p.labels) || !slices.Contains(types, any(typeOf[c.direction])) {
			return ""
		}
		for _, one := range says[c.direction] {
			if s := one(c); s != "" {
				return s
			}
		}
		if tier == "mid" {
			return ""
		}
		return "isolate"
	}})
}

func (w *country) calicoRule(direction, space string, set map[string]string) (thing, func(connection) string) {
	action := pick(w.world, []string{"Allow", "Deny", "Pass", "Log"})
	other, peer := w.side()
	own, self := side{}, thing{}
	if w.chance(20) {
		x := w.expression(1)
		own.chosen, self["selector"] = &x, x.text
	}
	rule := thing{"action": action, "source": peer, "destination": self}
	if direction == "egress" {
		rule["source"], rule["destination"] = self, peer
	}
	asks := action != "Pass" && w.chance(15)
	if asks {
		w.asks = true
		rule["http"] = thing{"methods": things{"GET"}}
	}
	proto, ports, named, not := "", 0, "", false
	if w.chance(60) {
		proto = pick(w.world, protos)
		rule["protocol"] = proto
		target := rule["destination"].(thing)
		switch w.dice.IntN(4) {
		case 0:
			ports = 53
			target["ports"] = things{53, "80:81"}
		case 1:
			ports, not = 53, true
			target["notPorts"] = things{53, "80:81"}
		case 2:
			named = pick(w.world, portNames)
			target["ports"] = things{named}
		}
	}
	return rule, func(c connection) string {
		listed := c.port == 53 || c.port == 80 || c.port == 81
		if asks && !c.counts(action == "Deny") || action == "Log" || proto != "" && proto != c.proto || ports != 0 && listed == not || named != "" && !c.named(named, proto) {
			return ""
		}
		if own.chosen != nil && !(own.chosen.is(c.p.labels)) || own.chosen != nil && space != "" && c.p.space != space || !other.is(w, space, c.other, set) {
			return ""
		}
		return strings.ToLower(action)
	}
}

// meshWorld is what a mesh says.
type meshWorld struct {
	members  map[string]bool // namespaces
	ambient  map[string]bool // of those, the ones without sidecars
	modes    map[string]string
	policies []meshPolicy
}

type meshPolicy struct {
	space, action string
	labels        thing
	rules         []meshRule
}

// meshRule speaks of namespaces, or others than those, and of ports.
type meshRule struct {
	spaces, notSpaces, blocks string
	port                      int
	method                    bool
}

// istio adds policies of a mesh.
func (w *country) istio() {
	w.mesh = meshWorld{members: map[string]bool{}, ambient: map[string]bool{}, modes: map[string]string{}}
	if w.chance(40) {
		return
	}
	for _, o := range w.objects {
		if o["kind"] == "Namespace" && w.chance(60) {
			meta := o["metadata"].(thing)
			w.mesh.members[meta["name"].(string)] = true
			if w.chance(30) {
				meta["labels"].(thing)["istio.io/dataplane-mode"] = "ambient"
				w.mesh.ambient[meta["name"].(string)] = true
			} else {
				meta["labels"].(thing)["istio-injection"] = "enabled"
			}
		}
	}
	const api = "security.istio.io/v1"
	for _, space := range []string{"istio-system", "ns0", "ns1"} {
		if w.chance(30) && (space == "istio-system" || w.mesh.members[space]) {
			w.mesh.modes[space] = pick(w.world, []string{"STRICT", "PERMISSIVE", "DISABLE", "UNSET"})
			w.add(api, "PeerAuthentication", "p", space, thing{"mtls": thing{"mode": w.mesh.modes[space]}})
		}
	}
	for n := range w.dice.IntN(4) {
		p := meshPolicy{space: pick(w.world, []string{"ns0", "ns1", "istio-system"}), action: pick(w.world, []string{"ALLOW", "DENY"})}
		if p.space != "istio-system" && !w.mesh.members[p.space] {
			continue
		}
		spec := thing{"action": p.action}
		if w.chance(50) {
			p.labels = thing{pick(w.world, labelKeys): pick(w.world, labelValues)}
			spec["selector"] = thing{"matchLabels": p.labels}
		}
		spec["rules"] = some(w.world, 0, 2, func() any {
			r, rule := w.meshRule()
			p.rules = append(p.rules, r)
			return rule
		})
		w.mesh.policies = append(w.mesh.policies, p)
		w.add(api, "AuthorizationPolicy", fmt.Sprint("a", n), p.space, spec)
	}
}

func (w *country) meshRule() (meshRule, thing) {
	r, rule := meshRule{}, thing{}
	source, operation := thing{}, thing{}
	if w.chance(40) {
		r.spaces = w.space()
		source["namespaces"] = things{r.spaces}
		if w.chance(50) {
			source = thing{"principals": things{"cluster.local/ns/" + r.spaces + "/sa/*"}}
		}
	}
	if w.chance(30) {
		r.notSpaces = w.space()
		source["notNamespaces"] = things{r.notSpaces}
	}
	if w.chance(20) {
		r.blocks = pick(w.world, prefixes)
		source["ipBlocks"] = things{r.blocks}
	}
	if w.chance(40) {
		r.port = pick(w.world, portNumbers)
		operation["ports"] = things{fmt.Sprint(r.port)}
	}
	if w.chance(20) {
		r.method, w.asks = true, true
		operation["methods"] = things{"GET"}
	}
	if len(source) > 0 {
		rule["from"] = things{thing{"source": source}}
	}
	if len(operation) > 0 {
		rule["to"] = things{thing{"operation": operation}}
	}
	return r, rule
}

// mode is how a namespace is spoken to.
func (m meshWorld) mode(space string) string {
	for _, s := range []string{space, "istio-system"} {
		if mode := m.modes[s]; mode != "" && mode != "UNSET" {
			return mode
		}
	}
	return "PERMISSIVE"
}

// open says whether the mesh lets a connection in.
func (m meshWorld) open(_ *country, c connection) bool {
	if c.proto != "TCP" || !m.members[c.p.space] {
		return true
	}
	known := c.other.pod != nil && m.members[c.other.pod.space]
	if m.mode(c.p.space) == "STRICT" && !known {
		return false
	}
	known = known && (m.mode(c.p.space) != "DISABLE" || m.ambient[c.p.space])
	needed, allowed := false, false
	for _, p := range m.policies {
		if p.space != "istio-system" && p.space != c.p.space || !matches(thing{"matchLabels": p.labels}, c.p.labels) {
			continue
		}
		fits := slices.ContainsFunc(p.rules, func(r meshRule) bool { return m.holds(r, c, p.action == "DENY") && r.fits(c, known) })
		if p.action == "DENY" && fits {
			return false
		}
		if p.action == "ALLOW" {
			needed, allowed = true, allowed || fits
		}
	}
	return !needed || allowed
}

// holds says whether what a rule asks of requests is taken to be so: without a sidecar nobody
// reads them.
func (m meshWorld) holds(r meshRule, c connection, denies bool) bool {
	if r.method && m.ambient[c.p.space] {
		return denies
	}
	return !r.method || c.counts(denies)
}

func (r meshRule) fits(c connection, known bool) bool {
	space := ""
	if known {
		space = c.other.pod.space
	}
	address := r.blocks == "" || c.other.pod == nil && inPrefix(r.blocks, c.other.address) || c.other.pod != nil && r.blocks == "0.0.0.0/0"
	return (r.spaces == "" || r.spaces == space) && (r.notSpaces == "" || r.notSpaces != space) && address && (r.port == 0 || r.port == c.port)
}
