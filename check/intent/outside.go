package intent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"bulwark/network"
	"bulwark/network/reason"
)

// outside looks at what an endpoint receives from addresses, or sends to them.
func (x *look) outside(d network.Direction, endpoint int) {
	flows := x.to[endpoint]
	if d == network.Egress {
		flows = x.from[endpoint]
	}
	var list []excess
	for b, whole := range x.e.Blocks(d) {
		if whole.First.Is6() && len(x.e.Blocks(d)) == b+1 && whole.First.IsUnspecified() {
			break // nothing speaks of IPv6
		}
		open := x.e.BlockPorts(d, endpoint, b)
		for _, block := range x.cut(whole, flows, d) {
			list = more(list, block, open.Minus(x.meant(block, flows, d)))
		}
	}
	for i := range list {
		out, in := reason.Peer{Name: list[i].name(), Blocks: list[i].blocks}, x.peer(endpoint)
		if d == network.Egress {
			out, in = in, out
		}
		x.beyond(out, in, list[i].ports, endpoint, d == network.Ingress && list[i].public())
	}
	x.closedOutside(d, endpoint, flows)
}

// excess is ports that are open with blocks, and not meant.
type excess struct {
	blocks []network.Block
	ports  network.Ports
}

// more adds a block to those that are open on the same ports, and joins it to one that it touches.
func more(list []excess, b network.Block, ports network.Ports) []excess {
	if ports.Empty() {
		return list
	}
	i := slices.IndexFunc(list, func(e excess) bool { return e.ports.Equal(ports) })
	if i < 0 {
		return append(list, excess{[]network.Block{b}, ports})
	}
	if last := &list[i].blocks[len(list[i].blocks)-1]; last.Last.Next() == b.First {
		last.Last = b.Last
	} else {
		list[i].blocks = append(list[i].blocks, b)
	}
	return list
}

// name is the blocks as people are told of them.
func (e *excess) name() string {
	var words []string
	for i, b := range e.blocks {
		if i == 3 && len(e.blocks) > 4 {
			words = append(words, fmt.Sprintf("%d more blocks", len(e.blocks)-i))
			break
		}
		words = append(words, b.String())
	}
	return strings.Join(words, ", ") + "[External]"
}

// public tells whether an address of the Internet is among them.
func (e *excess) public() bool {
	return slices.ContainsFunc(e.blocks, func(b network.Block) bool {
		if b.First.Is6() {
			return true
		}
		_, ok := overlap(b, reason.Internet().Blocks)
		return ok
	})
}

// other are the peers at the far end of a flow.
func (x *look) other(flow int, d network.Direction) []peer {
	if d == network.Ingress {
		return x.c.Flows[flow].From
	}
	return x.c.Flows[flow].To
}

// cut divides a block where flows tell its addresses apart.
func (x *look) cut(b network.Block, flows []int, d network.Direction) []network.Block {
	starts := []netip.Addr{b.First}
	for _, k := range flows {
		for _, p := range x.other(k, d) {
			for _, c := range p.blocks {
				for _, a := range []netip.Addr{c.First, c.Last.Next()} {
					if a.IsValid() && b.Contains(a) {
						starts = append(starts, a)
					}
				}
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	list := make([]network.Block, len(starts))
	for i, a := range starts {
		list[i] = network.Block{First: a, Last: b.Last}
		if i+1 < len(starts) {
			list[i].Last = starts[i+1].Prev()
		}
	}
	return list
}

// meant are the ports that flows allow with a block that they do not tell apart.
func (x *look) meant(b network.Block, flows []int, d network.Direction) network.Ports {
	var ports network.Ports
	for _, k := range flows {
		if slices.ContainsFunc(x.other(k, d), func(p peer) bool {
			return p.any || slices.ContainsFunc(p.blocks, func(c network.Block) bool { return c.Contains(b.First) })
		}) {
			ports = ports.Union(x.c.Flows[k].Ports)
		}
	}
	return ports
}

// closedOutside finds intended flows with addresses that are closed, each once.
func (x *look) closedOutside(d network.Direction, endpoint int, flows []int) {
	for _, k := range flows {
		f := &x.c.Flows[k]
		if f.Optional {
			continue
		}
		for _, p := range x.other(k, d) {
			for b, block := range x.e.Blocks(d) {
				part, ok := overlap(block, p.blocks)
				open := x.e.BlockPorts(d, endpoint, b)
				if closed := f.Ports.Minus(open); ok && !closed.Empty() && (!f.Any || open.Empty()) {
					out, in := reason.Peer{Name: part.String() + "[External]", Blocks: []network.Block{part}}, x.peer(endpoint)
					if d == network.Egress {
						out, in = in, out
					}
					x.closed(f, out, in, closed, endpoint)
					break
				}
			}
		}
	}
}

// overlap is the first part of a block that is in others.
func overlap(b network.Block, others []network.Block) (network.Block, bool) {
	for _, o := range others {
		if o.First.BitLen() == b.First.BitLen() && !o.Last.Less(b.First) && !b.Last.Less(o.First) {
			if o.First.Less(b.First) {
				o.First = b.First
			}
			if b.Last.Less(o.Last) {
				o.Last = b.Last
			}
			return o, true
		}
	}
	return network.Block{}, false
}
