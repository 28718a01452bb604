package reason

import (
	"fmt"
	"strings"

	"bulwark/network"
)

// mesh adds what a mesh says of what the network lets through.
func (x *answers) mesh(a *Answer, v network.Verdict, to int, from end, p probe) {
	m := v.Mesh
	if m == nil {
		return
	}
	s := Side{Direction: "mesh", Of: x.e.Endpoints[to].String(), Allowed: m.Allowed}
	for _, c := range m.When {
		a.When = append(a.When, c.String())
		if c.Action == network.Deny {
			s.Reasons = append(s.Reasons, reason("denies "+c.Text, c.Policy, c.Path))
		}
	}
	switch {
	case m.Policy != nil && m.Allowed:
		s.Why = "a rule allows it"
		s.allowing(m.Verdict)
		s.Change = "to close it, narrow that rule"
	case m.Policy != nil:
		s.Why = "a rule denies it"
		s.Reasons = append(s.Reasons, reason("denies it", m.Policy, m.Path))
		s.Change = "to open it, narrow that rule"
		if m.Policy.Kind == "PeerAuthentication" {
			s.Why = "only who has an identity in the mesh gets in"
			s.Reasons[len(s.Reasons)-1].Text = "asks for mutual TLS"
			s.Change = "to open it, come by a gateway of the mesh, or allow plain text there: PERMISSIVE for the port"
			if from.endpoint >= 0 {
				s.Change = "to open it, bring " + x.nameOf(from) + " into the mesh, or allow plain text there: PERMISSIVE for the port"
			}
		}
	case !m.Allowed:
		s.Why = "policies of the mesh hold for it and no rule of theirs allows this"
		for _, policy := range m.Isolating {
			s.Reasons = append(s.Reasons, reason("has no rule for it", policy, policy.Part(network.Ingress)))
		}
		x.openMesh(&s, m.Isolating, from, p)
	default:
		s.Why = "policies of the mesh hold for it, and none drops this"
		for _, policy := range m.Holding {
			s.Reasons = append(s.Reasons, reason("does not drop it", policy, policy.Part(network.Ingress)))
		}
		s.Change = "to close it, add an AuthorizationPolicy that holds for " + s.Of + " and allows others alone"
	}
	a.Sides = append(a.Sides, s)
}

func (x *answers) nameOf(o end) string {
	if o.endpoint >= 0 {
		return x.e.Endpoints[o.endpoint].String()
	}
	return o.name
}

// openMesh says which rule to add.
func (x *answers) openMesh(s *Side, isolating []*network.Policy, from end, p probe) {
	if p.rest {
		return // nobody asked for a port
	}
	one := isolating[0]
	for _, o := range isolating {
		if o.Len() < one.Len() {
			one = o
		}
	}
	path := "spec.rules"
	s.Change = fmt.Sprintf("to open it, add to %s of %s:", path, one.ID())
	source := ""
	switch {
	case from.endpoint < 0 && from.internet:
		source = `{ipBlocks: ["0.0.0.0/0", "2000::/3"], notIpBlocks: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}`
	case from.endpoint < 0:
		source = "{ipBlocks: [" + scalar(from.name) + "]}"
	default:
		if identity := x.e.Identity(from.endpoint); identity != "" {
			source = "{principals: [" + scalar(identity) + "]}"
		}
	}
	lead := "- "
	if source != "" {
		s.Add = append(s.Add, "- from: [{source: "+source+"}]")
		lead = "  "
	} else if from.endpoint >= 0 && !x.e.Endpoints[from.endpoint].Outside {
		s.Change = strings.TrimSuffix(s.Change, ":") + " (" + x.nameOf(from) + " has no identity in the mesh: the rule opens the port to everybody):"
	}
	s.Add = append(s.Add, fmt.Sprintf("%sto: [{operation: {ports: [\"%d\"]}}]", lead, p.port))
}
