package graph

import (
	"container/heap"
	"math"
	"slices"

	"bulwark"
)

// Step is one relation of a path.
type Step = *bulwark.Relation

// Path is a way from one vertex to another.
type Path struct {
	Steps []Step
	// Likelihood is the product of the steps'.
	Likelihood float64

	relations []uint32
}

// From is where the path begins.
func (p *Path) From() bulwark.VertexID { return p.Steps[0].From }

// To is where it ends.
func (p *Path) To() bulwark.VertexID { return p.Steps[len(p.Steps)-1].To }

// search is a run of Dijkstra's algorithm over a graph, kept to be used again.
type search struct {
	g       *Graph
	dist    []float64
	by      []int32 // the relation by which a vertex was reached; -1: it is a start
	touched []uint32
	queue   queue
}

func (g *Graph) search() *search {
	g.close()
	s := &search{g: g, dist: make([]float64, len(g.names)), by: make([]int32, len(g.names))}
	for i := range s.dist {
		s.dist[i] = math.Inf(1)
	}
	return s
}

// run finds the cheapest ways from all starts, over relations that are open (nil: all), until
// it reaches a vertex that is a goal (nil: none is), which it gives.
func (s *search) run(starts []uint32, open func(relation uint32) bool, goal func(vertex uint32) bool) (uint32, bool) {
	for _, v := range s.touched {
		s.dist[v] = math.Inf(1)
	}
	s.touched, s.queue = s.touched[:0], s.queue[:0]
	for _, v := range starts {
		s.reach(v, 0, -1)
	}
	for len(s.queue) > 0 {
		at := heap.Pop(&s.queue).(item)
		if at.cost > s.dist[at.vertex] {
			continue
		}
		if goal != nil && goal(at.vertex) {
			return at.vertex, true
		}
		for r := s.g.first[at.vertex]; r < s.g.first[at.vertex+1]; r++ {
			if open == nil || open(r) {
				s.reach(s.g.ends[r], at.cost+s.g.cost[r], int32(r))
			}
		}
	}
	return 0, false
}

func (s *search) reach(v uint32, cost float64, by int32) {
	if cost >= s.dist[v] {
		return
	}
	if math.IsInf(s.dist[v], 1) {
		s.touched = append(s.touched, v)
	}
	s.dist[v], s.by[v] = cost, by
	heap.Push(&s.queue, item{v, cost})
}

// reached tells whether the last run came to a vertex.
func (s *search) reached(v uint32) bool { return !math.IsInf(s.dist[v], 1) }

// relations are those by which the last run came to a vertex, in order.
func (s *search) relations(v uint32) []uint32 {
	var list []uint32
	for s.by[v] >= 0 {
		r := uint32(s.by[v])
		list = append(list, r)
		v = s.g.number[s.g.relations[r].From]
	}
	slices.Reverse(list)
	return list
}

func (g *Graph) path(relations []uint32) Path {
	p := Path{Likelihood: 1, relations: relations}
	for _, r := range relations {
		p.Steps = append(p.Steps, &g.relations[r])
		p.Likelihood *= math.Exp(-g.cost[r])
	}
	return p
}

// item is a vertex to look at, at what cost.
type item struct {
	vertex uint32
	cost   float64
}

type queue []item

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].cost < q[j].cost || q[i].cost == q[j].cost && q[i].vertex < q[j].vertex
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// Cheapest gives for each goal that can be reached the likeliest path to it, of all that
// begin at one of the starts; goals that are starts themselves are left out.
func (g *Graph) Cheapest(starts, goals []bulwark.VertexID) []Path {
	s := g.search()
	from := g.numbers(starts)
	s.run(from, nil, nil)
	var list []Path
	for _, v := range g.numbers(goals) {
		if s.reached(v) && s.by[v] >= 0 {
			list = append(list, g.path(s.relations(v)))
		}
	}
	return list
}

// Likeliest gives up to k paths from a start to a goal, the likeliest first, none with a
// vertex twice (Yen, Finding the k shortest loopless paths in a network, 1971).
func (g *Graph) Likeliest(starts, goals []bulwark.VertexID, k int) []Path {
	s := g.search()
	isGoal := map[uint32]bool{}
	for _, v := range g.numbers(goals) {
		isGoal[v] = true
	}
	goal := func(v uint32) bool { return isGoal[v] }
	from := g.numbers(starts)
	from = slices.DeleteFunc(from, goal)
	end, ok := s.run(from, nil, goal)
	if !ok {
		return nil
	}
	list := []Path{g.path(s.relations(end))}
	var others []Path
	for len(list) < k {
		last := list[len(list)-1]
		for i := range last.relations {
			others = g.spur(s, list, last.relations[:i], from, goal, others)
		}
		if len(others) == 0 {
			break
		}
		best := 0
		for i := range others {
			if others[i].Likelihood > others[best].Likelihood {
				best = i
			}
		}
		list = append(list, others[best])
		others = slices.Delete(others, best, best+1)
	}
	return list
}

// spur adds the likeliest path that begins as root does and then leaves all known ones.
func (g *Graph) spur(s *search, known []Path, root []uint32, starts []uint32, goal func(uint32) bool, others []Path) []Path {
	shut, passed := map[uint32]bool{}, map[uint32]bool{}
	for _, p := range known {
		if len(p.relations) > len(root) && slices.Equal(p.relations[:len(root)], root) {
			shut[p.relations[len(root)]] = true
		}
	}
	from := starts
	if len(root) > 0 {
		from = []uint32{g.ends[root[len(root)-1]]}
		for _, r := range root {
			passed[g.number[g.relations[r].From]] = true
		}
	}
	end, ok := s.run(from, func(r uint32) bool { return !shut[r] && !passed[g.ends[r]] }, goal)
	if !ok {
		return others
	}
	relations := slices.Concat(root, s.relations(end))
	if slices.ContainsFunc(others, func(p Path) bool { return slices.Equal(p.relations, relations) }) {
		return others
	}
	return append(others, g.path(relations))
}
