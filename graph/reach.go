package graph

import (
	"cmp"
	"slices"

	"bulwark"
)

// Reach gives the likeliest path to everything that can be reached from a question's starts,
// by kind, the likeliest first of each: what an attacker who holds them may come to hold. Of
// its goals only those that are final count, beyond which nothing is looked for. Groups, which
// are nothing themselves, are left out, and so are the unlikeliest of paths that have millions of
// steps together.
func (g *Graph) Reach(q Question) []Path {
	a := g.ask(q)
	s := g.search(false, &heap{})
	s.run(a.starts, a.until(g, g.price), nil)
	var reached []uint32
	for v := range g.names {
		at, ok := s.best(uint32(v), 0)
		if ok && s.labels[at].by >= 0 && !Grouping(g.names[v]) {
			reached = append(reached, at)
		}
	}
	slices.SortStableFunc(reached, func(a, b uint32) int { return cmp.Compare(s.labels[a].cost, s.labels[b].cost) })
	var list []Path
	steps := 0
	for _, at := range reached {
		way := s.way(at)
		if steps += len(way); steps > mostSteps {
			break
		}
		list = append(list, g.path(way, a.start[s.origin(at)].cost))
	}
	slices.SortStableFunc(list, func(a, b Path) int {
		return cmp.Or(cmp.Compare(kind(a.To()), kind(b.To())), cmp.Compare(b.Likelihood, a.Likelihood), cmp.Compare(a.To(), b.To()))
	})
	return list
}

// mostSteps bounds what all paths of [Graph.Reach] have together: paths through a row of so many
// vertices take the square of it.
const mostSteps = 2_000_000

// Without is the graph as it is after some remedies; it tells of ids that remove nothing.
func (g *Graph) Without(remedies ...string) (after *Graph, unknown []string) {
	g.close()
	shut := map[int32]bool{}
	for _, id := range remedies {
		n := slices.Index(g.byCut, id)
		if n < 0 {
			unknown = append(unknown, id)
			continue
		}
		shut[int32(n)] = true
	}
	after = &Graph{names: g.names, number: g.number, words: g.words, lists: g.lists, remedies: g.remedies, notes: g.notes}
	for i := range g.told {
		if !slices.ContainsFunc(g.cuts[i], func(c int32) bool { return shut[c] }) {
			after.told = append(after.told, g.told[i])
		}
	}
	return after, unknown
}

// Remedies are all that remove a relation, by id.
func (g *Graph) Remedies() []bulwark.Remedy {
	g.close()
	list := make([]bulwark.Remedy, len(g.byCut))
	for n := range g.byCut {
		list[n] = g.remedy(int32(n))
	}
	slices.SortFunc(list, func(a, b bulwark.Remedy) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
