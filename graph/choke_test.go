package graph_test

import (
	"math/rand/v2"
	"testing"

	"bulwark"
	"bulwark/graph"
)

// around is a naive answer: whether a goal can be reached from a start without a vertex.
func around(list []bulwark.Relation, from, goal, without bulwark.VertexID) bool {
	var open []bulwark.Relation
	for _, r := range list {
		if r.From != without && r.To != without {
			r.Remedies = nil
			open = append(open, r)
		}
	}
	held := map[bulwark.VertexID]bool{from: from != without}
	for changed := true; changed; {
		changed = false
		for _, r := range open {
			if held[r.From] && !held[r.To] {
				held[r.To], changed = true, true
			}
		}
	}
	return held[goal]
}

func TestChokesStandBeforeTheirGoals(t *testing.T) {
	for seed := range uint64(1000) {
		g, list := random(rand.New(rand.NewPCG(seed, 3)), 9, 14, 2)
		starts, goals := []bulwark.VertexID{vertex(0)}, []bulwark.VertexID{vertex(6), vertex(7), vertex(8)}
		most := 0
		for n := 1; n < 6; n++ {
			most = max(most, before(list, goals, vertex(n)))
		}
		got := g.Chokes(graph.Between(starts, goals))
		for _, c := range got {
			if want := before(list, goals, c.Vertex); c.Goals != want {
				t.Fatalf("seed %d: %d goals behind %s, want %d", seed, c.Goals, c.Vertex, want)
			}
		}
		if most > 0 && (len(got) == 0 || got[0].Goals != most) {
			t.Fatalf("seed %d: chokes %v, want one with %d goals behind it", seed, got, most)
		}
	}
}

func before(list []bulwark.Relation, goals []bulwark.VertexID, v bulwark.VertexID) (n int) {
	for _, goal := range goals {
		if around(list, vertex(0), goal, "") && !around(list, vertex(0), goal, v) {
			n++
		}
	}
	return n
}

func TestSidesMustDiffer(t *testing.T) {
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "workload:a/web", To: "group:api", Type: "X", Remedies: []string{"one"}},
		{From: "workload:b/web", To: "group:api", Type: "X", Likelihood: 0.5, Remedies: []string{"two"}},
		{From: "group:api", To: "secret:a/s", Type: "X"},
	} {
		g.Relation(r)
	}
	q := graph.Question{
		Starts: []graph.End{{Vertex: "workload:a/web", Side: "a"}, {Vertex: "workload:b/web", Side: "b"}},
		Goals:  []graph.End{{Vertex: "secret:a/s", Side: "a"}},
	}
	list, _ := g.Critical(q)
	if len(list) != 1 || list[0].From() != "workload:b/web" {
		t.Errorf("paths %v, want that of b alone", list)
	}
	if c := g.Smallest(q); len(c.Remedies) != 1 || c.Remedies[0].ID != "two" || !c.Minimal() {
		t.Errorf("cut %+v, want remedy two", c)
	}
	after, unknown := g.Without("two", "three")
	if left, _ := after.Critical(q); len(unknown) != 1 || len(left) != 0 {
		t.Errorf("after remedy two: %v, unknown %v", left, unknown)
	}
}

func TestOpenGoalsAreToldWithTheirPath(t *testing.T) {
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "internet", To: "workload:a", Type: "X"},
		{From: "workload:a", To: "node:1", Type: "X"},
		{From: "workload:a", To: "node:2", Type: "X", Remedies: []string{"r"}},
		{From: "workload:b", To: "node:1", Type: "X", Remedies: []string{"s"}},
	} {
		g.Relation(r)
	}
	c := g.Cut([]bulwark.VertexID{"internet", "workload:b"}, []bulwark.VertexID{"node:1", "node:2"})
	if len(c.Open) != 1 || c.Open[0] != "node:1" || len(c.Uncut) != 1 || len(c.Uncut[0].Steps) != 2 {
		t.Errorf("open %v by %v", c.Open, c.Uncut)
	}
	if len(c.Remedies) != 2 {
		t.Errorf("remedies %v, want r and s: what one start has for nothing is taken from the other", c.Remedies)
	}
}

func TestFinalGoalsLeadNowhere(t *testing.T) {
	g := graph.New()
	for _, r := range []bulwark.Relation{
		{From: "workload:a", To: "cluster-admin", Type: "X", Remedies: []string{"r"}},
		{From: "cluster-admin", To: "node:1", Type: "X"},
		{From: "workload:a", To: "node:2", Type: "X", Remedies: []string{"s"}},
	} {
		g.Relation(r)
	}
	q := graph.Between([]bulwark.VertexID{"workload:a"}, []bulwark.VertexID{"node:1", "node:2"})
	q.Goals = append(q.Goals, graph.End{Vertex: "cluster-admin", Final: true})
	c := g.Smallest(q)
	if len(c.Paths) != 2 || len(c.Remedies) != 2 || !c.Minimal() {
		t.Errorf("paths %v, remedies %v: want one to the node, one to cluster-admin", c.Paths, c.Remedies)
	}
}
