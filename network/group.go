package network

import (
	"iter"
	"math/bits"
	"slices"
)

// group is a set that is kept: bits, which groups that are nearly the same share, and a list
// of the numbers that these lack; no bits while it is small. It is not changed once it is made.
type group struct {
	few  []int32 // sorted
	bits set     // as long as it needs to be
}

// groupOf keeps a set; the set may be used for something else afterwards.
func groupOf(s set) group {
	n := s.len()
	if n > len(s)/2 { // a list would be the larger
		return group{bits: s.clone()}
	}
	return group{few: s.appendTo(make([]int32, 0, n))}
}

// united is the union of groups. It has the bits of the one that has any; where several have,
// all is put into a set for that, which is cleared before.
func united(list []group, scratch set) group {
	var one group
	var few int
	for i := range list {
		g := &list[i]
		switch {
		case g.empty():
			continue
		case one.empty():
			one = *g
		case g.bits != nil && one.bits != nil && &g.bits[0] != &one.bits[0]:
			few = len(scratch) // they have nothing to share
		case g.bits != nil:
			one.bits = g.bits
		}
		few += len(g.few)
	}
	if few > len(scratch)/2 {
		clear(scratch)
		for _, g := range list {
			g.addTo(scratch)
		}
		return groupOf(scratch)
	}
	lone := group{bits: one.bits}
	all := make([]int32, 0, few)
	for _, g := range list {
		for _, i := range g.few {
			if !lone.has(int(i)) {
				all = append(all, i)
			}
		}
	}
	if slices.Equal(all, one.few) {
		return one
	}
	slices.Sort(all)
	one.few = slices.Compact(all)
	return one
}

func (g group) has(i int) bool {
	if w := i >> 6; w < len(g.bits) && g.bits.has(i) {
		return true
	}
	if len(g.few) == 0 {
		return false
	}
	_, ok := slices.BinarySearch(g.few, int32(i))
	return ok
}

// len is how many there are.
func (g group) len() int { return g.bits.len() + len(g.few) }

func (g group) empty() bool { return g.bits == nil && len(g.few) == 0 }

// addTo puts the group into a set.
func (g group) addTo(s set) {
	s.or(g.bits)
	for _, i := range g.few {
		s.add(int(i))
	}
}

// move takes what a set shares with the group out of it and into another, when that is not nil.
func (g group) move(from, into set) {
	from.move(g.bits, into)
	for _, n := range g.few {
		if i := int(n); from.has(i) {
			from[i>>6] &^= 1 << (i & 63)
			if into != nil {
				into.add(i)
			}
		}
	}
}

// each gives the numbers in order until yield returns false.
func (g group) each(yield func(int) bool) {
	for w := range g.words {
		for i := range w.each {
			if !yield(i) {
				return
			}
		}
	}
}

// word is 64 numbers of a group.
type word struct {
	at int
	of uint64
}

func (w word) each(yield func(int) bool) {
	for of := w.of; of != 0; of &= of - 1 {
		if !yield(w.at<<6 + bits.TrailingZeros64(of)) {
			return
		}
	}
}

// words gives the numbers of a group in order, many at once.
func (g group) words(yield func(word) bool) {
	few := g.few
	take := func(at int, of uint64) word {
		for len(few) > 0 && int(few[0])>>6 == at {
			of |= 1 << (few[0] & 63)
			few = few[1:]
		}
		return word{at, of}
	}
	for at, of := range g.bits {
		if !yield(take(at, of)) {
			return
		}
	}
	for len(few) > 0 {
		if !yield(take(int(few[0])>>6, 0)) {
			return
		}
	}
}

// shared gives the numbers that are in a set too, in order.
func (g group) shared(s set) iter.Seq[int] {
	return func(yield func(int) bool) {
		for w := range g.words {
			w.of &= s[w.at]
			for i := range w.each {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// only gives those of the group that are in a set too.
func (g group) only(s set) group {
	n := 0
	for range g.shared(s) {
		n++
	}
	if n == g.len() {
		return g
	}
	if g.bits != nil && n > len(s)/2 {
		both := make(set, len(s))
		g.addTo(both)
		both.and(s)
		return group{bits: both}
	}
	list := make([]int32, 0, n)
	for i := range g.shared(s) {
		list = append(list, int32(i))
	}
	return group{few: list}
}

// sum is the same for groups that are kept alike.
func (g group) sum() uint64 {
	sum := uint64(len(g.few))
	for _, i := range g.few {
		sum = mixed(sum, uint64(i))
	}
	for _, w := range g.bits {
		sum = mixed(sum, w)
	}
	return sum
}

// mixed is a sum with one number more.
func mixed(sum, n uint64) uint64 {
	sum = (sum ^ n) * 0x9e3779b97f4a7c15
	return sum ^ sum>>29
}

// equal tells whether both are kept alike: then they have the same numbers.
func (g group) equal(h group) bool {
	return slices.Equal(g.bits, h.bits) && slices.Equal(g.few, h.few)
}
