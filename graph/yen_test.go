package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"bulwark"
	"bulwark/graph"
)

// row is a way through so many vertices, with two relations from each to the next, and one back.
func row(vertices int) (*graph.Graph, graph.Question) {
	g := graph.New()
	for n := range vertices - 1 {
		for i := range 2 {
			g.Relation(bulwark.Relation{From: vertex(n), To: vertex(n + 1), Type: fmt.Sprint("X", i), Likelihood: 1 - 1e-6*float64(i*n)})
		}
		g.Relation(bulwark.Relation{From: vertex(n + 1), To: vertex(n), Type: "BACK"})
	}
	return g, graph.Between([]bulwark.VertexID{vertex(0)}, []bulwark.VertexID{vertex(vertices - 1)})
}

// TestLongPaths holds that what it takes to find paths grows with their length, not with its square.
func TestLongPaths(t *testing.T) {
	g, q := row(40_000)
	list, all := g.Most(q, 10)
	if len(list) != 10 || !all {
		t.Fatalf("%d paths, all %v", len(list), all)
	}
	for i, p := range list {
		if p.From() != vertex(0) || p.To() != vertex(39_999) || len(p.Steps) != 39_999 || i > 0 && p.Likelihood > list[i-1].Likelihood+1e-6 {
			t.Errorf("path %d from %s to %s, %d steps, likelihood %v", i, p.From(), p.To(), len(p.Steps), p.Likelihood)
		}
	}
	if work := g.Searched(q, 10); work > 10*10*40_000 {
		t.Errorf("it took %d", work)
	}
}

// TestTooMuchIsSaid holds that whoever gets fewer paths than there are, or others, is told.
func TestTooMuchIsSaid(t *testing.T) {
	short := 0
	for seed := range uint64(300) {
		g, _ := random(rand.New(rand.NewPCG(seed, 9)), 8, 24, 3)
		q := graph.Between([]bulwark.VertexID{vertex(0), vertex(1)}, []bulwark.VertexID{vertex(6), vertex(7)})
		want, all := g.Most(q, 6)
		if !all {
			t.Fatalf("seed %d: it was too much", seed)
		}
		g.Hasten(60)
		got, all := g.Most(q, 6)
		if len(got) > len(want) {
			t.Fatalf("seed %d: %d paths of %d", seed, len(got), len(want))
		}
		if !all {
			short++
			continue
		}
		for i := range want {
			if got[i].Likelihood != want[i].Likelihood {
				t.Fatalf("seed %d: path %d has likelihood %v, want %v", seed, i, got[i].Likelihood, want[i].Likelihood)
			}
		}
	}
	if short < 10 || short > 290 {
		t.Errorf("%d of 300 were too much", short)
	}
}

// TestManyLongPaths holds that paths from each vertex of a long row to its end take no more than is
// bounded, and that the changes are for all of them.
func TestManyLongPaths(t *testing.T) {
	const length = 8000
	g := graph.New()
	var q graph.Question
	for n := range length {
		g.Relation(bulwark.Relation{From: vertex(n), To: vertex(n + 1), Type: "X", Remedies: []string{fmt.Sprint("r", n), fmt.Sprint("s", n)}})
		q.Starts = append(q.Starts, graph.End{Vertex: vertex(n)})
	}
	q.Goals = []graph.End{{Vertex: vertex(length)}}
	c := g.Smallest(q)
	steps := 0
	for _, p := range c.Paths {
		steps += len(p.Steps)
	}
	if steps > 3_100_000 || len(c.Paths)+c.Left != length || c.Left == 0 {
		t.Errorf("%d paths of %d steps, %d left out", len(c.Paths), steps, c.Left)
	}
	if len(c.Remedies) != 1 || !c.Minimal() {
		t.Errorf("%d changes, at least %d", len(c.Remedies), c.Bound)
	}
}
