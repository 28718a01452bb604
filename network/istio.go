package network

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// The order in which a mesh decides: who has no identity, what authorizers refuse, what is
// denied, what is allowed.
const (
	orderStrict = iota
	orderCustom
	orderDeny
	orderAllow
)

// peerAuthentication reads a PeerAuthentication of security.istio.io: who has no identity
// does not reach members where it is strict.
func (r *reader) peerAuthentication(o *kube.Object) {
	spec := o.Root.Get("spec")
	r.unknown(o, spec, []any{"spec"}, "selector", "mtls", "portLevelMtls")
	modes := map[string]*kube.Node{"": spec.Get("mtls", "mode")}
	for port, n := range spec.Get("portLevelMtls").Fields() {
		if modes[port] = n.Get("mode"); port != "" {
			if number, ok := number16(port); !ok || number == 0 {
				r.problem(o, []any{"spec", "portLevelMtls", port}, "invalid port %q", port)
			}
		}
	}
	for _, mode := range modes {
		if mode.Exists() && !slices.Contains([]string{"UNSET", "DISABLE", "PERMISSIVE", "STRICT"}, mode.Text()) {
			r.refuse(o, []any{"spec"}, "unknown mode %q", mode.Text())
		}
	}
	if spec.Has("portLevelMtls") && !spec.Has("selector") {
		r.mistake(o, []any{"spec", "portLevelMtls"}, "it holds for nothing without a selector")
	}
	p := &Policy{Object: o, tier: tierMesh, order: orderStrict, subject: r.meshed(o)}
	without := r.bits(r.everybody)
	without.without(r.inMesh().members)
	controller := r.controller()
	without.without(r.bits(controller))
	for _, s := range r.inMesh().strict {
		if s.object == o {
			who := &peers{pods: []group{groupOf(without)}, cidr: []cidr{{block: everyV4}, {block: everyV6}}}
			r.clause(p, Ingress, clause{action: Deny, who: who, ports: portList{numbers: s.ports}, only: &s.who, path: s.path})
			r.clause(p, Ingress, clause{action: Deny, who: &peers{pods: []group{controller}}, ports: portList{numbers: s.ports}, only: &s.who, path: s.path,
				when: []string{"a controller without an identity in the mesh"}})
		}
	}
	r.policies = append(r.policies, p)
}

// authorizationPolicy reads an AuthorizationPolicy of security.istio.io.
func (r *reader) authorizationPolicy(o *kube.Object) {
	spec := o.Root.Get("spec")
	a := &istio{reader: r, o: o, p: &Policy{Object: o, tier: tierMesh}}
	r.unknown(o, spec, []any{"spec"}, "selector", "action", "rules", "provider", "targetRef", "targetRefs")
	switch action := spec.Get("action").Text(); action {
	case "", "ALLOW":
		a.p.order, a.p.isolates[Ingress], a.action = orderAllow, true, Allow
	case "DENY":
		a.p.order, a.action = orderDeny, Deny
	case "CUSTOM":
		a.p.order, a.action = orderCustom, Deny
		a.when = []string{"what the authorizer " + spec.Get("provider", "name").Text() + " refuses"}
	case "AUDIT":
		return
	default:
		r.refuse(o, []any{"spec", "action"}, "unknown action %q", action)
		return
	}
	if spec.Get("targetRef").Exists() || spec.Get("targetRefs").Len() > 0 {
		r.note(o, []any{"spec", "targetRefs"}, "it holds at a gateway or waypoint, which the answer leaves out")
		return
	}
	if strings.EqualFold(o.Annotations["istio.io/dry-run"], "true") {
		r.note(o, []any{"metadata", "annotations"}, "istio.io/dry-run: it is only tried")
		return
	}
	a.p.subject = r.meshed(o)
	if name := r.namespaces.labels[r.number[spaceOf(o)]]["istio.io/use-waypoint"]; name != "" && name != "none" && !a.p.subject.empty() {
		r.lacks(o, nil, "connections to %s come by the waypoint %s, with its identity: the answer takes them to come straight", spaceOf(o), name)
	}
	if a.action == Allow { // a mesh only carries TCP
		rest := AllPorts()
		rest.of[TCP] = nil
		r.clause(a.p, Ingress, clause{action: Allow, who: (&peers{}).open(), ports: portList{numbers: rest}, path: []any{"spec"}})
	}
	for i, n := range spec.Get("rules").Items() {
		a.rule(n, []any{"spec", "rules", i})
	}
	r.policies = append(r.policies, a.p)
}

// istio reads one AuthorizationPolicy.
type istio struct {
	*reader
	o      *kube.Object
	p      *Policy
	action Action
	when   []string
	said   bool // that an ambient mesh does not read it
}

// rule reads one rule: each of its sources with each of its operations.
func (a *istio) rule(n *kube.Node, path []any) {
	a.unknown(a.o, n, path, "from", "to", "when")
	sources := []*kube.Node{nil}
	if from := n.Get("from"); from.Len() > 0 {
		sources = nil
		for i, s := range from.Items() {
			a.unknown(a.o, s.Get("source"), append(slices.Clone(path), "from", i, "source"), append(slices.Clone(identities), "ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks", "requestPrincipals", "notRequestPrincipals")...)
			sources = append(sources, s.Get("source"))
		}
	}
	operations := []*kube.Node{nil}
	if to := n.Get("to"); to.Len() > 0 {
		operations = nil
		for i, op := range to.Items() {
			a.unknown(a.o, op.Get("operation"), append(slices.Clone(path), "to", i, "operation"), "ports", "notPorts", "hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
			operations = append(operations, op.Get("operation"))
		}
	}
	for i, source := range sources {
		for j, operation := range operations {
			m := &match{istio: a, pods: a.bits(a.everybody), blocks: []Block{everyV4, everyV6}, when: slices.Clone(a.when), path: path}
			m.ports.of[TCP] = []span{{1, lastPort}}
			m.plain, m.plainBlocks = slices.Clone(m.pods), m.blocks
			m.source(source, append(slices.Clone(path), "from", i, "source"))
			m.operation(operation, append(slices.Clone(path), "to", j, "operation"))
			for k, c := range n.Get("when").Items() {
				m.condition(c, append(slices.Clone(path), "when", k))
			}
			m.emit()
		}
	}
}
