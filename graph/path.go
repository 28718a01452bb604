package graph

import (
	"cmp"
	"math"
	"slices"

	"bulwark"
)

// Step is one relation of a path.
type Step = *bulwark.Relation

// Path is a way from one vertex to another.
type Path struct {
	Steps []Step
	// Likelihood is the product of the steps' and of where it begins.
	Likelihood float64

	relations []uint32
}

// From is where the path begins.
func (p *Path) From() bulwark.VertexID { return p.Steps[0].From }

// To is where it ends.
func (p *Path) To() bulwark.VertexID { return p.Steps[len(p.Steps)-1].To }

// End is where paths begin or end.
type End struct {
	Vertex bulwark.VertexID
	// Side is what start and goal must not have in common: the namespace of a pod and of a
	// secret. Empty: nothing.
	Side string
	// Likelihood is the chance that an attacker holds a start; 0 stands for 1.
	Likelihood float64
	// Class names goals that are alike ("node"): empty: the kind of the vertex.
	Class string
	// Final is true for a goal beyond which there is nothing to gain: no path leads on from it.
	Final bool
}

// Question asks for paths.
type Question struct{ Starts, Goals []End }

// Between asks for paths between vertices.
func Between(starts, goals []bulwark.VertexID) Question {
	var q Question
	for _, v := range starts {
		q.Starts = append(q.Starts, End{Vertex: v})
	}
	for _, v := range goals {
		q.Goals = append(q.Goals, End{Vertex: v})
	}
	return q
}

// asked is a question in numbers. Goals that are starts are left out.
type asked struct {
	starts, goals []end
	classes       [][]end // the goals, by class
	start         map[uint32]end
	final         []bool // by vertex; nil: none is
}

// until prices no step that leads on from where everything is gained.
func (a *asked) until(g *Graph, price func(uint32) float32) func(uint32) float32 {
	if a.final == nil {
		return price
	}
	return func(r uint32) float32 {
		if a.final[g.from[r]] {
			return -1
		}
		return price(r)
	}
}

func (g *Graph) ask(q Question) *asked {
	g.close()
	a := &asked{start: map[uint32]end{}}
	sides := map[string]int32{"": 0}
	number := func(e End) (end, bool) {
		n, ok := g.number[e.Vertex]
		if !ok {
			return end{}, false
		}
		side, known := sides[e.Side]
		if !known {
			side = int32(len(sides))
			sides[e.Side] = side
		}
		one := end{vertex: n, side: side}
		if e.Likelihood > 0 && e.Likelihood < 1 {
			one.cost = float32(-math.Log(e.Likelihood))
		}
		return one, true
	}
	for _, e := range q.Starts {
		if one, ok := number(e); ok {
			if _, twice := a.start[one.vertex]; !twice {
				a.starts, a.start[one.vertex] = append(a.starts, one), one
			}
		}
	}
	class := map[string]int{}
	seen := map[uint32]bool{}
	for _, e := range q.Goals {
		one, ok := number(e)
		if _, isStart := a.start[one.vertex]; !ok || isStart || seen[one.vertex] {
			continue
		}
		seen[one.vertex] = true
		a.goals = append(a.goals, one)
		if e.Final {
			if a.final == nil {
				a.final = make([]bool, len(g.names))
			}
			a.final[one.vertex] = true
		}
		name := cmp.Or(e.Class, kind(e.Vertex))
		n, known := class[name]
		if !known {
			n = len(a.classes)
			class[name] = n
			a.classes = append(a.classes, nil)
		}
		a.classes[n] = append(a.classes[n], one)
	}
	byVertex := func(a, b end) int { return cmp.Compare(a.vertex, b.vertex) }
	slices.SortFunc(a.starts, byVertex)
	slices.SortFunc(a.goals, byVertex)
	return a
}

func (g *Graph) path(relations []uint32, start float32) Path {
	p := Path{relations: relations, Steps: make([]Step, len(relations)), Likelihood: math.Round(math.Exp(-float64(start))*1e6) / 1e6}
	for i, r := range relations {
		p.Steps[i] = g.relation(r)
		if l := p.Steps[i].Likelihood; l > 0 {
			p.Likelihood *= l
		}
	}
	return p
}

// price is that of likelihood.
func (g *Graph) price(r uint32) float32 { return g.cost[r] }

// mostCritical bounds what all paths of [Graph.Critical] have together: from each vertex of a row a
// path leads to its end, which takes the square of it.
const mostCritical = 3_000_000

// Critical gives for each start and each class of goals the likeliest path, the likeliest
// first, and how many of the unlikeliest are left out where they have millions of steps together.
func (g *Graph) Critical(q Question) (list []Path, left int) {
	a := g.ask(q)
	s := g.search(true, &heap{})
	for _, goals := range a.classes {
		steps := 0
		s.run(goals, a.until(g, g.price), nil)
		type way struct {
			end
			at uint32
		}
		var ways []way
		for _, e := range a.starts {
			if at, ok := s.best(e.vertex, e.side); ok && s.labels[at].by >= 0 {
				e.cost += s.labels[at].cost
				ways = append(ways, way{e, at})
			}
		}
		slices.SortStableFunc(ways, func(a, b way) int { return cmp.Compare(a.cost, b.cost) })
		for i, w := range ways {
			if steps > mostCritical/len(a.classes) {
				left += len(ways) - i
				break
			}
			p := g.path(s.way(w.at), a.start[w.vertex].cost)
			list = append(list, p)
			steps += len(p.Steps)
		}
	}
	return order(list), left
}

func order(list []Path) []Path {
	slices.SortStableFunc(list, func(a, b Path) int {
		return cmp.Or(cmp.Compare(math.Round(b.Likelihood*1e6), math.Round(a.Likelihood*1e6)), cmp.Compare(len(a.Steps), len(b.Steps)),
			cmp.Compare(a.From(), b.From()), cmp.Compare(a.To(), b.To()))
	})
	return list
}

// Cheapest gives for each goal that can be reached the likeliest path to it, of all that
// begin at one of the starts; goals that are starts themselves are left out.
func (g *Graph) Cheapest(starts, goals []bulwark.VertexID) []Path {
	return g.each(g.ask(Between(starts, goals)))
}

func (g *Graph) each(a *asked) []Path {
	s := g.search(false, &heap{})
	s.run(a.starts, a.until(g, g.price), nil)
	var list []Path
	for _, e := range a.goals {
		if at, ok := s.best(e.vertex, e.side); ok && s.labels[at].by >= 0 {
			list = append(list, g.path(s.way(at), a.start[s.origin(at)].cost))
		}
	}
	return list
}
