package graph

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"bulwark"
)

// Graph is what relaters told. Fill it by its methods, then ask; the first question closes it.
type Graph struct {
	names     []bulwark.VertexID
	number    map[bulwark.VertexID]uint32
	relations []bulwark.Relation
	remedies  map[string]bulwark.Remedy
	notes     []bulwark.Note

	closed bool
	ends   []uint32  // relation -> vertex it leads to, relations sorted by where they begin
	first  []uint32  // vertex -> its first relation; one more than there are vertices
	cost   []float64 // of each relation
	cuts   [][]int32 // relation -> numbers of remedies
	byCut  []string  // number of a remedy -> id
}

// New makes an empty graph.
func New() *Graph {
	return &Graph{number: map[bulwark.VertexID]uint32{}, remedies: map[string]bulwark.Remedy{}}
}

// Relation adds one.
func (g *Graph) Relation(r bulwark.Relation) {
	g.vertex(r.From)
	g.vertex(r.To)
	g.relations = append(g.relations, r)
	g.closed = false
}

// Remedy adds one. Two with the same id are one.
func (g *Graph) Remedy(r bulwark.Remedy) { g.remedies[r.ID] = r }

// Note keeps a note.
func (g *Graph) Note(n bulwark.Note) { g.notes = append(g.notes, n) }

// Notes are those that relaters left.
func (g *Graph) Notes() []bulwark.Note { return g.notes }

func (g *Graph) vertex(id bulwark.VertexID) uint32 {
	n, ok := g.number[id]
	if !ok {
		n = uint32(len(g.names))
		g.number[id] = n
		g.names = append(g.names, id)
	}
	return n
}

// Len is how many vertices and relations there are.
func (g *Graph) Len() (vertices, relations int) { return len(g.names), len(g.relations) }

// Vertices are all of them, in the order in which relations named them.
func (g *Graph) Vertices() []bulwark.VertexID { return g.names }

// close sorts the relations, so that what one vertex leads to lies together.
func (g *Graph) close() {
	if g.closed {
		return
	}
	g.closed = true
	slices.SortStableFunc(g.relations, func(a, b bulwark.Relation) int {
		return cmp.Or(cmp.Compare(g.number[a.From], g.number[b.From]), cmp.Compare(a.To, b.To), cmp.Compare(a.Type, b.Type))
	})
	n := len(g.relations)
	g.ends, g.cost, g.cuts = make([]uint32, n), make([]float64, n), make([][]int32, n)
	g.first = make([]uint32, len(g.names)+1)
	numbers := map[string]int32{}
	g.byCut = nil
	for i := range g.relations {
		r := &g.relations[i]
		g.ends[i] = g.number[r.To]
		g.first[g.number[r.From]+1]++
		if r.Likelihood > 0 && r.Likelihood < 1 {
			g.cost[i] = -math.Log(r.Likelihood)
		}
		for _, id := range r.Remedies {
			c, ok := numbers[id]
			if !ok {
				c = int32(len(g.byCut))
				numbers[id] = c
				g.byCut = append(g.byCut, id)
			}
			g.cuts[i] = append(g.cuts[i], c)
		}
	}
	for i := 1; i < len(g.first); i++ {
		g.first[i] += g.first[i-1]
	}
}

// numbers are those of the vertices that there are, of the given ones.
func (g *Graph) numbers(ids []bulwark.VertexID) []uint32 {
	var list []uint32
	for _, id := range ids {
		if n, ok := g.number[id]; ok {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// grouping tells whether a vertex stands between others and is nothing itself.
func grouping(id bulwark.VertexID) bool { return strings.HasPrefix(string(id), "group:") }
