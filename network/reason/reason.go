// Package reason says in words why a connection is open or closed, and what to change.
package reason

import (
	"net/netip"
	"slices"

	"bulwark/network"
)

// Peer is one end of a connection that somebody asks about: endpoints of one name, or
// addresses.
type Peer struct {
	Name      string
	Endpoints []int
	Blocks    []network.Block
}

// Internet is every address that is not private, local or reserved.
func Internet() Peer {
	p := Peer{Name: "internet"}
	for _, ends := range [][2]string{{"1.0.0.0", "9.255.255.255"}, {"11.0.0.0", "100.63.255.255"}, {"100.128.0.0", "126.255.255.255"}, {"128.0.0.0", "169.253.255.255"},
		{"169.255.0.0", "172.15.255.255"}, {"172.32.0.0", "192.167.255.255"}, {"192.169.0.0", "198.17.255.255"}, {"198.20.0.0", "223.255.255.255"}} {
		p.Blocks = append(p.Blocks, network.Block{First: netip.MustParseAddr(ends[0]), Last: netip.MustParseAddr(ends[1])})
	}
	return p
}

// Addresses are those of a prefix.
func Addresses(p netip.Prefix) Peer {
	p = p.Masked()
	last := p.Addr().AsSlice()
	for i := range last {
		if keep := p.Bits() - 8*i; keep < 8 {
			last[i] |= 0xff >> max(keep, 0)
		}
	}
	end, _ := netip.AddrFromSlice(last)
	return Peer{Name: p.String(), Blocks: []network.Block{{First: p.Addr(), Last: end}}}
}

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

// whole joins answers with the same reasons that are about every port together.
func whole(list []Answer) []Answer {
	for i := 0; i < len(list); i++ {
		for k := i + 1; k < len(list); k++ {
			a, b := &list[i], &list[k]
			if a.From == b.From && a.To == b.To && a.Allowed == b.Allowed && slices.Equal(a.When, b.When) && alike(a.Sides, b.Sides) && a.Ports.Union(b.Ports).All() {
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
			a.Sides = append(a.Sides, x.side(out, from, x.peerText(to), p))
		}
		a.Sides = append(a.Sides, x.side(in, to, x.peerText(from), p))
		a.Allowed = out.Allowed && in.Allowed
		x.mesh(&a, to, p)
		if a.Allowed {
			for _, c := range x.e.Conditions(from, to) {
				a.When = append(a.When, c.String())
			}
		}
		x.add(a)
	})
}

// blocks explains what an endpoint receives from or reaches of addresses.
func (x *answers) blocks(d network.Direction, endpoint int, other Peer) {
	for b, block := range x.e.Blocks(d) {
		part, ok := common(block, other.Blocks)
		if !ok {
			continue
		}
		names := [2]string{part, x.e.Endpoints[endpoint].String()}
		targets := []int{endpoint}
		if d == network.Egress {
			names[0], names[1], targets = names[1], names[0], nil
		}
		x.each(x.e.BlockPorts(d, endpoint, b), targets, func(p probe) {
			v := x.e.ExplainBlock(d, endpoint, b, p.proto, p.port)
			a := x.answer(names, p)
			a.Sides = []Side{x.side(v, endpoint, blockText(other), p)}
			a.Allowed = v.Allowed
			if d == network.Ingress {
				x.mesh(&a, endpoint, p)
			}
			if a.Allowed {
				for _, c := range x.e.BlockConditions(d, endpoint, b) {
					a.When = append(a.When, c.String())
				}
			}
			x.add(a)
		})
	}
}

// common names the part of a block that others have: their own name when it is all of them.
func common(block network.Block, others []network.Block) (string, bool) {
	var parts []network.Block
	for _, o := range others {
		if o.First.BitLen() != block.First.BitLen() || o.Last.Less(block.First) || block.Last.Less(o.First) {
			continue
		}
		if o.First.Less(block.First) {
			o.First = block.First
		}
		if block.Last.Less(o.Last) {
			o.Last = block.Last
		}
		parts = append(parts, o)
	}
	switch {
	case len(parts) == 0:
		return "", false
	case len(others) > 1: // the Internet: nobody wants to read what it is not
		if len(parts) == len(others) && parts[0] == others[0] && parts[len(parts)-1] == others[len(others)-1] {
			return "internet", true
		}
		return block.String() + " (internet)", true
	case parts[0].First == parts[0].Last:
		return parts[0].First.String(), true
	}
	return parts[0].String(), true
}

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
	return Answer{From: names[0], To: names[1], Ports: p.ports, Rest: p.rest}
}

// add adds an answer to one that has the same ends and reasons.
func (x *answers) add(a Answer) {
	for i := range x.list {
		if b := &x.list[i]; b.From == a.From && b.To == a.To && b.Rest == a.Rest && b.Allowed == a.Allowed && alike(b.Sides, a.Sides) {
			b.Ports = b.Ports.Union(a.Ports)
			return
		}
	}
	x.list = append(x.list, a)
}
