package network

import (
	"net/netip"
	"slices"
)

// Range is addresses that an endpoint receives from or reaches on the same ports.
type Range struct {
	Block
	Ports Ports
	At    int // the position in [Engine.Blocks] of one of them
	Count int // of how many of those it is made
}

// Ranges gives what an endpoint may receive from or reach of addresses, in order, as few ranges
// as say it: what Blocks tell apart for the sake of others is one.
func (e *Engine) Ranges(d Direction, endpoint int) []Range {
	if e.byAddress[d] != nil || e.sure[d] != nil { // conditions may differ from block to block
		var list []Range
		for b := range e.Named(d, endpoint) {
			if p := e.BlockPorts(d, endpoint, b); !p.Empty() {
				list = append(list, Range{e.blocks[d][b], p, b, 1})
			}
		}
		return list
	}
	var list []Range
	bounds := e.bounds(d, endpoint)
	for i := range bounds[1:] {
		first, end := bounds[i], bounds[i+1]
		r := Range{Block{e.blocks[d][first].First, e.blocks[d][end-1].Last}, e.BlockPorts(d, endpoint, first), first, end - first}
		switch n := len(list) - 1; {
		case r.Ports.Empty():
		case n >= 0 && list[n].Last.Next() == r.First && list[n].Ports.Equal(r.Ports):
			list[n].Last, list[n].Count = r.Last, list[n].Count+r.Count
		default:
			list = append(list, r)
		}
	}
	return list
}

// bounds are the blocks where an endpoint's rows change, in order: those between two of them
// are alike to it. IPv6 begins at one.
func (e *Engine) bounds(d Direction, endpoint int) []int {
	last := len(e.blocks[d])
	v6, _ := slices.BinarySearchFunc(e.blocks[d], everyV6.First, func(b Block, a netip.Addr) int { return b.First.Compare(a) })
	list := []int{0, v6, last}
	rows := []row{e.rowOf[d][endpoint]}
	if d == Ingress && e.mesh != nil {
		rows = append(rows, e.mesh[endpoint])
	}
	for _, r := range rows {
		for _, c := range r {
			for _, x := range c.outside {
				list = append(list, min(int(x.first), last), min(int(x.end), last))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
