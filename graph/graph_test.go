package graph_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"bulwark"
	"bulwark/graph"
)

func vertex(n int) bulwark.VertexID { return bulwark.VertexID(fmt.Sprint("workload:", n)) }

// random is a graph of a few vertices, and its relations.
func random(rand *rand.Rand, vertices, relations, remedies int) (*graph.Graph, []bulwark.Relation) {
	g := graph.New()
	var list []bulwark.Relation
	for range relations {
		r := bulwark.Relation{From: vertex(rand.IntN(vertices)), To: vertex(rand.IntN(vertices)), Type: "X", Likelihood: float64(1+rand.IntN(10)) / 10}
		for range rand.IntN(3) {
			r.Remedies = append(r.Remedies, fmt.Sprint("remedy", rand.IntN(remedies)))
		}
		list = append(list, r)
		g.Relation(r)
	}
	return g, list
}

// reaches is a naive answer: whether a goal can be reached from vertex 0 without relations
// that a set of remedies removes.
func reaches(list []bulwark.Relation, goal bulwark.VertexID, without func(string) bool) bool {
	held := map[bulwark.VertexID]bool{vertex(0): true}
	for changed := true; changed; {
		changed = false
		for _, r := range list {
			shut := false
			for _, id := range r.Remedies {
				shut = shut || without(id)
			}
			if !shut && held[r.From] && !held[r.To] {
				held[r.To], changed = true, true
			}
		}
	}
	return held[goal]
}

func TestCutIsSmallest(t *testing.T) {
	const remedies = 8
	minimal, proved, all := 0, 0, 0
	for seed := range uint64(3000) {
		g, list := random(rand.New(rand.NewPCG(seed, 1)), 7, 14, remedies)
		goals := []bulwark.VertexID{vertex(5), vertex(6)}
		c := g.Cut([]bulwark.VertexID{vertex(0)}, goals)
		var closable []bulwark.VertexID
		for _, v := range goals {
			if !reaches(list, v, func(string) bool { return true }) {
				closable = append(closable, v)
			}
		}
		left := func(set map[string]bool) bool {
			for _, v := range closable {
				if reaches(list, v, func(id string) bool { return set[id] }) {
					return true
				}
			}
			return false
		}
		taken := map[string]bool{}
		for _, r := range c.Remedies {
			taken[r.ID] = true
		}
		if left(taken) {
			t.Fatalf("seed %d: a path is left after %v", seed, c.Remedies)
		}
		best := remedies
		for mask := range uint(1) << remedies {
			set := map[string]bool{}
			for i := range remedies {
				if mask&(1<<i) != 0 {
					set[fmt.Sprint("remedy", i)] = true
				}
			}
			if n := bits.OnesCount(mask); n < best && !left(set) {
				best = n
			}
		}
		if c.Bound > best {
			t.Fatalf("seed %d: bound %d, but %d are enough", seed, c.Bound, best)
		}
		if len(c.Open) != len(goals)-len(closable) {
			t.Fatalf("seed %d: open %v, want those without %v", seed, c.Open, closable)
		}
		if all++; len(c.Remedies) == best {
			minimal++
		}
		if c.Minimal() {
			proved++
		}
	}
	if minimal < all || proved < all {
		t.Errorf("of %d sets %d are smallest and %d proved", all, minimal, proved)
	}
}

func TestLikeliest(t *testing.T) {
	for seed := range uint64(500) {
		g, list := random(rand.New(rand.NewPCG(seed, 2)), 6, 12, 3)
		from, to := vertex(0), vertex(5)
		var want []float64
		var walk func(at bulwark.VertexID, seen map[bulwark.VertexID]bool, likelihood float64)
		walk = func(at bulwark.VertexID, seen map[bulwark.VertexID]bool, likelihood float64) {
			if at == to {
				want = append(want, likelihood)
				return
			}
			seen[at] = true
			for _, r := range list {
				if r.From == at && !seen[r.To] {
					walk(r.To, seen, likelihood*r.Likelihood)
				}
			}
			delete(seen, at)
		}
		walk(from, map[bulwark.VertexID]bool{}, 1)
		got := g.Likeliest([]bulwark.VertexID{from}, []bulwark.VertexID{to}, 1000)
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d paths, want %d", seed, len(got), len(want))
		}
		for i := range got {
			best := 0
			for j := range want {
				if want[j] > want[best] {
					best = j
				}
			}
			if math.Abs(got[i].Likelihood-want[best]) > 1e-9 {
				t.Fatalf("seed %d: path %d has likelihood %v, want %v", seed, i, got[i].Likelihood, want[best])
			}
			want[best] = 0
		}
	}
}
