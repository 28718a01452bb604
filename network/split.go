package network

import (
	"net/netip"
	"slices"
)

// mostSplit is how many blocks are parted for one policy; for more all are cut anew, and when
// parted ones are most of them.
const mostSplit = 64

// place gives the rules of policies that are new the numbers of their addresses and domains.
// Blocks that they cut are parted: all that speaks of one speaks of its parts. It is false when
// everything is to be cut anew.
func (e *Engine) place(policies []*Policy) bool {
	for _, d := range []Direction{Ingress, Egress} {
		list := addresses(policies, d)
		blocks := cuts(nil, policies, d)
		for _, a := range list {
			for _, name := range a.names {
				if _, ok := slices.BinarySearch(e.domains[d], name); !ok {
					return false
				}
			}
			blocks = append(blocks, a.blocks...)
		}
		var ends []netip.Addr
		for _, b := range blocks {
			ends = append(ends, b.First)
			if next := b.Last.Next(); next.IsValid() {
				ends = append(ends, next)
			}
		}
		if !e.part(d, ends, policies) {
			return false
		}
		for _, a := range list {
			a.of.blocks = e.numbers(d, a)
		}
	}
	return true
}

// parts are the numbers that the parts of blocks have got, by those of the blocks.
type parts map[int32][]int32

// part parts the blocks of a direction in which addresses lie, so that each begins one.
func (e *Engine) part(d Direction, begins []netip.Addr, except []*Policy) bool {
	slices.SortFunc(begins, netip.Addr.Compare)
	begins = slices.DeleteFunc(slices.Compact(begins), func(a netip.Addr) bool {
		n, _ := e.within(d, Block{a, a})
		return n < len(e.blocks[d]) && e.firstOf(d, n) == a
	})
	if len(begins) == 0 {
		return true
	}
	if len(begins) > mostSplit || len(e.domains[d]) > 0 || len(e.blocks[d]) > 2*e.settled[d]+mostSplit {
		return false
	}
	made := parts{}
	origin := map[int32]int32{}
	e.ownOrder(d)
	for _, a := range begins {
		n, _ := e.within(d, Block{a, a})
		b, number := e.nth(d, n-1)
		next := int32(len(e.blocks[d]))
		e.blocks[d] = append(e.blocks[d], Block{a, b.Last})
		e.blocks[d][number].Last = a.Prev()
		e.byAddress[d] = slices.Insert(e.byAddress[d], n, next)
		from, ok := origin[number]
		if !ok {
			from = number
		}
		origin[next] = from
		made[from] = append(made[from], next)
	}
	e.share(d, made, except)
	return true
}

func (e *Engine) firstOf(d Direction, n int) netip.Addr {
	b, _ := e.nth(d, n)
	return b.First
}

// ownOrder makes the blocks and their order the engine's own, to be changed.
func (e *Engine) ownOrder(d Direction) {
	e.blocks[d] = slices.Clone(e.blocks[d])
	order := slices.Clone(e.byAddress[d])
	if order == nil {
		order = make([]int32, len(e.blocks[d]))
		for i := range order {
			order[i] = int32(i)
		}
	}
	e.byAddress[d] = order
}

// share has rules and rows that speak of a block speak of its parts.
func (e *Engine) share(d Direction, made parts, except []*Policy) {
	for i, p := range e.Policies {
		if slices.Contains(except, p) || !slices.ContainsFunc(p.rules[d], func(r rule) bool { return made.concern(r.blocks) }) {
			continue
		}
		c := p.copied()
		for j := range c.rules[d] {
			c.rules[d][j].blocks = made.with(c.rules[d][j].blocks)
		}
		e.Policies[i] = c
	}
	e.rowOf[d] = made.rows(e.rowOf[d])
	e.sure[d] = made.rows(e.sure[d])
	if d == Ingress {
		e.mesh, e.sure[2] = made.rows(e.mesh), made.rows(e.sure[2])
	}
}

// concern tells whether numbers have one that was parted.
func (p parts) concern(list runs) bool {
	for number := range p {
		if list.has(int(number)) {
			return true
		}
	}
	return false
}

// with is numbers with the parts of those among them.
func (p parts) with(list runs) runs {
	all := list
	for number, more := range p {
		if !list.has(int(number)) {
			continue
		}
		all = slices.Clip(all)
		for _, n := range more {
			all = append(all, run{n, n + 1})
		}
	}
	if len(all) == len(list) {
		return list
	}
	return joinedRuns(slices.Clone(all))
}

// rows are rows with the parts of what is in them. Endpoints that shared one still do.
func (p parts) rows(list []row) []row {
	var own []row
	known := map[*cell]row{}
	for i, r := range list {
		if !slices.ContainsFunc(r, func(c cell) bool { return p.concern(c.outside) }) {
			continue
		}
		made, ok := known[&r[0]]
		if !ok {
			made = slices.Clone(r)
			for j := range made {
				made[j].outside = p.with(made[j].outside)
			}
			known[&r[0]] = made
		}
		if own == nil {
			own = slices.Clone(list)
		}
		own[i] = made
	}
	if own == nil {
		return list
	}
	return own
}
