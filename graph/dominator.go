package graph

import (
	"cmp"
	"slices"

	"bulwark"
)

// Choke is a vertex or a step that every path to some goals passes, wherever it begins.
type Choke struct {
	Vertex bulwark.VertexID
	// Step is the one relation that leads there; nil where several do.
	Step Step
	// Goals is how many goals cannot be reached around it.
	Goals int
}

// Chokes are the points that most goals lie behind, most first; starts and goals themselves
// are none, and of a row of points with the same goals behind them it is the last. Sides of
// starts and goals are not looked at.
func (g *Graph) Chokes(q Question) []Choke {
	a := g.ask(q)
	d := g.dominators(a)
	behind := make([]int, len(d.order))
	isGoal := map[uint32]bool{}
	for _, e := range a.goals {
		if n := d.number[e.vertex]; n > 0 {
			isGoal[e.vertex] = true
			behind[n]++
		}
	}
	for n := len(d.order) - 1; n > 0; n-- {
		behind[d.up[n]] += behind[n]
	}
	last := make([]bool, len(d.order))
	for i := range last {
		last[i] = true
	}
	hides := func(n int32) bool { // whether it is shown where it has as many behind it as what is before it
		v := d.order[n]
		return !isGoal[v] && !Grouping(g.names[v])
	}
	var list []Choke
	for n := int32(len(d.order) - 1); n > 0; n-- {
		v := d.order[n]
		_, isStart := a.start[v]
		shown := hides(n) && behind[n] > 0
		if up := d.up[n]; (shown || !last[n]) && behind[up] == behind[n] {
			last[up] = false
		}
		if !shown || !last[n] || isStart {
			continue
		}
		c := Choke{Vertex: g.names[v], Goals: behind[n]}
		if r, ok := d.only(g, v); ok {
			c.Step = g.relation(r)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Choke) int {
		return cmp.Or(cmp.Compare(b.Goals, a.Goals), cmp.Compare(a.Vertex, b.Vertex))
	})
	return list
}

// dominators is the tree of what every path from the starts passes: Lengauer and Tarjan, A
// fast algorithm for finding dominators in a flowgraph, 1979, in its simple form. Number 0 is
// a vertex of its own before all starts.
type dominators struct {
	order  []uint32 // number, in which a search met it -> vertex; that of 0 is no vertex
	number []int32  // vertex -> number; 0: not reached
	up     []int32  // number -> that of its dominator
	enter  []int32  // number -> where it and those below it lie in a walk of the tree
	leave  []int32
}

func (g *Graph) dominators(a *asked) *dominators {
	d := &dominators{order: []uint32{0}, number: make([]int32, len(g.names))}
	parent := d.search(g, a)
	n := len(d.order)
	f := newForest(n)
	bucket := make([][]int32, n)
	d.up = make([]int32, n)
	for w := int32(n - 1); w > 0; w-- {
		v := d.order[w]
		if _, ok := a.start[v]; ok {
			f.semi[w] = 0
		}
		for _, r := range g.back.of(v) {
			if u := d.number[g.from[r]]; u > 0 {
				f.semi[w] = min(f.semi[w], f.semi[f.least(u)])
			}
		}
		bucket[f.semi[w]] = append(bucket[f.semi[w]], w)
		f.above[w] = parent[w]
		for _, v := range bucket[parent[w]] {
			if u := f.least(v); f.semi[u] < f.semi[v] {
				d.up[v] = u
			} else {
				d.up[v] = parent[w]
			}
		}
		bucket[parent[w]] = nil
	}
	for w := 1; w < n; w++ {
		if d.up[w] != f.semi[w] {
			d.up[w] = d.up[d.up[w]]
		}
	}
	d.walk()
	return d
}

// forest is the numbers that are done, linked to where the search met them from.
type forest struct {
	semi  []int32 // semidominators
	label []int32 // the number with the least of them on the way up to a root, but for the root
	above []int32 // -1: a root
	stack []int32
}

func newForest(n int) *forest {
	f := &forest{semi: make([]int32, n), label: make([]int32, n), above: make([]int32, n)}
	for i := range f.semi {
		f.semi[i], f.label[i], f.above[i] = int32(i), int32(i), -1
	}
	return f
}

// least gives the label of v, and shortens the way up from it.
func (f *forest) least(v int32) int32 {
	if f.above[v] < 0 {
		return v
	}
	f.stack = f.stack[:0]
	for u := v; f.above[f.above[u]] >= 0; u = f.above[u] {
		f.stack = append(f.stack, u)
	}
	for _, u := range slices.Backward(f.stack) {
		if f.semi[f.label[f.above[u]]] < f.semi[f.label[u]] {
			f.label[u] = f.label[f.above[u]]
		}
		f.above[u] = f.above[f.above[u]]
	}
	return f.label[v]
}

// search numbers what can be reached in the order in which a depth-first search meets it, and
// gives from where.
func (d *dominators) search(g *Graph, a *asked) (parent []int32) {
	type place struct {
		number int32
		next   int
	}
	parent = []int32{0}
	meet := func(v uint32, from int32) place {
		n := int32(len(d.order))
		d.number[v] = n
		d.order, parent = append(d.order, v), append(parent, from)
		return place{number: n}
	}
	for _, e := range a.starts {
		if d.number[e.vertex] > 0 {
			continue
		}
		stack := []place{meet(e.vertex, 0)}
		for len(stack) > 0 {
			at := &stack[len(stack)-1]
			list := g.rows.of(d.order[at.number])
			if at.next == len(list) {
				stack = stack[:len(stack)-1]
				continue
			}
			to := g.ends[list[at.next]]
			at.next++
			if d.number[to] == 0 {
				stack = append(stack, meet(to, at.number))
			}
		}
	}
	return parent
}

// walk says where each lies in a walk of the tree, so that who is below whom is told at once.
func (d *dominators) walk() {
	n := len(d.order)
	count := make([]int32, n) // of those below, itself among them
	for i := n - 1; i > 0; i-- {
		count[i]++
		count[d.up[i]] += count[i]
	}
	d.enter, d.leave = make([]int32, n), make([]int32, n)
	next := make([]int32, n)
	d.leave[0] = int32(n)
	for i := 1; i < n; i++ { // a dominator has a lower number
		up := d.up[i]
		d.enter[i] = d.enter[up] + 1 + next[up]
		next[up] += count[i]
		d.leave[i] = d.enter[i] + count[i]
	}
}

// only is the one relation by which a vertex is reached from what is not behind it itself.
func (d *dominators) only(g *Graph, v uint32) (relation uint32, ok bool) {
	n := d.number[v]
	for _, r := range g.back.of(v) {
		u := d.number[g.from[r]]
		if u == 0 || d.enter[u] >= d.enter[n] && d.enter[u] < d.leave[n] {
			continue
		}
		if ok {
			return 0, false
		}
		relation, ok = r, true
	}
	return relation, ok
}
