package network

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

// verdict goes through the policies as rows do, for one peer and one port.
func (e *Engine) verdict(d Direction, endpoint, peer int, proto Protocol, port uint16) Verdict {
	v := Verdict{Direction: d, Allowed: true}
	for i := 0; i < len(e.Policies) && e.Policies[i].tier < tierMesh; {
		tier := e.Policies[i].tier
		var isolating []*Policy
		passed := false
		for ; i < len(e.Policies) && e.Policies[i].tier == tier; i++ {
			p := e.Policies[i]
			if passed || !p.holds(d) || !p.subject.has(endpoint) {
				continue
			}
			if p.isolates[d] {
				isolating = append(isolating, p)
			}
			r := e.first(p, d, endpoint, peer, proto, port)
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

// first is the first rule of a policy that holds for a connection.
func (e *Engine) first(p *Policy, d Direction, endpoint, peer int, proto Protocol, port uint16) *rule {
	for i := range p.rules[d] {
		r := &p.rules[d][i]
		if r.counts(false) && (r.only == nil || r.only.has(endpoint)) && r.ports.Has(proto, port) && e.speaksOf(r, peer) {
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
