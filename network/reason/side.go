package reason

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// side says what a verdict comes to. other is the peer as a rule names it.
func (x *answers) side(v network.Verdict, endpoint int, other []string, p probe) Side {
	e := x.e.Endpoints[endpoint]
	s := Side{Direction: v.Direction.String(), Of: e.String(), Allowed: v.Allowed}
	for _, passed := range v.Passed {
		s.Reasons = append(s.Reasons, reason("passes it on", passed.Policy, passed.Path))
	}
	switch {
	case v.Policy != nil && v.Allowed:
		s.Why = "a rule allows it"
		s.Reasons = append(s.Reasons, reason("allows it", v.Policy, v.Path))
		s.Change = "to close it, narrow that rule"
	case v.Policy != nil:
		s.Why = "a rule denies it"
		s.Reasons = append(s.Reasons, reason("denies it", v.Policy, v.Path))
		s.Change = "to open it, narrow that rule, or put one that allows it before it"
	case len(v.Isolating) > 0:
		s.Why = "policies select it and no rule of theirs allows this"
		for _, policy := range v.Isolating {
			s.Reasons = append(s.Reasons, reason("has no rule for it", policy, []any{"spec", v.Direction.String()}))
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

// open says which rule to add to the first policy that takes one.
func (x *answers) open(s *Side, v network.Verdict, other []string, p probe) {
	i := -1 // the one that opens it to the fewest others
	for k, o := range v.Isolating {
		if o.Is("networking.k8s.io", "NetworkPolicy") && (i < 0 || o.Len() < v.Isolating[i].Len()) {
			i = k
		}
	}
	if p.rest {
		return // nobody asked for a port
	}
	if i < 0 || other == nil {
		s.Change = "to open it, add a rule to one of them that allows it"
		return
	}
	field := map[network.Direction]string{network.Ingress: "from", network.Egress: "to"}[v.Direction]
	s.Change = fmt.Sprintf("to open it, add to spec.%s of %s:", v.Direction, v.Isolating[i].ID())
	s.Add = append(s.Add, "- "+field+":")
	for k, line := range other {
		lead := "      "
		if k == 0 {
			lead = "    - "
		}
		s.Add = append(s.Add, lead+line)
	}
	s.Add = append(s.Add, fmt.Sprintf("  ports: [{protocol: %s, port: %d}]", p.proto, p.port))
}

func title(d network.Direction) string {
	return map[network.Direction]string{network.Ingress: "Ingress", network.Egress: "Egress"}[d]
}

// mesh adds what a mesh says when it drops what the network lets through.
func (x *answers) mesh(a *Answer, to int, p probe) {
	if !a.Allowed {
		return
	}
	open := false
	for _, answer := range x.through(a, to) {
		open = open || answer.Has(p.proto, p.port)
	}
	if open {
		return
	}
	a.Allowed = false
	s := Side{Direction: "mesh", Of: x.e.Endpoints[to].String(), Why: "policies of the mesh do not allow it", Change: "to open it, add a rule to an AuthorizationPolicy that allows it"}
	for _, policy := range x.e.Policies {
		if policy.Group() == "security.istio.io" && selects(policy, to) {
			s.Reasons = append(s.Reasons, reason("holds for it", policy, []any{"spec"}))
		}
	}
	a.Sides = append(a.Sides, s)
}

// through are the ports that the engine says are open between the ends of an answer.
func (x *answers) through(a *Answer, to int) []network.Ports {
	var list []network.Ports
	for i, e := range x.e.Endpoints {
		if e.String() == a.From && slices.Contains(x.q.From.Endpoints, i) {
			list = append(list, x.e.Ports(i, to))
		}
	}
	for b, block := range x.e.Blocks(network.Ingress) {
		if _, ok := common(block, x.q.From.Blocks); ok {
			list = append(list, x.e.BlockPorts(network.Ingress, to, b))
		}
	}
	return list
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

// peerText is an endpoint as a NetworkPolicy selects it; nil when it cannot.
func (x *answers) peerText(endpoint int) []string {
	e := x.e.Endpoints[endpoint]
	if e.Outside || e.Host {
		return nil
	}
	labels := map[string]string{}
	if e.Workload != nil {
		for k, v := range e.Workload.Root.Get("spec", "selector", "matchLabels").Fields() {
			labels[k] = v.Text()
		}
	}
	if len(labels) == 0 {
		for k, v := range e.Labels {
			if k != "pod-template-hash" && k != "controller-revision-hash" {
				labels[k] = v
			}
		}
	}
	pods := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		pods = append(pods, scalar(k)+": "+scalar(labels[k]))
	}
	selector := "podSelector: {}"
	if len(pods) > 0 {
		selector = "podSelector: {matchLabels: {" + strings.Join(pods, ", ") + "}}"
	}
	return []string{"namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: " + scalar(e.Namespace) + "}}", selector}
}

// blockText is addresses as a NetworkPolicy names them.
func blockText(p Peer) []string {
	if len(p.Blocks) > 1 {
		return []string{"ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16]}"}
	}
	return []string{"ipBlock: {cidr: " + scalar(p.Name) + "}"}
}

// scalar writes a value of YAML in one line.
func scalar(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x7f || r < '-' || strings.ContainsRune(":;<=>?@[\\]^`{|}~", r)
	})
	if plain && !strings.ContainsAny(s[:1], "-.0123456789") && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

// selects tells whether a policy speaks of an endpoint.
func selects(p *network.Policy, endpoint int) bool {
	for i := range p.Subject() {
		if i == endpoint {
			return true
		}
	}
	return false
}
