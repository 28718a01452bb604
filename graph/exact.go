package graph

import "slices"

// branch is a search for the smallest answer by branch and bound: a set with the fewest
// elements left is hit by each of them in turn, those tried before shut out.
type branch struct {
	*answer
	out    []bool // elements that are shut out
	best   []int32
	now    []int32
	least  int // of the whole: where best has as few, it is the smallest
	budget *int
	mark   []int32 // scratch of bound: element -> the round in which it was used
	round  int32
}

// mostSets is how large a piece may be to be solved exactly.
const mostSets = 3000

// exact looks for an answer smaller than the one that is known, within a budget of branches,
// and gives it with the bound that holds then.
func (p *piece) exact(known []int32, least int, budget *int) ([]int32, int) {
	if len(p.sets) > mostSets {
		return known, least
	}
	own := min(*budget, 2_000_000/len(p.sets))
	*budget -= own
	b := &branch{answer: p.answer(), out: make([]bool, len(p.names)), best: known, least: least, budget: &own, mark: make([]int32, len(p.names))}
	b.run()
	if own <= 0 && len(b.best) > least {
		return b.best, least // it was not searched to its end
	}
	*budget += own
	return b.best, len(b.best)
}

func (b *branch) run() {
	if *b.budget <= 0 || len(b.best) == b.least {
		return
	}
	*b.budget--
	set := b.narrowest()
	if set < 0 {
		b.best = slices.Clone(b.now)
		return
	}
	if len(b.now)+b.bound() >= len(b.best) {
		return
	}
	var tried []int32
	choices := slices.Clone(b.sets[set])
	slices.SortStableFunc(choices, func(x, y int32) int { return b.gain(y) - b.gain(x) })
	for _, c := range choices {
		if b.out[c] {
			continue
		}
		b.take(c)
		b.now = append(b.now, c)
		b.run()
		b.now = b.now[:len(b.now)-1]
		b.drop(c)
		b.out[c] = true
		tried = append(tried, c)
	}
	for _, c := range tried {
		b.out[c] = false
	}
}

// narrowest is a set that is not hit, with the fewest elements left; -1: all are hit.
func (b *branch) narrowest() int {
	best, fewest := -1, 0
	for s := range b.sets {
		if b.hits[s] > 0 {
			continue
		}
		n := b.width(s)
		if best < 0 || n < fewest {
			best, fewest = s, n
		}
		if fewest <= 1 {
			break
		}
	}
	return best
}

func (b *branch) width(s int) (n int) {
	for _, c := range b.sets[s] {
		if !b.out[c] {
			n++
		}
	}
	return n
}

func (b *branch) gain(c int32) (n int) {
	for _, s := range b.by[c] {
		if b.hits[s] == 0 {
			n++
		}
	}
	return n
}

// bound counts sets that are not hit and have nothing in common, by how few elements they
// have.
func (b *branch) bound() (n int) {
	b.round++
	for width := 1; width <= 4; width++ {
	sets:
		for s := range b.sets {
			if b.hits[s] > 0 || width < 4 && b.width(s) != width {
				continue
			}
			for _, c := range b.sets[s] {
				if !b.out[c] && b.mark[c] == b.round {
					continue sets
				}
			}
			n++
			for _, c := range b.sets[s] {
				if !b.out[c] {
					b.mark[c] = b.round
				}
			}
		}
	}
	return n
}
