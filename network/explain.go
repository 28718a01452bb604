package network

import (
	"slices"
	"sort"
)

// Verdict is what one direction of a connection comes to, and why.
type Verdict struct {
	Direction Direction
	Allowed   bool
	// Policy and Path are the rule that decides; Policy is nil when none does.
	Policy *Policy
	Path   []any
	// Passed are the rules that hand the connection on to the next tier, in order.
	Passed []Decisive
	// Isolating are the policies that drop what no rule of theirs allows: they decide when
	// there are any and Policy is nil.
	Isolating []*Policy
	// When is on what else it depends that the connection is allowed; nil: on nothing.
	When []Condition
	// Mesh is what the mesh of the receiver says of what the network lets in; nil when no
	// policy of a mesh holds for it. Allowed counts it in, all else of the verdict is the
	// network's.
	Mesh *MeshVerdict
}

// MeshVerdict is what a mesh says of a connection.
type MeshVerdict struct {
	Verdict
	// Holding are the policies that hold for the receiver.
	Holding []*Policy
}

// Decisive is a rule of a policy.
type Decisive struct {
	Policy *Policy
	Path   []any
}

// Explain says of each direction what decides whether one endpoint reaches another on a
// port. The connection is there when both allow it.
func (e *Engine) Explain(from, to int, proto Protocol, port uint16) (egress, ingress Verdict) {
	return e.verdict(Egress, from, to, proto, port), e.verdict(Ingress, to, from, proto, port)
}

// ExplainBlock says what decides whether an endpoint receives from (Ingress) or reaches
// (Egress) a block of [Engine.Blocks] on a port.
func (e *Engine) ExplainBlock(d Direction, endpoint, block int, proto Protocol, port uint16) Verdict {
	return e.verdict(d, endpoint, e.words*64+block, proto, port)
}

// ExplainDomain says what decides whether an endpoint reaches a domain of [Engine.Domains].
func (e *Engine) ExplainDomain(endpoint, domain int, proto Protocol, port uint16) Verdict {
	return e.ExplainBlock(Egress, endpoint, len(e.blocks[Egress])+domain, proto, port)
}

// verdict goes through the policies as rows do, for one peer and one port: those of the
// network, then those of the mesh, which have to let in what the others do.
func (e *Engine) verdict(d Direction, endpoint, peer int, proto Protocol, port uint16) Verdict {
	mesh := sort.Search(len(e.Policies), func(i int) bool { return e.Policies[i].tier >= tierMesh })
	v := e.layer(e.Policies[:mesh], d, endpoint, peer, proto, port)
	if !v.Allowed || d == Egress || proto != TCP { // a mesh carries nothing else
		return v
	}
	m := &MeshVerdict{}
	for _, p := range e.Policies[mesh:] {
		if p.holds(d) && p.subject.has(endpoint) {
			m.Holding = append(m.Holding, p)
		}
	}
	if len(m.Holding) > 0 {
		m.Verdict = e.layer(m.Holding, d, endpoint, peer, proto, port)
		v.Mesh, v.Allowed = m, m.Allowed
	}
	return v
}

// layer is what policies say: what is sure, else what may be, and on what that depends.
func (e *Engine) layer(policies []*Policy, d Direction, endpoint, peer int, proto Protocol, port uint16) Verdict {
	if e.sure[d] == nil {
		return e.decided(policies, d, endpoint, peer, proto, port, false)
	}
	if v := e.decided(policies, d, endpoint, peer, proto, port, true); v.Allowed {
		return v
	}
	v := e.decided(policies, d, endpoint, peer, proto, port, false)
	if v.Allowed {
		v.When = e.conditions(policies, d, endpoint, peer, PortRange(proto, port, port))
	}
	return v
}

// decided is what policies say of one peer and one port.
func (e *Engine) decided(policies []*Policy, d Direction, endpoint, peer int, proto Protocol, port uint16, sure bool) Verdict {
	v := Verdict{Direction: d, Allowed: true}
	for i := 0; i < len(policies); {
		tier := policies[i].tier
		var isolating []*Policy
		passed := false
		for ; i < len(policies) && policies[i].tier == tier; i++ {
			p := policies[i]
			if passed || !p.holds(d) || !p.subject.has(endpoint) {
				continue
			}
			if p.isolates[d] {
				isolating = append(isolating, p)
			}
			r := e.first(p, d, endpoint, peer, proto, port, sure)
			switch {
			case r == nil:
			case r.action == Pass:
				v.Passed = append(v.Passed, Decisive{p, r.path})
				passed = true
			default:
				v.Policy, v.Path, v.Allowed = p, r.path, r.action == Allow
				return v
			}
		}
		if len(isolating) > 0 && !passed {
			v.Isolating, v.Allowed = isolating, false
			return v
		}
	}
	return v
}

// deciding are the policies that a verdict rests on.
func (v Verdict) deciding() []*Policy {
	if v.Mesh != nil && !v.Mesh.Allowed {
		return v.Mesh.deciding()
	}
	if v.Policy != nil {
		return []*Policy{v.Policy}
	}
	return v.Isolating
}

// Part is where a policy says what it says of a direction.
func (p *Policy) Part(d Direction) []any {
	at := p.at
	if at == nil {
		at = []any{"spec"}
	}
	switch {
	case p.tier != tierMesh:
		return append(slices.Clone(at), d.String())
	case p.Root.At(at...).Has("rules"):
		return append(slices.Clone(at), "rules")
	}
	return slices.Clone(at)
}

// first is the first rule of a policy that holds for a connection.
func (e *Engine) first(p *Policy, d Direction, endpoint, peer int, proto Protocol, port uint16, sure bool) *rule {
	for i := range p.rules[d] {
		r := &p.rules[d][i]
		if r.counts(sure) && (r.only == nil || r.only.has(endpoint)) && r.ports.Has(proto, port) && e.speaksOf(r, peer) {
			return r
		}
	}
	return nil
}

func (e *Engine) speaksOf(r *rule, peer int) bool {
	if block := peer - e.words*64; block >= 0 {
		return r.blocks.has(block)
	}
	return r.pods.has(peer)
}
