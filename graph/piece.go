package graph

import (
	"cmp"
	"slices"
)

// piece is a problem of hitting sets that does not fall apart; its elements are numbered
// from 0.
type piece struct {
	sets  [][]int32
	by    [][]int32 // element -> sets
	names []int32   // element -> what it is called outside
}

func newPiece(sets [][]int32) *piece {
	p := &piece{}
	number := map[int32]int32{}
	for i, s := range sets {
		one := make([]int32, len(s))
		for k, c := range s {
			n, ok := number[c]
			if !ok {
				n = int32(len(p.names))
				number[c] = n
				p.names, p.by = append(p.names, c), append(p.by, nil)
			}
			one[k] = n
			p.by[n] = append(p.by[n], int32(i))
		}
		p.sets = append(p.sets, one)
	}
	return p
}

// answer is a choice of elements while it is made.
type answer struct {
	*piece
	taken []bool
	hits  []int32 // set -> how many of its elements are taken
}

func (p *piece) answer() *answer {
	return &answer{p, make([]bool, len(p.names)), make([]int32, len(p.sets))}
}

func (a *answer) take(c int32) {
	a.taken[c] = true
	for _, s := range a.by[c] {
		a.hits[s]++
	}
}

func (a *answer) drop(c int32) {
	a.taken[c] = false
	for _, s := range a.by[c] {
		a.hits[s]--
	}
}

func (a *answer) list() []int32 {
	var list []int32
	for c, t := range a.taken {
		if t {
			list = append(list, int32(c))
		}
	}
	return list
}

// greedy takes what hits most of the sets that are left, drops what turns out not to be
// needed, and then tries to put one in the place of several.
func (p *piece) greedy() []int32 {
	a := p.answer()
	gain := make([]int32, len(p.names))
	buckets := make([][]int32, 1) // by gain, which only falls: an element is moved when it is met
	for c := range p.names {
		gain[c] = int32(len(p.by[c]))
		for len(buckets) <= len(p.by[c]) {
			buckets = append(buckets, nil)
		}
		buckets[gain[c]] = append(buckets[gain[c]], int32(c))
	}
	for g := len(buckets) - 1; g > 0; g-- {
		for i := 0; i < len(buckets[g]); i++ {
			c := buckets[g][i]
			now := int32(0)
			for _, s := range p.by[c] {
				if a.hits[s] == 0 {
					now++
				}
			}
			if int(now) == g {
				a.take(c)
			} else if now > 0 {
				buckets[now] = append(buckets[now], c)
			}
		}
	}
	for range 8 {
		a.prune()
		if !a.exchange() {
			break
		}
	}
	a.prune()
	return a.list()
}

// prune drops what is not needed.
func (a *answer) prune() {
	for c := len(a.taken) - 1; c >= 0; c-- {
		if a.taken[c] && !slices.ContainsFunc(a.by[c], func(s int32) bool { return a.hits[s] == 1 }) {
			a.drop(int32(c))
		}
	}
}

// exchange puts one element in the place of two or more, wherever that can be, and tells
// whether it was.
func (a *answer) exchange() (better bool) {
	alone := make([]int32, len(a.names)) // taken -> sets that nothing else hits
	for s, n := range a.hits {
		if n == 1 {
			alone[a.hitter(int32(s))]++
		}
	}
	for c := range a.names {
		if a.taken[c] {
			continue
		}
		here := map[int32]int32{}
		for _, s := range a.by[c] {
			if a.hits[s] == 1 {
				here[a.hitter(s)]++
			}
		}
		var spare []int32
		for t, n := range here {
			if n >= alone[t] {
				spare = append(spare, t)
			}
		}
		if len(spare) < 2 {
			continue
		}
		slices.Sort(spare)
		a.take(int32(c))
		dropped := 0
		for _, t := range spare {
			if a.taken[t] && !slices.ContainsFunc(a.by[t], func(s int32) bool { return a.hits[s] == 1 }) {
				a.drop(t)
				dropped++
			}
		}
		if dropped < 2 {
			// No gain: another answer of the same size at best, or one that prune puts right.
			continue
		}
		better = true
		clear(alone)
		for s, n := range a.hits {
			if n == 1 {
				alone[a.hitter(int32(s))]++
			}
		}
	}
	return better
}

// hitter is the element that hits a set alone.
func (a *answer) hitter(s int32) int32 {
	for _, c := range a.sets[s] {
		if a.taken[c] {
			return c
		}
	}
	return -1
}

// below is how many elements any answer has at least. Each set is paid for by its elements,
// which have 1 each to give (dual ascent): all that is paid, rounded up, is a bound. So are
// sets that have nothing in common, which are those that are paid 1.
func (p *piece) below() int {
	order := make([]int32, len(p.sets))
	for i := range order {
		order[i] = int32(i)
	}
	crowd := func(s int32) (n int) {
		for _, c := range p.sets[s] {
			n += len(p.by[c])
		}
		return n
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(crowd(a), crowd(b)), cmp.Compare(a, b))
	})
	best := 0
	for _, share := range []float64{1, 0.5, 1.0 / 3} {
		best = max(best, p.paid(order, share))
	}
	return best
}

// paid lets each set take a share of what its elements have left, and then all of it.
func (p *piece) paid(order []int32, share float64) int {
	left := make([]float64, len(p.names))
	for i := range left {
		left[i] = 1
	}
	total := 0.0
	for _, most := range []float64{share, 1} {
		for _, s := range order {
			pay := most
			for _, c := range p.sets[s] {
				pay = min(pay, left[c])
			}
			if pay <= 1e-9 {
				continue
			}
			total += pay
			for _, c := range p.sets[s] {
				left[c] -= pay
			}
		}
	}
	n := int(total)
	if total-float64(n) > 1e-6 {
		n++
	}
	return n
}
