package graph

import (
	"slices"

	"bulwark"
)

// Likeliest gives up to k paths from a start to a goal, the likeliest first, none with a
// vertex twice (Yen, Finding the k shortest loopless paths in a network, 1971).
func (g *Graph) Likeliest(starts, goals []bulwark.VertexID, k int) []Path {
	return g.Most(Between(starts, goals), k)
}

// Most gives up to k paths that answer a question, the likeliest first, none with a vertex
// twice.
func (g *Graph) Most(q Question, k int) []Path {
	y := &yen{g: g, asked: g.ask(q), search: g.search(false, &heap{}), isGoal: map[uint32]int32{}}
	for _, e := range y.goals {
		y.isGoal[e.vertex] = e.side
	}
	at, ok := y.run(y.starts, g.price, y.goal)
	if !ok || k < 1 {
		return nil
	}
	y.list = []Path{y.found(nil, at)}
	for len(y.list) < k {
		last := y.list[len(y.list)-1]
		for i := range last.relations {
			y.spur(last.relations[:i])
		}
		if len(y.others) == 0 {
			break
		}
		best := 0
		for i := range y.others {
			if y.others[i].Likelihood > y.others[best].Likelihood {
				best = i
			}
		}
		y.list = append(y.list, y.others[best])
		y.others = slices.Delete(y.others, best, best+1)
	}
	return y.list
}

type yen struct {
	g *Graph
	*asked
	*search
	isGoal map[uint32]int32
	list   []Path
	others []Path
}

func (y *yen) goal(v uint32, side int32) bool {
	of, ok := y.isGoal[v]
	return ok && differ(of, side)
}

func (y *yen) found(root []uint32, at uint32) Path {
	relations := slices.Concat(root, y.way(at))
	return y.g.path(relations, y.start[y.g.from[relations[0]]].cost)
}

// spur adds the likeliest path that begins as root does and then leaves all known ones.
func (y *yen) spur(root []uint32) {
	g := y.g
	shut, passed := map[uint32]bool{}, map[uint32]bool{}
	for _, p := range y.list {
		if len(p.relations) > len(root) && slices.Equal(p.relations[:len(root)], root) {
			shut[p.relations[len(root)]] = true
		}
	}
	from := y.starts
	if len(root) > 0 {
		from = []end{{vertex: g.ends[root[len(root)-1]], side: y.start[g.from[root[0]]].side}}
		for _, r := range root {
			passed[g.from[r]] = true
		}
	}
	at, ok := y.run(from, func(r uint32) float32 {
		if shut[r] || passed[g.ends[r]] {
			return -1
		}
		return g.cost[r]
	}, y.goal)
	if !ok {
		return
	}
	p := y.found(root, at)
	if !slices.ContainsFunc(y.others, func(o Path) bool { return slices.Equal(o.relations, p.relations) }) {
		y.others = append(y.others, p)
	}
}
