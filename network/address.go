package network

import (
	"slices"
	"sort"
)

// everyAddress is what a rule names that speaks of all addresses.
var everyAddress = []cidr{{block: everyV4}, {block: everyV6}}

// address is the addresses and domains that a rule names.
type address struct {
	of     *rule
	blocks []Block // in order
	names  []string
}

// addresses are those of the rules of a direction.
func addresses(policies []*Policy, d Direction) []address {
	var list []address
	for _, p := range policies {
		for i := range p.rules[d] {
			if r := &p.rules[d][i]; len(r.named) > 0 {
				list = append(list, r.address())
			}
		}
	}
	return list
}

func (r *rule) address() address {
	a := address{of: r}
	for _, c := range r.named {
		if c.name != "" {
			a.names = append(a.names, c.name)
		} else {
			a.blocks = c.addTo(a.blocks)
		}
	}
	a.blocks = together(a.blocks)
	return a
}

// addTo adds the addresses to others.
func (c cidr) addTo(blocks []Block) []Block {
	switch {
	case c.name != "":
		return blocks
	case len(c.except) == 0:
		return append(blocks, c.block)
	}
	return append(blocks, less(c.block, c.except)...)
}

// cuts adds the blocks that policies name one by one: answers tell those apart that touch.
func cuts(blocks []Block, policies []*Policy, d Direction) []Block {
	for _, p := range policies {
		for _, c := range p.cuts[d] {
			blocks = c.addTo(blocks)
		}
	}
	return blocks
}

// settleBlocks cuts the addresses where rules tell them apart, and gives each rule its own.
func (e *Engine) settleBlocks() {
	for _, d := range []Direction{Ingress, Egress} {
		list := addresses(e.Policies, d)
		blocks := cuts(nil, e.Policies, d)
		var names []string
		for _, a := range list {
			blocks, names = append(blocks, a.blocks...), append(names, a.names...)
		}
		slices.Sort(names)
		e.domains[d], e.blocks[d], e.byAddress[d] = slices.Compact(names), cut(blocks), nil
		e.settled[d] = len(e.blocks[d])
		for _, a := range list {
			a.of.blocks = e.numbers(d, a)
		}
	}
}

// numbers are those of the blocks and domains that a rule names. A rule of all addresses
// speaks of all domains too: which addresses these have is not known.
func (e *Engine) numbers(d Direction, a address) runs {
	var list runs
	for _, b := range a.blocks {
		first, end := e.within(d, b)
		if e.byAddress[d] == nil {
			list = append(list, run{int32(first), int32(end)})
			continue
		}
		for _, n := range e.byAddress[d][first:end] {
			list = append(list, run{n, n + 1})
		}
	}
	first := int32(len(e.blocks[d]))
	if _, all := slices.BinarySearchFunc(a.blocks, everyV4, Block.compare); all {
		list = append(list, run{first, first + int32(len(e.domains[d]))})
	} else {
		for _, name := range a.names {
			if i, ok := slices.BinarySearch(e.domains[d], name); ok {
				list = append(list, run{first + int32(i), first + int32(i) + 1})
			}
		}
	}
	return joinedRuns(list)
}

// nth is the block that is the n-th by its addresses, and its number.
func (e *Engine) nth(d Direction, n int) (Block, int32) {
	if order := e.byAddress[d]; order != nil {
		return e.blocks[d][order[n]], order[n]
	}
	return e.blocks[d][n], int32(n)
}

// within gives, by their addresses, the blocks that another is made of: those from first
// below end.
func (e *Engine) within(d Direction, b Block) (first, end int) {
	n := len(e.blocks[d])
	first = sort.Search(n, func(i int) bool { c, _ := e.nth(d, i); return !c.First.Less(b.First) })
	end = first + sort.Search(n-first, func(i int) bool { c, _ := e.nth(d, first+i); return b.Last.Less(c.First) })
	return first, end
}
