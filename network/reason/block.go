package reason

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/network"
)

// blocks explains what an endpoint receives from or reaches of addresses.
func (x *answers) blocks(d network.Direction, endpoint int, other Peer) {
	first := len(x.list)
	far := end{endpoint: -1, name: other.Name, internet: len(other.Blocks) > 1}
	var targets []int
	if d == network.Ingress {
		targets = []int{endpoint}
	}
	for b, block := range x.e.Blocks(d) {
		parts := common(block, other.Blocks)
		if len(parts) == 0 {
			continue
		}
		x.each(x.e.BlockPorts(d, endpoint, b), targets, func(p probe) {
			v := x.e.ExplainBlock(d, endpoint, b, p.proto, p.port)
			a := x.answer([2]string{}, p)
			a.blocks = parts
			side := x.side(v, endpoint, far, p)
			if d == network.Egress && !v.Allowed {
				x.domains(&side, endpoint, p)
			}
			a.take(v, side)
			x.mesh(&a, v, endpoint, far, p)
			x.add(a)
		})
	}
	x.join(first)
	for i := range x.list[first:] {
		a := &x.list[first+i]
		a.From, a.To = nameOf(a.blocks, other), x.e.Endpoints[endpoint].String()
		if d == network.Egress {
			a.From, a.To = a.To, a.From
		}
	}
}

// domains adds the rules that allow names: which addresses those have is not known.
func (x *answers) domains(s *Side, endpoint int, p probe) {
	for k, name := range x.e.Domains() {
		if v := x.e.ExplainDomain(endpoint, k, p.proto, p.port); v.Allowed && v.Policy != nil {
			s.Reasons = append(s.Reasons, reason("allows "+name+", whose addresses are not known: it is open where they are those", v.Policy, v.Path))
		}
	}
}

// join makes one answer of those, from first on, that say the same of the same ports of other
// addresses.
func (x *answers) join(first int) {
	for i := first; i < len(x.list); i++ {
		for k := i + 1; k < len(x.list); k++ {
			if a, b := &x.list[i], &x.list[k]; a.Rest == b.Rest && a.Ports.Equal(b.Ports) && same(a, b) {
				a.blocks = slices.Concat(a.blocks, b.blocks)
				x.list = slices.Delete(x.list, k, k+1)
				k--
			}
		}
	}
}

// common gives the parts of a block that others have.
func common(block network.Block, others []network.Block) []network.Block {
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
	return parts
}

// nameOf names addresses that are part of those that were asked for.
func nameOf(blocks []network.Block, other Peer) string {
	blocks = together(blocks)
	if len(other.Blocks) == 1 {
		return strings.Join(ranges(blocks), ", ")
	}
	if slices.Equal(blocks, other.Blocks) {
		return "internet"
	}
	six := slices.IndexFunc(blocks, func(b network.Block) bool { return b.First.Is6() })
	if six < 0 {
		six = len(blocks)
	}
	last := len(other.Blocks) - 1
	var names []string // of the Internet nobody wants to read what it is not
	part := func(family string, part, whole []network.Block) {
		if slices.Equal(part, whole) {
			names = append(names, family)
			return
		}
		names = append(names, ranges(part)...)
	}
	part("IPv4", blocks[:six], other.Blocks[:last])
	part("IPv6", blocks[six:], other.Blocks[last:])
	return "internet (" + strings.Join(names, ", ") + ")"
}

// ranges writes blocks.
func ranges(blocks []network.Block) []string {
	var names []string
	for i, b := range blocks {
		if i == mostNamed {
			return append(names, fmt.Sprintf("and %d ranges more", len(blocks)-i))
		}
		name := b.String()
		if b.First == b.Last {
			name = b.First.String()
		}
		names = append(names, name)
	}
	return names
}

// together makes one of blocks that touch.
func together(blocks []network.Block) []network.Block {
	blocks = slices.Clone(blocks)
	slices.SortFunc(blocks, func(a, b network.Block) int { return a.First.Compare(b.First) })
	var list []network.Block
	for _, b := range blocks {
		if n := len(list); n > 0 && list[n-1].Last.Next() == b.First {
			list[n-1].Last = b.Last
			continue
		}
		list = append(list, b)
	}
	return list
}
