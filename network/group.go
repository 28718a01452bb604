package network

import (
	"iter"
	"math/bits"
	"slices"
)

// group is a set that is kept: a list of its numbers while they are few, else their bits. It
// is not changed once it is made.
type group struct {
	few  []int32 // sorted; nil when bits hold them
	bits set
}

// groupOf keeps a set; the set may be used for something else afterwards.
func groupOf(s set) group {
	n := s.len()
	if n > len(s)/2 { // a list would be the larger
		return group{bits: s.clone()}
	}
	g := group{few: make([]int32, 0, n)}
	for i := range s.each {
		g.few = append(g.few, int32(i))
	}
	return g
}

func (g group) has(i int) bool {
	if g.bits != nil {
		return g.bits.has(i)
	}
	_, ok := slices.BinarySearch(g.few, int32(i))
	return ok
}

// len is how many there are.
func (g group) len() int {
	if g.bits != nil {
		return g.bits.len()
	}
	return len(g.few)
}

func (g group) empty() bool { return g.bits == nil && len(g.few) == 0 }

// addTo puts the group into a set.
func (g group) addTo(s set) {
	if g.bits != nil {
		s.or(g.bits)
		return
	}
	for _, i := range g.few {
		s.add(int(i))
	}
}

// move takes what a set shares with the group, its numbers counted from offset words on, out
// of it and into another, when that is not nil.
func (g group) move(from, into set, offset int) {
	if g.bits != nil {
		if into != nil {
			into = into[offset:]
		}
		from[offset:].move(g.bits, into)
		return
	}
	for _, n := range g.few {
		i := int(n) + offset*64
		if from.has(i) {
			from[i>>6] &^= 1 << (i & 63)
			if into != nil {
				into.add(i)
			}
		}
	}
}

// each gives the numbers in order until yield returns false.
func (g group) each(yield func(int) bool) {
	if g.bits != nil {
		g.bits.each(yield)
		return
	}
	for _, i := range g.few {
		if !yield(int(i)) {
			return
		}
	}
}

// shared gives the numbers that are in a set too, in order.
func (g group) shared(s set) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range g.bits {
			for w &= s[i]; w != 0; w &= w - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
		for _, i := range g.few {
			if s.has(int(i)) && !yield(int(i)) {
				return
			}
		}
	}
}

// only gives those of the group that are in a set too.
func (g group) only(s set) group {
	if g.bits != nil {
		both := g.bits.clone()
		both.and(s)
		return groupOf(both)
	}
	list := make([]int32, 0, len(g.few))
	for _, i := range g.few {
		if s.has(int(i)) {
			list = append(list, i)
		}
	}
	return group{few: list}
}

// sum is the same for groups that are equal.
func (g group) sum() uint64 {
	sum := uint64(len(g.few))
	for _, i := range g.few {
		sum = (sum ^ uint64(i)) * 0x9e3779b97f4a7c15
		sum ^= sum >> 29
	}
	for _, w := range g.bits {
		sum = (sum ^ w) * 0x9e3779b97f4a7c15
		sum ^= sum >> 29
	}
	return sum
}

// equal tells whether both have the same numbers. Groups of as many numbers are kept alike.
func (g group) equal(h group) bool {
	return (g.bits == nil) == (h.bits == nil) && slices.Equal(g.bits, h.bits) && slices.Equal(g.few, h.few)
}
