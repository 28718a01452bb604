package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// Block is a range of addresses of one family, both ends in it.
type Block struct{ First, Last netip.Addr }

// String is the block as people write it: "10.0.0.0-10.255.255.255".
func (b Block) String() string { return b.First.String() + "-" + b.Last.String() }

// Contains tells whether an address is in the block.
func (b Block) Contains(a netip.Addr) bool {
	return a.BitLen() == b.First.BitLen() && b.First.Compare(a) <= 0 && a.Compare(b.Last) <= 0
}

// BlockOf is the addresses of a prefix.
func BlockOf(p netip.Prefix) Block {
	p = p.Masked()
	last := p.Addr().AsSlice()
	for i := range last {
		if keep := p.Bits() - 8*i; keep < 8 {
			last[i] |= 0xff >> max(keep, 0)
		}
	}
	end, _ := netip.AddrFromSlice(last)
	return Block{p.Addr(), end}
}

var (
	everyV4 = BlockOf(netip.MustParsePrefix("0.0.0.0/0"))
	everyV6 = BlockOf(netip.MustParsePrefix("::/0"))
)

// cut gives the blocks that the ends of the given ones cut all addresses into, in order: an
// address of a block is in the same of the given ones as all others of it. IPv6 is cut where
// something speaks of it, or is one block.
func cut(blocks []Block) []Block {
	starts := []netip.Addr{everyV4.First, everyV6.First}
	for _, b := range blocks {
		starts = append(starts, b.First)
		if next := b.Last.Next(); next.IsValid() {
			starts = append(starts, next)
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare) // IPv4 sorts before IPv6
	starts = slices.Compact(starts)
	list := make([]Block, len(starts))
	for i, first := range starts {
		last := everyV4.Last
		if first.Is6() {
			last = everyV6.Last
		}
		if i+1 < len(starts) && starts[i+1].BitLen() == first.BitLen() {
			last = starts[i+1].Prev()
		}
		list[i] = Block{first, last}
	}
	return list
}

// compare orders blocks by their addresses; IPv4 before IPv6.
func (b Block) compare(c Block) int { return cmp.Or(b.First.Compare(c.First), b.Last.Compare(c.Last)) }

// together sorts blocks and makes one of those that touch.
func together(blocks []Block) []Block {
	slices.SortFunc(blocks, func(a, b Block) int { return a.First.Compare(b.First) })
	list := blocks[:0]
	for _, b := range blocks {
		if n := len(list); n > 0 && touches(list[n-1], b) {
			if list[n-1].Last.Less(b.Last) {
				list[n-1].Last = b.Last
			}
			continue
		}
		list = append(list, b)
	}
	return list
}

// touches tells whether b, which does not begin before a, overlaps it or begins where it ends.
func touches(a, b Block) bool {
	return a.First.BitLen() == b.First.BitLen() && (b.First.Compare(a.Last) <= 0 || a.Last.Next() == b.First)
}

// less gives what is left of a block without others.
func less(b Block, except []Block) []Block {
	list := []Block{}
	for _, x := range together(slices.Clone(except)) {
		switch {
		case x.First.BitLen() != b.First.BitLen() || x.Last.Less(b.First) || b.Last.Less(x.First):
			continue
		case b.First.Less(x.First):
			list = append(list, Block{b.First, x.First.Prev()})
		}
		if !x.Last.Less(b.Last) {
			return list
		}
		b.First = x.Last.Next()
	}
	return append(list, b)
}
