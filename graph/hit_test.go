package graph_test

import (
	"math/rand/v2"
	"testing"

	"bulwark"
)

// TestHastyCutIsACut holds what is true of an answer that ran out of work: it leaves no path,
// and its bound is one.
func TestHastyCutIsACut(t *testing.T) {
	worse := 0
	for seed := range uint64(300) {
		var cuts [2]int
		for i, work := range []int{1, 0} {
			g, list := random(rand.New(rand.NewPCG(seed, 5)), 12, 50, 40)
			g.Hasten(work)
			goals := []bulwark.VertexID{vertex(9), vertex(10), vertex(11)}
			c := g.Cut([]bulwark.VertexID{vertex(0)}, goals)
			taken := map[string]bool{}
			for _, r := range c.Remedies {
				taken[r.ID] = true
			}
			for _, goal := range goals {
				open := reaches(list, goal, func(string) bool { return true })
				if !open && reaches(list, goal, func(id string) bool { return taken[id] }) {
					t.Fatalf("seed %d: with work %d a path to %s is left after %v", seed, work, goal, c.Remedies)
				}
			}
			if cuts[i] = len(c.Remedies); c.Bound > cuts[i] {
				t.Fatalf("seed %d: bound %d of %d", seed, c.Bound, cuts[i])
			}
			if i == 1 && c.Minimal() && cuts[0] < cuts[1] {
				t.Fatalf("seed %d: %d in haste, and %d proved minimal", seed, cuts[0], cuts[1])
			}
		}
		if cuts[0] > cuts[1] {
			worse++
		}
	}
	t.Logf("%d of 300 are larger in haste", worse)
	if worse == 0 {
		t.Error("nothing was done in haste")
	}
}
