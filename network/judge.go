package network

import (
	"iter"
	"slices"
	"strconv"

	"bulwark/kube"
)

// RuleView is one rule of a policy, for those who judge it.
type RuleView struct {
	Direction Direction
	Action    Action
	Ports     Ports
	Path      []any // where it is written
	// When says on what else it depends whether the rule holds.
	When []string

	r *rule
}

// Endpoints are the peers that the rule speaks of.
func (v *RuleView) Endpoints() iter.Seq[int] { return v.r.pods.each }

// Blocks are the addresses that it speaks of, as positions in [Engine.Blocks].
func (v *RuleView) Blocks() iter.Seq[int] { return v.r.blocks.each }

// Len is how many endpoints and blocks it speaks of.
func (v *RuleView) Len() (endpoints, blocks int) { return v.r.pods.len(), v.r.blocks.len() }

// HoldsFor tells whether the rule speaks of an endpoint of its policy's: one with a named
// port has another number in others.
func (v *RuleView) HoldsFor(endpoint int) bool { return v.r.only == nil || v.r.only.has(endpoint) }

// Subject are the endpoints that a policy holds for.
func (p *Policy) Subject() iter.Seq[int] { return p.subject.each }

// Len is how many endpoints a policy holds for.
func (p *Policy) Len() int { return p.subject.len() }

// Holds tells whether a policy says anything about a direction.
func (p *Policy) Holds(d Direction) bool { return p.holds(d) }

// Denies tells whether a rule of a direction denies something.
func (p *Policy) Denies(d Direction) bool {
	return slices.ContainsFunc(p.rules[d], func(r rule) bool { return r.action == Deny })
}

// Isolates tells whether a policy drops what no rule of its tier decides.
func (p *Policy) Isolates(d Direction) bool { return p.isolates[d] }

// Rules are those of a direction, in order. One that names ports may be several.
func (p *Policy) Rules(d Direction) []RuleView {
	var list []RuleView
	for i := range p.rules[d] {
		r := &p.rules[d][i]
		list = append(list, RuleView{d, r.action, r.ports, slices.Clone(r.path), r.when, r})
	}
	return list
}

// Side is what one end alone lets through: on which ports an endpoint may receive from
// (Ingress) or reach (Egress) a peer.
func (e *Engine) Side(d Direction, endpoint, peer int) Ports { return e.rowOf[d][endpoint].ports(peer) }

// Directory finds Services, and the endpoints behind them.
type Directory struct{ x *services }

// Directory is that of the set that the engine was made of.
func (e *Engine) Directory(s *kube.Set) *Directory { return &Directory{newServices(e, s)} }

// Service gives a Service by name; nil when it is not there.
func (d *Directory) Service(namespace, name string) *kube.Object {
	return d.x.byName[namespace+"/"+name]
}

// Behind gives the endpoints of a Service, with the ports of theirs that its port leads to, by
// number or name; that all of its ports lead to for "".
func (d *Directory) Behind(service *kube.Object, port string) map[int]Ports {
	var n *kube.Node
	if port != "" {
		n, _ = kube.ParseJSON([]byte(strconv.Quote(port)))
	}
	m := map[int]Ports{}
	for _, b := range d.x.behind(service, n) {
		m[b.endpoint] = m[b.endpoint].Union(b.ports)
	}
	return m
}
