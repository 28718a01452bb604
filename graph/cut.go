package graph

import (
	"slices"

	"bulwark"
)

// Cut is a set of remedies after which no path is left.
type Cut struct {
	// Remedies are in the order of how many paths each removes, most first.
	Remedies []bulwark.Remedy
	// Removes is for each of them how many of Paths it removes alone.
	Removes []int
	// Paths are the likeliest path to each goal, before.
	Paths []Path
	// Bound is how many remedies any such set has at least: where it is len(Remedies), this
	// one is proved minimal.
	Bound int
	// Open are goals that stay reachable whatever is done: every step of a path to them is
	// one that no remedy removes.
	Open []bulwark.VertexID
}

// Cut looks for the smallest set of remedies that leaves no path from a start to a goal.
//
// A path is a set of remedies of which one must be taken, so that the answer is a smallest
// hitting set of all paths. They are too many to list: paths are found one after another,
// each with the steps shut that the set so far removes, until there is none. The set is made
// greedily, then by local search; paths that share no remedy bound it from below.
func (g *Graph) Cut(starts, goals []bulwark.VertexID) Cut {
	s := g.search()
	from := g.numbers(starts)
	to := slices.DeleteFunc(g.numbers(goals), func(v uint32) bool { return slices.Contains(from, v) })
	c := Cut{Paths: g.Cheapest(starts, goals)}
	s.run(from, func(r uint32) bool { return len(g.cuts[r]) == 0 }, nil)
	to = slices.DeleteFunc(to, func(v uint32) bool {
		if s.reached(v) {
			c.Open = append(c.Open, g.names[v])
		}
		return s.reached(v)
	})
	h := &hitting{remedies: len(g.byCut)}
	for {
		taken := h.solve()
		found := g.uncut(s, from, to, taken)
		if len(found) == 0 {
			g.tell(&c, taken, h.bound())
			return c
		}
		for _, relations := range found {
			h.add(g.remediesOf(relations))
		}
	}
}

// uncut finds paths that a set of remedies leaves: to each goal at most one, no two of which
// share a remedy.
func (g *Graph) uncut(s *search, from, to []uint32, taken map[int32]bool) [][]uint32 {
	used := map[int32]bool{}
	open := func(r uint32) bool {
		for _, c := range g.cuts[r] {
			if taken[c] || used[c] {
				return false
			}
		}
		return true
	}
	var list [][]uint32
	left := map[uint32]bool{}
	for _, v := range to {
		left[v] = true
	}
	for {
		end, ok := s.run(from, open, func(v uint32) bool { return left[v] })
		if !ok {
			return list
		}
		relations := s.relations(end)
		list = append(list, relations)
		delete(left, end)
		for _, c := range g.remediesOf(relations) {
			used[c] = true
		}
	}
}

// remediesOf are those that remove a step, sorted.
func (g *Graph) remediesOf(relations []uint32) []int32 {
	var list []int32
	for _, r := range relations {
		list = append(list, g.cuts[r]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tell fills in what the set of remedies is.
func (g *Graph) tell(c *Cut, taken map[int32]bool, bound int) {
	c.Bound = bound
	type one struct {
		number  int32
		removes int
	}
	var list []one
	for n := range taken {
		o := one{number: n}
		for _, p := range c.Paths {
			if slices.Contains(g.remediesOf(p.relations), n) {
				o.removes++
			}
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b one) int {
		if a.removes != b.removes {
			return b.removes - a.removes
		}
		return int(a.number - b.number)
	})
	for _, o := range list {
		r, ok := g.remedies[g.byCut[o.number]]
		if !ok {
			r = bulwark.Remedy{ID: g.byCut[o.number], Text: g.byCut[o.number]}
		}
		c.Remedies, c.Removes = append(c.Remedies, r), append(c.Removes, o.removes)
	}
}
