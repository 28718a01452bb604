package network

import "math/bits"

// set is a set of small numbers: endpoints, then blocks of addresses.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

// full is the set of the numbers below n.
func full(n int) set {
	s := newSet(n)
	s.addRange(0, n)
	return s
}

func (s set) add(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s set) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

// addRange adds from, from+1 and so on below to.
func (s set) addRange(from, to int) {
	for ; from < to && from&63 != 0; from++ {
		s.add(from)
	}
	for ; from+64 <= to; from += 64 {
		s[from>>6] = ^uint64(0)
	}
	for ; from < to; from++ {
		s.add(from)
	}
}

func (s set) clone() set { return append(set(nil), s...) }

func (s set) or(t set) {
	for i, w := range t {
		s[i] |= w
	}
}

func (s set) and(t set) {
	for i := range s {
		s[i] &= t[i]
	}
}

func (s set) without(t set) {
	for i := range s {
		s[i] &^= t[i]
	}
}

// move takes what s and t share out of s and puts it into into, when that is not nil.
func (s set) move(t, into set) {
	for i, w := range t {
		both := s[i] & w
		s[i] &^= both
		if into != nil {
			into[i] |= both
		}
	}
}

func (s set) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// each gives the numbers of the set in order until yield returns false.
func (s set) each(yield func(int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i<<6 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// appendTo adds the numbers of the set to a list.
func (s set) appendTo(list []int32) []int32 {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, int32(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return list
}
