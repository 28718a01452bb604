package graph

import (
	"cmp"
	"slices"
)

// mostRounds bounds how often paths are looked for to make an answer better; each round adds
// sets that the answer so far does not hit. mostWork bounds what that takes: relations that are
// looked at, and what sets have, which costs more. It counts and takes no time, so that the
// same input gives the same answer.
const (
	mostRounds = 400
	mostWork   = 120_000_000
	workOfSet  = 60
)

// hit solves the problem again and again, while uncut finds sets that the answer does not hit:
// first fast, then exactly as far as that goes.
func (g *Graph) hit(h *hitting, uncut func(shut []bool) bool) (best []int32) {
	var taken []int32
	done, exact := false, false
	work := cmp.Or(g.work, mostWork)
	for round := 0; ; round++ {
		left := uncut(g.marked(taken))
		if !left && (!done || len(taken) < len(best)) {
			best, done = taken, true
		}
		if !left && (exact || round > mostRounds) || done && h.bound == len(best) {
			return best
		}
		if work -= 2*len(g.told) + workOfSet*h.size; work < 0 && done {
			return best
		}
		exact = done && round < mostRounds
		taken = h.solve(exact)
		if work < 0 {
			return g.hasten(h, taken, uncut)
		}
	}
}

func (g *Graph) marked(list []int32) []bool {
	marks := make([]bool, len(g.byCut))
	for _, n := range list {
		marks[n] = true
	}
	return marks
}

// hasten adds to an answer until nothing is left: of each path that is found those remedies
// that most of them have, one at first, and twice as many each time.
func (g *Graph) hasten(h *hitting, taken []int32, uncut func(shut []bool) bool) []int32 {
	shut := g.marked(taken)
	for most := 1; ; most *= 2 {
		known := len(h.sets)
		if !uncut(shut) || len(h.sets) == known {
			break
		}
		often := make([]int32, len(g.byCut))
		for _, set := range h.sets[known:] {
			for _, c := range set {
				often[c]++
			}
		}
		for _, set := range h.sets[known:] {
			hits := 0
			for _, c := range set {
				if shut[c] {
					hits++
				}
			}
			for _, c := range slices.SortedStableFunc(slices.Values(set), func(a, b int32) int { return cmp.Compare(often[b], often[a]) }) {
				if !shut[c] && hits < most {
					shut[c] = true
					hits++
				}
			}
		}
	}
	taken = taken[:0:0]
	for n, is := range shut {
		if is {
			taken = append(taken, int32(n))
		}
	}
	return taken
}
