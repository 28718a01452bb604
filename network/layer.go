package network

import (
	"slices"
	"strings"
)

// layers makes the rows of the mesh, and those of what is sure where rules have conditions.
func (e *Engine) layers() {
	conditions, mesh := e.layered()
	if mesh {
		e.mesh = e.rows(Ingress, e.selecting(Ingress, true), false)
	}
	if !conditions {
		return
	}
	for _, d := range []Direction{Ingress, Egress} {
		e.sure[d] = e.rows(d, e.selecting(d, false), true)
	}
	if mesh {
		e.sure[2] = e.rows(Ingress, e.selecting(Ingress, true), true)
	}
}

// layered tells whether rules have conditions, and whether there is a mesh.
func (e *Engine) layered() (conditions, mesh bool) {
	for _, p := range e.Policies {
		mesh = mesh || p.tier == tierMesh
		for _, rules := range p.rules {
			conditions = conditions || slices.ContainsFunc(rules, func(r rule) bool { return len(r.when) > 0 })
		}
	}
	return conditions, mesh
}

// Sure are those of [Engine.Ports] that depend on no condition: not on a path, a method or a
// name that is asked for.
func (e *Engine) Sure(from, to int) Ports {
	if e.sure[Egress] == nil {
		return e.Ports(from, to)
	}
	p := e.sure[Egress][from].ports(to).Intersect(e.sure[Ingress][to].ports(from))
	if e.sure[2] != nil {
		p = p.Intersect(e.sure[2][to].ports(from))
	}
	return p
}

// SureBlock are those of [Engine.BlockPorts] that depend on no condition.
func (e *Engine) SureBlock(d Direction, endpoint, block int) Ports {
	if e.sure[d] == nil {
		return e.BlockPorts(d, endpoint, block)
	}
	p := e.sure[d][endpoint].beyond(block)
	if d == Ingress && e.sure[2] != nil {
		p = p.Intersect(e.sure[2][endpoint].beyond(block))
	}
	return p
}

// Condition is what a connection depends on besides ports and peers, and which rule says so. Of
// several that allow it one is enough.
type Condition struct {
	Policy *Policy
	Path   []any
	Action Action // of the rule: what it denies is what does not hold
	Text   string // "GET /public"
}

// String is the condition as answers write it: "only GET /public", "not GET /admin".
func (c Condition) String() string {
	if c.Action == Deny {
		return "not " + c.Text
	}
	return "only " + c.Text
}

// Conditions are those that what one endpoint may reach of another depends on; nil when it
// depends on none.
func (e *Engine) Conditions(from, to int) []Condition {
	all := e.Ports(from, to)
	if e.sure[Egress] == nil || all.Empty() || all.Equal(e.Sure(from, to)) {
		return nil
	}
	return append(e.conditions(e.Policies, Egress, from, to, all), e.conditions(e.Policies, Ingress, to, from, all)...)
}

// BlockConditions are those of what an endpoint receives from or reaches of a block.
func (e *Engine) BlockConditions(d Direction, endpoint, block int) []Condition {
	all := e.BlockPorts(d, endpoint, block)
	if e.sure[d] == nil || all.Empty() || all.Equal(e.SureBlock(d, endpoint, block)) {
		return nil
	}
	return e.conditions(e.Policies, d, endpoint, e.words*64+block, all)
}

// conditions are those of the rules of one direction that speak of a peer and some ports.
func (e *Engine) conditions(policies []*Policy, d Direction, endpoint, peer int, ports Ports) []Condition {
	var list []Condition
	for _, p := range policies {
		if !p.subject.has(endpoint) {
			continue
		}
		for i := range p.rules[d] {
			r := &p.rules[d][i]
			if len(r.when) == 0 || r.only != nil && !r.only.has(endpoint) || r.ports.Intersect(ports).Empty() || !e.speaksOf(r, peer) {
				continue
			}
			c := Condition{p, r.path, r.action, strings.Join(r.when, " and ")}
			if !slices.ContainsFunc(list, func(o Condition) bool {
				return o.Policy == p && o.Text == c.Text && o.Action == c.Action && slices.Equal(o.Path, c.Path)
			}) {
				list = append(list, c)
			}
		}
	}
	return list
}
