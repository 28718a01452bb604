// Package reason says in words why a connection is open or closed, and what to change.
package reason

import (
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// Question asks about connections from one peer to another.
type Question struct {
	Engine   *network.Engine
	From, To Peer
	// Ports are those that are asked about; none: those of To's containers, and all others.
	Ports network.Ports
}

// Answer is that connections on some ports are open, or closed, for the same reasons.
type Answer struct {
	From, To string
	Ports    network.Ports
	// Rest is true when the ports are all that no container names.
	Rest    bool
	Allowed bool
	Sides   []Side
	// When says on what else it depends: "only GET /public".
	When []string
	// Through are the objects by which an ingress controller hands the connections on.
	Through []Reason

	blocks []network.Block // of the end that is addresses
}

// Side is what one end of the connection says about it.
type Side struct {
	Direction string // egress, ingress, mesh
	Of        string // whose policies these are
	Allowed   bool
	Why       string // "rule spec.egress[0] of shop/NetworkPolicy/web allows it"
	Reasons   []Reason
	// Change says how the outcome is turned, and Add what to write for it.
	Change string
	Add    []string
}

// Reason is a policy, or a rule of one, with its place.
type Reason struct {
	Text   string
	Policy string
	Rule   string
	File   string
	Line   int
}

// Answers explains every connection that the question is about; those with the same reasons
// are one answer.
func (q *Question) Answers() []Answer {
	x := &answers{q: q, e: q.Engine}
	switch {
	case len(q.From.Blocks) > 0:
		for _, j := range q.To.Endpoints {
			x.blocks(network.Ingress, j, q.From)
		}
	case len(q.To.Blocks) > 0:
		for _, i := range q.From.Endpoints {
			x.blocks(network.Egress, i, q.To)
		}
	default:
		for _, i := range q.From.Endpoints {
			for _, j := range q.To.Endpoints {
				x.pair(i, j)
			}
		}
	}
	return whole(x.list)
}

// same tells whether answers have the same outcome for the same reasons.
func same(a, b *Answer) bool {
	return a.Allowed == b.Allowed && slices.Equal(a.When, b.When) && slices.Equal(a.Through, b.Through) && alike(a.Sides, b.Sides)
}

// whole joins answers with the same reasons that are about every port together.
func whole(list []Answer) []Answer {
	for i := 0; i < len(list); i++ {
		for k := i + 1; k < len(list); k++ {
			a, b := &list[i], &list[k]
			if a.From == b.From && a.To == b.To && same(a, b) && a.Ports.Union(b.Ports).All() {
				a.Ports = network.AllPorts()
				list = slices.Delete(list, k, k+1)
				k--
			}
		}
	}
	return list
}

type answers struct {
	q    *Question
	e    *network.Engine
	list []Answer
}

// pair explains what one endpoint may reach of another.
func (x *answers) pair(from, to int) {
	names := [2]string{x.e.Endpoints[from].String(), x.e.Endpoints[to].String()}
	x.each(x.e.Ports(from, to), []int{to}, func(p probe) {
		out, in := x.e.Explain(from, to, p.proto, p.port)
		a := x.answer(names, p)
		if !x.e.Endpoints[from].Outside {
			a.take(out, x.side(out, from, end{endpoint: to}, p))
		}
		a.take(in, x.side(in, to, end{endpoint: from}, p))
		x.mesh(&a, in, to, end{endpoint: from}, p)
		if x.e.Endpoints[from].Outside {
			x.ways(&a, to, p)
		}
		x.add(a)
	})
}

// ways adds the objects by which an ingress controller comes to an endpoint.
func (x *answers) ways(a *Answer, to int, p probe) {
	for _, w := range x.e.Ways(to) {
		if !w.Ports.Has(p.proto, p.port) {
			continue
		}
		hop := w.Through[len(w.Through)-1]
		l := hop.Object.Place(hop.Path...)
		text := "leads there"
		if len(w.Conditions) > 0 {
			text += ", if " + strings.Join(w.Conditions, ", ")
		}
		r := Reason{Text: text, Policy: hop.Object.ID(), Rule: kube.PathText(hop.Path...), File: l.File, Line: l.Line}
		if !slices.Contains(a.Through, r) {
			a.Through = append(a.Through, r)
		}
	}
	if len(a.Through) == 0 {
		a.Through = []Reason{{Text: "no Ingress, Route or Gateway leads there: what policies let through, nobody sends"}}
	}
}

// take adds a side.
func (a *Answer) take(v network.Verdict, s Side) {
	a.Sides = append(a.Sides, s)
	a.Allowed = a.Allowed && v.Allowed
	for _, c := range v.When {
		a.When = append(a.When, c.String())
	}
}

// mostNamed is how many ranges of addresses are named.
const mostNamed = 6

// probe is ports that one of them is asked about for.
type probe struct {
	ports network.Ports
	proto network.Protocol
	port  uint16
	rest  bool
}

// each gives the ports to explain, where open are those that get through: those of the
// question, or of the targets' containers and the others.
func (x *answers) each(open network.Ports, targets []int, explain func(probe)) {
	one := func(p network.Ports, rest bool) {
		for proto, ends := range p.Spans() {
			explain(probe{network.PortRange(proto, ends[0], ends[1]), proto, ends[0], rest})
		}
	}
	if !x.q.Ports.Empty() {
		one(x.q.Ports.Intersect(open), false)
		one(x.q.Ports.Minus(open), false)
		return
	}
	named := x.containerPorts(targets)
	one(named.Intersect(open), false)
	one(named.Minus(open), false)
	rest := network.AllPorts().Minus(named)
	one(rest.Intersect(open), true)
	one(rest.Minus(open), true)
}

// containerPorts are those that containers say they listen on.
func (x *answers) containerPorts(targets []int) network.Ports {
	var p network.Ports
	for _, i := range targets {
		w := x.e.Endpoints[i].Workload
		if w == nil {
			continue
		}
		for _, c := range w.Containers {
			for _, port := range c.Ports {
				if n := port.ContainerPort; 0 < n && n <= 65535 {
					p = p.Union(network.PortRange(protocol(string(port.Protocol)), uint16(n), uint16(n)))
				}
			}
		}
	}
	return p
}

func protocol(name string) network.Protocol {
	switch name {
	case "UDP":
		return network.UDP
	case "SCTP":
		return network.SCTP
	}
	return network.TCP
}

func (x *answers) answer(names [2]string, p probe) Answer {
	return Answer{From: names[0], To: names[1], Ports: p.ports, Rest: p.rest, Allowed: true}
}

// add adds an answer to one that has the same ends and reasons.
func (x *answers) add(a Answer) {
	for i := range x.list {
		if b := &x.list[i]; b.From == a.From && b.To == a.To && b.Rest == a.Rest && slices.Equal(a.blocks, b.blocks) && same(b, &a) {
			b.Ports = b.Ports.Union(a.Ports)
			return
		}
	}
	x.list = append(x.list, a)
}
