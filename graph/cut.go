package graph

import (
	"slices"

	"bulwark"
)

// Cut is a set of remedies after which no path is left.
type Cut struct {
	// Remedies are in the order of how much likelihood goes with the paths that each removes
	// besides those before it.
	Remedies []bulwark.Remedy
	// Removes is for each of them how many of Paths it removes alone.
	Removes []int
	// Together is for each of them how many of Paths it and those before it remove.
	Together []int
	// Paths are the critical ones, before: those that remedies remove, the likeliest first.
	Paths []Path
	// Left is how many more there are, the unlikeliest, which take too much to be listed.
	Left int
	// Bound is how many remedies any such set has at least: where it is len(Remedies), this
	// one is proved minimal.
	Bound int
	// Open are goals that stay reachable whatever is done: every step of a path to them is
	// one that no remedy removes.
	Open []bulwark.VertexID
	// Uncut are such paths, one for each goal of Open.
	Uncut []Path
}

// Minimal tells whether no smaller set does the same.
func (c *Cut) Minimal() bool { return c.Bound == len(c.Remedies) }

// Cut looks for the smallest set of remedies that leaves no path from a start to a goal.
func (g *Graph) Cut(starts, goals []bulwark.VertexID) Cut {
	q := Between(starts, goals)
	c := g.Smallest(q)
	c.Paths = nil
	for _, p := range g.Cheapest(starts, goals) {
		if !slices.Contains(c.Open, p.To()) {
			c.Paths = append(c.Paths, p)
		}
	}
	g.count(&c)
	return c
}

// Smallest looks for the smallest set of remedies that leaves no path.
//
// A path is a set of remedies of which one must be taken, so that the answer is a smallest
// hitting set of all paths. They are too many to list: paths are found one after another,
// each with the steps shut that the set so far removes, until there is none. Whatever is the
// least for the paths found is a bound for all of them.
func (g *Graph) Smallest(q Question) Cut {
	a := g.ask(q)
	var c Cut
	parts := g.closable(a, &c)
	forth, back := g.search(false, &levels{}), g.search(true, &levels{})
	h := newHitting(len(g.byCut))
	for _, n := range g.hit(h, func(shut []bool) (left bool) {
		for i := range parts {
			left = g.uncut(&parts[i], forth, back, shut, h) || left
		}
		return left
	}) {
		c.Remedies = append(c.Remedies, g.remedy(n))
	}
	c.Bound = h.bound
	c.Paths, c.Left = g.Critical(q)
	if len(c.Open) > 0 || len(parts) > 1 {
		c.Paths = slices.DeleteFunc(c.Paths, func(p Path) bool { return len(g.remediesOf(p.relations)) == 0 })
	}
	g.count(&c)
	return c
}

func (g *Graph) remedy(n int32) bulwark.Remedy {
	r, ok := g.remedies[g.byCut[n]]
	if !ok {
		r = bulwark.Remedy{ID: g.byCut[n], Text: g.byCut[n]}
	}
	return r
}

// mostAdded bounds what paths that are added at once have together; the next round finds the others.
const mostAdded = 8_000_000

// uncut adds paths that remedies leave: for each goal, and for each start, one of those with
// the fewest remedies, but no more than a round may take. It tells whether there are any.
func (g *Graph) uncut(a *asked, forth, back *search, shut []bool, h *hitting) (left bool) {
	step := func(r uint32) float32 {
		for _, c := range g.cuts[r] {
			if shut[c] {
				return -1
			}
		}
		return float32(min(len(g.cuts[r]), 8))
	}
	known := h.size
	look := func(s *search, from, to []end) {
		flat := make([]end, len(from))
		for i, e := range from {
			flat[i] = end{vertex: e.vertex, side: e.side}
		}
		s.run(flat, a.until(g, step), nil)
		for _, e := range to {
			if at, ok := s.best(e.vertex, e.side); ok && s.labels[at].by >= 0 {
				left = true
				if h.size-known > mostAdded {
					return
				}
				h.add(g.remediesOf(s.way(at)))
			}
		}
	}
	look(forth, a.starts, a.goals)
	if left {
		look(back, a.goals, a.starts)
	}
	return left
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

// mostApart is how many starts that have goals which nothing cuts are asked one by one.
const mostApart = 64

// closable divides a question into parts of which every path can be cut: starts from which no
// goal is open whatever is done, and, each for itself, the others with the goals that are not.
func (g *Graph) closable(a *asked, c *Cut) []asked {
	s := g.search(true, &levels{})
	bare := a.until(g, func(r uint32) float32 {
		if len(g.cuts[r]) > 0 {
			return -1
		}
		return 0
	})
	s.run(a.goals, bare, nil)
	var lost, rest []end
	for _, e := range a.starts {
		if at, ok := s.best(e.vertex, e.side); ok && s.labels[at].by >= 0 {
			lost = append(lost, e)
		} else {
			rest = append(rest, e)
		}
	}
	parts := []asked{{starts: rest, goals: a.goals, final: a.final}}
	f := g.search(false, &levels{})
	told := map[uint32]bool{}
	apart := func(starts []end) {
		f.run(starts, bare, nil)
		part := asked{starts: starts, final: a.final}
		for _, e := range a.goals {
			at, ok := f.best(e.vertex, e.side)
			if !ok {
				part.goals = append(part.goals, e)
				continue
			}
			if !told[e.vertex] {
				told[e.vertex] = true
				c.Open = append(c.Open, g.names[e.vertex])
				c.Uncut = append(c.Uncut, g.path(f.way(at), a.start[f.origin(at)].cost))
			}
		}
		parts = append(parts, part)
	}
	for i := range min(len(lost), mostApart) {
		apart(lost[i : i+1])
	}
	if len(lost) > mostApart {
		apart(lost[mostApart:])
	}
	return parts
}
