package network

import (
	"math/bits"
	"slices"
)

// runs are numbers of blocks and domains, in order and not touching: blocks are numbered by
// their addresses, so that a CIDR is one run of them, however many there are. They are not
// changed once they are made.
type runs []run

// run is the numbers from first below end.
type run struct{ first, end int32 }

// runsOf are those of a set.
func runsOf(s set) runs {
	var list runs
	for at, w := range s {
		for w != 0 {
			skip := bits.TrailingZeros64(w)
			n := bits.TrailingZeros64(^(w >> skip))
			list = list.and(run{int32(at<<6 + skip), int32(at<<6 + skip + n)})
			if skip+n == 64 {
				break
			}
			w &^= 1<<(skip+n) - 1
		}
	}
	return slices.Clip(list)
}

// and adds a run that begins no earlier than the last.
func (r runs) and(next run) runs {
	if n := len(r); n > 0 && r[n-1].end >= next.first {
		r[n-1].end = max(r[n-1].end, next.end)
		return r
	}
	return append(r, next)
}

// joinedRuns sorts runs and makes one of those that touch, in place.
func joinedRuns(list runs) runs {
	slices.SortFunc(list, func(a, b run) int { return int(a.first) - int(b.first) })
	joined := list[:0]
	for _, r := range list {
		joined = joined.and(r)
	}
	return slices.Clip(joined)
}

func (r runs) has(i int) bool {
	_, ok := slices.BinarySearchFunc(r, int32(i), func(r run, i int32) int {
		switch {
		case r.end <= i:
			return -1
		case r.first > i:
			return 1
		}
		return 0
	})
	return ok
}

func (r runs) empty() bool { return len(r) == 0 }

// len is how many numbers there are.
func (r runs) len() int {
	n := 0
	for _, x := range r {
		n += int(x.end - x.first)
	}
	return n
}

// each gives the numbers in order until yield returns false.
func (r runs) each(yield func(int) bool) {
	for _, x := range r {
		for i := x.first; i < x.end; i++ {
			if !yield(int(i)) {
				return
			}
		}
	}
}

// move takes what a set shares with the runs, their numbers counted from offset words on, out
// of it and into another, when that is not nil.
func (r runs) move(from, into set, offset int) {
	for _, x := range r {
		for at := int(x.first) >> 6; at <= int(x.end-1)>>6; at++ {
			mask := ^uint64(0)
			if at == int(x.first)>>6 {
				mask <<= x.first & 63
			}
			if at == int(x.end-1)>>6 {
				mask &= ^uint64(0) >> (63 - (x.end-1)&63)
			}
			both := from[offset+at] & mask
			from[offset+at] &^= both
			if into != nil {
				into[offset+at] |= both
			}
		}
	}
}

// sum is the same for runs that are equal.
func (r runs) sum() uint64 {
	sum := uint64(len(r))
	for _, x := range r {
		sum = mixed(sum, uint64(x.first)<<32|uint64(x.end))
	}
	return sum
}
