package reason

import (
	"fmt"
	"slices"

	"bulwark/kube"
	"bulwark/network"
)

// side says what the network has to say. other is the peer.
func (x *answers) side(v network.Verdict, endpoint int, other end, p probe) Side {
	e := x.e.Endpoints[endpoint]
	s := Side{Direction: v.Direction.String(), Of: e.String(), Allowed: v.Allowed || v.Mesh != nil}
	for _, passed := range v.Passed {
		s.Reasons = append(s.Reasons, reason("passes it on", passed.Policy, passed.Path))
	}
	for _, c := range v.When {
		if c.Action == network.Deny {
			s.Reasons = append(s.Reasons, reason("denies "+c.Text, c.Policy, c.Path))
		}
	}
	switch {
	case v.Policy != nil && s.Allowed:
		s.Why = "a rule allows it"
		s.allowing(v)
		s.Change = "to close it, narrow that rule"
	case v.Policy != nil:
		s.Why = "a rule denies it"
		s.Reasons = append(s.Reasons, reason("denies it", v.Policy, v.Path))
		s.Change = "to open it, narrow that rule"
		if hasOrder(v.Policy) {
			s.Change += ", or put one that allows it before it"
		}
	case len(v.Isolating) > 0:
		s.Why = "policies select it and no rule of theirs allows this"
		for _, policy := range v.Isolating {
			s.Reasons = append(s.Reasons, reason("has no rule for it", policy, policy.Part(v.Direction)))
		}
		x.open(&s, v, other, p)
	case e.Outside:
		s.Why = "no policy is known where it runs"
	case e.Host:
		s.Why = "its pods use the network of their node, where most network plugins hold no policy"
		s.Change = "to close it, take hostNetwork out, or filter on the node"
	case len(v.Passed) > 0:
		s.Why = "no policy of a later tier decides, so it is open"
		s.Change = "to close it, select " + e.String() + " by a NetworkPolicy with policyTypes: [" + title(v.Direction) + "]"
	default:
		s.Why = "no policy decides, so it is open"
		s.Change = "to close it, select " + e.String() + " by a NetworkPolicy with policyTypes: [" + title(v.Direction) + "]"
	}
	return s
}

// allowing adds the rule that allows it, or those of which one has to.
func (s *Side) allowing(v network.Verdict) {
	depends := false
	for _, c := range v.When {
		if c.Action == network.Allow {
			depends = true
			s.Reasons = append(s.Reasons, reason("allows "+c.Text, c.Policy, c.Path))
		}
	}
	if !depends {
		s.Reasons = append(s.Reasons, reason("allows it", v.Policy, v.Path))
	}
}

// hasOrder tells whether rules of a policy's kind are asked one after the other: of Cilium and
// meshes what any rule denies is denied.
func hasOrder(p *network.Policy) bool {
	return p.Group() != "cilium.io" && p.Group() != "security.istio.io"
}

// open says which rule to add to the first policy that takes one.
func (x *answers) open(s *Side, v network.Verdict, other end, p probe) {
	if p.rest {
		return // nobody asked for a port
	}
	i := 0 // the one that opens it to the fewest others
	for k, o := range v.Isolating {
		if o.Len() < v.Isolating[i].Len() {
			i = k
		}
	}
	one := v.Isolating[i]
	s.Add = x.ruleText(one, v.Direction, other, p)
	if s.Add == nil {
		s.Change = "to open it, add a rule to one of them that allows it"
		return
	}
	s.Change = fmt.Sprintf("to open it, add to %s of %s:", kube.PathText(one.Part(v.Direction)...), one.ID())
}

func title(d network.Direction) string {
	return map[network.Direction]string{network.Ingress: "Ingress", network.Egress: "Egress"}[d]
}

func reason(text string, p *network.Policy, path []any) Reason {
	l := p.Place(path...)
	return Reason{Text: text, Policy: p.ID(), Rule: kube.PathText(path...), File: l.File, Line: l.Line}
}

// alike tells whether sides have the same reasons; what to add may differ by the port.
func alike(a, b []Side) bool {
	return slices.EqualFunc(a, b, func(a, b Side) bool {
		return a.Direction == b.Direction && a.Of == b.Of && a.Allowed == b.Allowed && a.Why == b.Why && slices.Equal(a.Reasons, b.Reasons)
	})
}
