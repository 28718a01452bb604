package network_test

import (
	"fmt"
	"net/netip"
	"slices"
)

// selector is a random label selector.
func (w *world) selector() thing {
	s := thing{}
	if w.chance(40) {
		s["matchLabels"] = thing{pick(w, labelKeys): pick(w, labelValues)}
	}
	if w.chance(35) {
		s["matchExpressions"] = some(w, 1, 2, func() any {
			key, op := pick(w, labelKeys), pick(w, []string{"In", "NotIn", "Exists", "DoesNotExist"})
			if op == "In" || op == "NotIn" {
				return thing{"key": key, "operator": op, "values": some(w, 1, 2, func() any { return pick(w, labelValues) })}
			}
			return thing{"key": key, "operator": op}
		})
	}
	return s
}

// matches says whether labels are what a selector wants.
func matches(selector any, labels map[string]string) bool {
	s, _ := selector.(thing)
	want, _ := s["matchLabels"].(thing)
	for k, v := range want {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	list, _ := s["matchExpressions"].(things)
	for _, e := range list {
		e := e.(thing)
		have, ok := labels[e["key"].(string)]
		values, _ := e["values"].(things)
		among := slices.Contains(values, any(have))
		switch e["operator"] {
		case "In":
			if !ok || !among {
				return false
			}
		case "NotIn":
			if ok && among {
				return false
			}
		case "Exists":
			if !ok {
				return false
			}
		case "DoesNotExist":
			if ok {
				return false
			}
		}
	}
	return true
}

func inPrefix(text any, a netip.Addr) bool { return netip.MustParsePrefix(text.(string)).Contains(a) }

// The directions' fields: of rules and of their peers.
var peersField = map[string]string{"ingress": "from", "egress": "to"}

var typeOf = map[string]string{"ingress": "Ingress", "egress": "Egress"}

func makeNetworkPolicy(w *world, n int) thing {
	spec := thing{"podSelector": w.selector()}
	for _, direction := range directions {
		field := peersField[direction]
		if !w.chance(65) {
			continue
		}
		spec[direction] = some(w, 0, 2, func() any {
			rule := thing{}
			if w.chance(80) {
				rule[field] = some(w, 0, 2, func() any { return w.peer() })
			}
			if w.chance(60) {
				rule["ports"] = some(w, 0, 2, func() any { return w.port() })
			}
			return rule
		})
	}
	if w.chance(70) {
		spec["policyTypes"] = pick(w, []things{{"Ingress"}, {"Egress"}, {"Ingress", "Egress"}})
	}
	return thing{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": thing{"name": fmt.Sprint("np", n), "namespace": w.space()}, "spec": spec}
}

func (w *world) peer() thing {
	if w.chance(35) {
		block := thing{"cidr": pick(w, prefixes)}
		if inside := within[block["cidr"].(string)]; inside != nil && w.chance(60) {
			block["except"] = some(w, 0, 2, func() any { return pick(w, inside) })
		}
		return thing{"ipBlock": block}
	}
	p := thing{}
	if w.chance(60) {
		p["podSelector"] = w.selector()
	}
	if len(p) == 0 || w.chance(50) {
		p["namespaceSelector"] = w.selector()
	}
	return p
}

func (w *world) port() thing {
	p := thing{}
	if w.chance(60) {
		p["protocol"] = pick(w, protos)
	}
	switch w.dice.IntN(4) {
	case 0:
		p["port"] = pick(w, portNames)
	case 1:
		a, b := pick(w, portNumbers), pick(w, portNumbers)
		p["port"], p["endPort"] = min(a, b), max(a, b)
	case 2:
		p["port"] = pick(w, portNumbers)
	}
	return p
}

func sayNetworkPolicy(w *world, policy thing, direction string, p *pod, other peer, proto string, port int) string {
	spec, space := policy["spec"].(thing), policy["metadata"].(thing)["namespace"].(string)
	rules, _ := spec[direction].(things)
	types, given := spec["policyTypes"].(things)
	holds := slices.Contains(types, any(typeOf[direction]))
	if !given { // Ingress always, Egress when there are egress rules
		holds = direction == "ingress" || len(rules) > 0
	}
	if !holds || p.space != space || !matches(spec["podSelector"], p.labels) {
		return ""
	}
	for _, r := range rules {
		rule := r.(thing)
		peers, _ := rule[peersField[direction]].(things)
		ports, _ := rule["ports"].(things)
		server := p // whose port it is
		if direction == "egress" {
			server = other.pod
		}
		one := func(q any) bool { return w.isPort(q.(thing), server, proto, port) }
		if (len(peers) == 0 || slices.ContainsFunc(peers, func(q any) bool { return w.isPeer(q.(thing), space, other) })) &&
			(len(ports) == 0 || slices.ContainsFunc(ports, one)) {
			return "allow"
		}
	}
	return "isolate"
}

// isPeer says whether a peer of a NetworkPolicy is the other end.
func (w *world) isPeer(q thing, space string, other peer) bool {
	if block, ok := q["ipBlock"].(thing); ok {
		except, _ := block["except"].(things)
		return other.pod == nil && inPrefix(block["cidr"], other.address) && !slices.ContainsFunc(except, func(x any) bool { return inPrefix(x, other.address) })
	}
	if other.pod == nil {
		return false
	}
	if spaces, ok := q["namespaceSelector"]; ok {
		if !matches(spaces, w.spaces[other.pod.space]) {
			return false
		}
	} else if other.pod.space != space {
		return false
	}
	return matches(q["podSelector"], other.pod.labels)
}

// isPort says whether a port of a NetworkPolicy is that of a connection to a pod, nil for
// something else.
func (w *world) isPort(q thing, server *pod, proto string, number int) bool {
	want, ok := q["protocol"].(string)
	if !ok {
		want = "TCP"
	}
	if want != proto {
		return false
	}
	switch n := q["port"].(type) {
	case int:
		end, ok := q["endPort"].(int)
		return n == number || ok && n <= number && number <= end
	case string:
		return server != nil && slices.ContainsFunc(server.ports, func(have port) bool { return have == (port{n, proto, number}) })
	}
	return true
}

// hurtNetworkPolicy are mistakes that an API server does not take.
var hurtNetworkPolicy = []func(thing){
	rule(thing{"from": things{thing{}}}),
	rule(thing{"from": things{thing{"ipBlock": thing{"cidr": "10.0.0.0/33"}}}}),
	rule(thing{"from": things{thing{"ipBlock": thing{"cidr": "10.0.0.1"}}}}),
	rule(thing{"from": things{thing{"ipBlock": thing{"cidr": "10.0.0.0/8", "except": things{"11.0.0.0/24"}}}}}),
	rule(thing{"from": things{thing{"ipBlock": thing{"cidr": "10.0.0.0/8", "except": things{"10.0.0.0/8"}}}}}),
	rule(thing{"from": things{thing{"ipBlock": thing{"cidr": "10.0.0.0/8"}, "podSelector": thing{}}}}),
	rule(thing{"from": things{thing{"podSelector": thing{"matchExpressions": things{thing{"key": "app", "operator": "In"}}}}}}),
	rule(thing{"from": things{thing{"podSelector": thing{"matchExpressions": things{thing{"key": "app", "operator": "Exists", "values": things{"x"}}}}}}}),
	rule(thing{"from": things{thing{"namespaceSelector": thing{"matchLabels": thing{"not a key": "x"}}}}}),
	rule(thing{"ports": things{thing{"port": 0}}}),
	rule(thing{"ports": things{thing{"port": 65536}}}),
	rule(thing{"ports": things{thing{"port": "80"}}}),
	rule(thing{"ports": things{thing{"port": 81, "endPort": 80}}}),
	rule(thing{"ports": things{thing{"port": "http", "endPort": 80}}}),
	rule(thing{"ports": things{thing{"endPort": 80}}}),
	rule(thing{"ports": things{thing{"protocol": "ICMP"}}}),
	rule(thing{"ports": things{thing{"protocol": "tcp"}}}),
	func(p thing) { p["spec"].(thing)["policyTypes"] = things{"ingress"} },
	func(p thing) { p["spec"].(thing)["podSelector"] = thing{"matchLabels": thing{"app": "-"}} },
	func(p thing) { p["spec"].(thing)["podSelector"] = "app=x" },
}

// rule makes the first rule for what comes in another.
func rule(r thing) func(thing) {
	return func(p thing) {
		rules, _ := p["spec"].(thing)["ingress"].(things)
		p["spec"].(thing)["ingress"] = append(things{r}, rules...)
	}
}

func makeAdmin(w *world, n int) thing {
	p := w.admin([]string{"Allow", "Deny", "Pass"})
	p["kind"], p["metadata"] = "AdminNetworkPolicy", thing{"name": fmt.Sprint("anp", n)}
	p["spec"].(thing)["priority"] = (w.dice.IntN(10)*31+7*n)*10%1000 + n // each another
	return p
}

func makeBaseline(w *world, _ int) thing {
	p := w.admin([]string{"Allow", "Deny"})
	p["kind"], p["metadata"] = "BaselineAdminNetworkPolicy", thing{"name": "default"}
	return p
}

func (w *world) admin(actions []string) thing {
	spec := thing{"subject": w.adminPods()}
	for _, direction := range directions {
		field := peersField[direction]
		if !w.chance(70) {
			continue
		}
		spec[direction] = some(w, 0, 3, func() any {
			rule := thing{"action": pick(w, actions), field: some(w, 1, 2, func() any {
				if direction == "egress" && w.chance(30) {
					return thing{"networks": some(w, 1, 2, func() any { return pick(w, prefixes) })}
				}
				return w.adminPods()
			})}
			if w.chance(60) {
				rule["ports"] = some(w, 1, 2, func() any { return w.adminPort() })
			}
			return rule
		})
	}
	return thing{"apiVersion": "policy.networking.k8s.io/v1alpha1", "spec": spec}
}

func (w *world) adminPods() thing {
	if w.chance(50) {
		return thing{"namespaces": w.selector()}
	}
	return thing{"pods": thing{"namespaceSelector": w.selector(), "podSelector": w.selector()}}
}

func (w *world) adminPort() thing {
	switch w.dice.IntN(3) {
	case 0:
		return thing{"namedPort": pick(w, portNames)}
	case 1:
		return thing{"portNumber": thing{"protocol": pick(w, protos), "port": pick(w, portNumbers)}}
	}
	i := w.dice.IntN(len(portNumbers) - 1)
	return thing{"portRange": thing{"protocol": pick(w, protos), "start": portNumbers[i], "end": pick(w, portNumbers[i+1:])}}
}

func sayAdmin(w *world, policy thing, direction string, p *pod, other peer, proto string, port int) string {
	spec := policy["spec"].(thing)
	if !w.isAdminPods(spec["subject"].(thing), p) {
		return ""
	}
	rules, _ := spec[direction].(things)
	for _, r := range rules {
		rule := r.(thing)
		ports, _ := rule["ports"].(things)
		server := p
		if direction == "egress" {
			server = other.pod
		}
		if slices.ContainsFunc(rule[peersField[direction]].(things), func(q any) bool { return w.isAdminPeer(q.(thing), other) }) &&
			(len(ports) == 0 || slices.ContainsFunc(ports, func(q any) bool { return isAdminPort(q.(thing), server, proto, port) })) {
			return map[any]string{"Allow": "allow", "Deny": "deny", "Pass": "pass"}[rule["action"]]
		}
	}
	return ""
}

func (w *world) isAdminPods(q thing, p *pod) bool {
	if spaces, ok := q["namespaces"]; ok {
		return matches(spaces, w.spaces[p.space])
	}
	pods, _ := q["pods"].(thing)
	return pods != nil && matches(pods["namespaceSelector"], w.spaces[p.space]) && matches(pods["podSelector"], p.labels)
}

// isAdminPeer says whether a peer is the other end. Networks are addresses outside: those of
// pods are not said of the pods here.
func (w *world) isAdminPeer(q thing, other peer) bool {
	if networks, ok := q["networks"].(things); ok {
		return other.pod == nil && slices.ContainsFunc(networks, func(n any) bool { return inPrefix(n, other.address) })
	}
	return other.pod != nil && w.isAdminPods(q, other.pod)
}

func isAdminPort(q thing, server *pod, proto string, number int) bool {
	if name, ok := q["namedPort"]; ok {
		return server != nil && slices.ContainsFunc(server.ports, func(have port) bool { return have == (port{name.(string), proto, number}) })
	}
	if one, ok := q["portNumber"].(thing); ok {
		return one["protocol"] == proto && one["port"] == number
	}
	r := q["portRange"].(thing)
	return r["protocol"] == proto && r["start"].(int) <= number && number <= r["end"].(int)
}

// hurtAdmin are mistakes that an API server does not take.
var hurtAdmin = []func(thing){
	func(p thing) { p["spec"].(thing)["priority"] = 1001 },
	func(p thing) { delete(p["spec"].(thing), "subject") },
	rule(thing{"action": "allow", "from": things{thing{"namespaces": thing{}}}}),
	rule(thing{"action": "Allow"}),
	rule(thing{"action": "Deny", "from": things{thing{}}}),
	rule(thing{"action": "Deny", "from": things{thing{"namespaces": thing{}}}, "ports": things{thing{"portRange": thing{"protocol": "TCP", "start": 80, "end": 80}}}}),
	rule(thing{"action": "Deny", "from": things{thing{"namespaces": thing{}}}, "ports": things{thing{"portNumber": thing{"protocol": "TCP", "port": 0}}}}),
}
