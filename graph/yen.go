package graph

import (
	"cmp"
	stack "container/heap"
	"math"
	"slices"

	"bulwark"
)

// Likeliest gives up to k paths from a start to a goal, the likeliest first, none with a
// vertex twice.
func (g *Graph) Likeliest(starts, goals []bulwark.VertexID, k int) []Path {
	list, _ := g.Most(Between(starts, goals), k)
	return list
}

// mostSearched bounds what [Graph.Most] takes: vertices and relations that are looked at. It
// counts and takes no time, so that the same input gives the same answer.
const mostSearched = 20_000_000

// Most gives up to k paths that answer a question, the likeliest first, none with a vertex
// twice; all is false where they take too much, and others may be likelier than those found
// last.
//
// It is Yen's search (Finding the k shortest loopless paths in a network, 1971) as Lawler has
// it: a path that is found divides those that are left by the step at which they leave it. What
// they cost at least is known at once from how far each vertex is from a goal, so that only
// those are looked for that may be next.
func (g *Graph) Most(q Question, k int) (list []Path, all bool) {
	y := g.yen(q)
	steps := 0
	for len(list) < k && steps <= mostSteps {
		relations, ok := y.next()
		if !ok {
			return order(list), !y.short
		}
		list = append(list, g.path(relations, y.start[g.from[relations[0]]].cost))
		steps += len(relations)
	}
	return order(list), !y.short && len(list) == k
}

// spur stands for the paths that begin as root does, and go on from there by none of the
// relations that are shut.
type spur struct {
	root []uint32 // of a known path
	base float64  // what root costs
	shut []uint32
	cost float64  // of the cheapest of them; until it is known, no more than that
	way  []uint32 // how that goes on; nil: not known yet
}

type spurs []*spur

func (l spurs) Len() int           { return len(l) }
func (l spurs) Less(i, j int) bool { return l[i].cost < l[j].cost }
func (l spurs) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *spurs) Push(x any)        { *l = append(*l, x.(*spur)) }
func (l *spurs) Pop() any {
	last := len(*l) - 1
	s := (*l)[last]
	(*l)[last], *l = nil, (*l)[:last]
	return s
}

type yen struct {
	g *Graph
	*asked
	*search
	isGoal map[uint32]int32
	far    []float32 // vertex -> what the cheapest way from there to any goal costs; negative: none leads there
	open   spurs
	passed []int32 // vertex -> the round in which a root passes it
	barred []int32 // relation -> the round in which it is shut
	round  int32
	work   int  // that is left
	short  bool // there was not enough
}

func (g *Graph) yen(q Question) *yen {
	y := &yen{g: g, asked: g.ask(q), isGoal: map[uint32]int32{}, work: cmp.Or(g.work, mostSearched)}
	for _, e := range y.goals {
		y.isGoal[e.vertex] = e.side
	}
	back := g.search(true, &heap{})
	back.run(y.goals, y.until(g, g.price), nil)
	y.far = make([]float32, len(g.names))
	for v := range y.far {
		y.far[v] = -1
		if l := &back.labels[2*v]; l.by != unset {
			y.far[v] = l.cost
		}
	}
	y.search = g.search(false, &heap{})
	y.passed, y.barred = make([]int32, len(g.names)), make([]int32, len(g.ends))
	y.open = spurs{{}}
	return y
}

// next is the cheapest path that was not given yet.
func (y *yen) next() (relations []uint32, ok bool) {
	for len(y.open) > 0 {
		s := stack.Pop(&y.open).(*spur)
		switch {
		case s.way != nil:
			relations = slices.Concat(s.root, s.way)
			y.divide(s, relations)
			return relations, true
		case y.work <= 0:
			y.short = true
		case y.solve(s):
			stack.Push(&y.open, s)
		}
	}
	return nil, false
}

// mark marks what a root passes, and what is shut after it.
func (y *yen) mark(s *spur) {
	y.round++
	y.work -= len(s.root) + len(s.shut)
	for _, r := range s.root {
		y.passed[y.g.from[r]] = y.round
	}
	for _, r := range s.shut {
		y.barred[r] = y.round
	}
}

// taken tells whether a step is shut, leads back, or to no goal.
func (y *yen) taken(r uint32) bool {
	to := y.g.ends[r]
	return y.barred[r] == y.round || y.passed[to] == y.round || y.far[to] < 0
}

// solve looks for the cheapest way on. Prices are what a step leads away from the goals, so that the
// search goes straight there where nothing is in its way.
func (y *yen) solve(s *spur) bool {
	g := y.g
	y.mark(s)
	var from []end
	if n := len(s.root); n > 0 {
		from = []end{{vertex: g.ends[s.root[n-1]], side: y.start[g.from[s.root[0]]].side}}
	} else {
		for _, e := range y.starts {
			if far := y.far[e.vertex]; far >= 0 {
				from = append(from, end{e.vertex, e.side, e.cost + far})
			}
		}
	}
	before := y.looked
	at, ok := y.run(from, y.until(g, func(r uint32) float32 {
		if y.taken(r) {
			return -1
		}
		return max(0, g.cost[r]+y.far[g.ends[r]]-y.far[g.from[r]])
	}), func(v uint32, side int32) bool {
		of, ok := y.isGoal[v]
		return ok && differ(of, side)
	})
	y.work -= y.looked - before
	if !ok {
		return false
	}
	s.way = y.way(at)
	s.cost = s.base
	if len(s.root) == 0 {
		s.cost = float64(y.start[y.origin(at)].cost)
	}
	for _, r := range s.way {
		s.cost += float64(g.cost[r])
	}
	return true
}

// divide opens what is left of a spur when its cheapest path is given: those that leave this path
// at each of the steps after the root.
func (y *yen) divide(s *spur, path []uint32) {
	g := y.g
	y.mark(s)
	base := s.base
	if len(s.root) == 0 {
		base = float64(y.start[g.from[path[0]]].cost)
	}
	for i := len(s.root); i < len(path); i++ {
		r := path[i]
		next := &spur{root: path[:i], base: base, shut: []uint32{r}, cost: s.cost}
		if i == len(s.root) {
			next.shut = append(s.shut, r)
		}
		y.passed[g.from[r]], y.barred[r] = y.round, y.round
		if i > 0 { // else it may begin elsewhere
			next.cost = max(s.cost, base+y.least(g.from[r]))
		}
		if !math.IsInf(next.cost, 1) {
			stack.Push(&y.open, next)
		}
		base += float64(g.cost[r])
	}
}

// least is what it costs at least to go on from a vertex.
func (y *yen) least(v uint32) float64 {
	least := math.Inf(1)
	row := y.g.rows.of(v)
	y.work -= 1 + len(row)
	for _, r := range row {
		if !y.taken(r) {
			least = min(least, float64(y.g.cost[r]+y.far[y.g.ends[r]]))
		}
	}
	return least
}
