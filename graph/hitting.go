package graph

import "slices"

// hitting is the problem of hitting sets: the fewest remedies of which every set has one.
type hitting struct {
	remedies int
	sets     [][]int32 // none holds another
}

// add asks for one of a set. Sets that hold it are no longer needed.
func (h *hitting) add(set []int32) {
	for _, s := range h.sets {
		if within(s, set) {
			return
		}
	}
	h.sets = append(slices.DeleteFunc(h.sets, func(s []int32) bool { return within(set, s) }), set)
}

// within tells whether all of a is in b; both are sorted.
func within(a, b []int32) bool {
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); !ok {
			return false
		}
	}
	return true
}

// solve takes greedily what hits most of the sets that are left, drops what turns out not to
// be needed, and then tries to put one in the place of two.
func (h *hitting) solve() map[int32]bool {
	by := map[int32][]int{} // remedy -> sets
	for i, s := range h.sets {
		for _, c := range s {
			by[c] = append(by[c], i)
		}
	}
	hits := make([]int, len(h.sets))
	taken := map[int32]bool{}
	take := func(c int32, n int) {
		if n > 0 {
			taken[c] = true
		} else {
			delete(taken, c)
		}
		for _, i := range by[c] {
			hits[i] += n
		}
	}
	for {
		best, most := int32(-1), 0
		for c, sets := range by {
			n := 0
			for _, i := range sets {
				if hits[i] == 0 {
					n++
				}
			}
			if n > most || n == most && n > 0 && c < best {
				best, most = c, n
			}
		}
		if most == 0 {
			break
		}
		take(best, 1)
	}
	for h.improve(by, hits, taken, take) {
	}
	return taken
}

// improve drops a remedy that is not needed, or puts one in the place of two.
func (h *hitting) improve(by map[int32][]int, hits []int, taken map[int32]bool, take func(int32, int)) bool {
	list := make([]int32, 0, len(taken))
	for c := range taken {
		list = append(list, c)
	}
	slices.Sort(list)
	bare := func() []int { // sets that nothing hits
		var sets []int
		for i, n := range hits {
			if n == 0 {
				sets = append(sets, i)
			}
		}
		return sets
	}
	for i, a := range list {
		take(a, -1)
		if len(bare()) == 0 {
			return true
		}
		for _, b := range list[i+1:] {
			take(b, -1)
			if sets := bare(); len(sets) > 0 {
				for _, c := range h.sets[sets[0]] {
					if c != a && c != b && hitsAll(by[c], sets) {
						take(c, 1)
						return true
					}
				}
			}
			take(b, 1)
		}
		take(a, 1)
	}
	return false
}

func hitsAll(by, sets []int) bool {
	for _, s := range sets {
		if _, ok := slices.BinarySearch(by, s); !ok {
			return false
		}
	}
	return true
}

// bound counts sets that have nothing in common, the smallest first: each needs a remedy of
// its own.
func (h *hitting) bound() int {
	sets := slices.Clone(h.sets)
	slices.SortStableFunc(sets, func(a, b []int32) int { return len(a) - len(b) })
	used := map[int32]bool{}
	n := 0
	for _, s := range sets {
		if slices.ContainsFunc(s, func(c int32) bool { return used[c] }) {
			continue
		}
		n++
		for _, c := range s {
			used[c] = true
		}
	}
	return n
}
