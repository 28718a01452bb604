package graph

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// hitting is the problem of hitting sets: the fewest elements of which every set has one. Sets
// are added as they are found.
type hitting struct {
	elements int
	sets     [][]int32
	size     int // of all sets
	seen     map[string]bool
	room     []byte
	// bound is how many elements any answer to the sets so far has at least.
	bound int
}

func newHitting(elements int) *hitting {
	return &hitting{elements: elements, seen: map[string]bool{}}
}

// add asks for one of a set, which is sorted.
func (h *hitting) add(set []int32) {
	h.room = h.room[:0]
	for _, c := range set {
		h.room = binary.LittleEndian.AppendUint32(h.room, uint32(c))
	}
	if !h.seen[string(h.room)] {
		h.seen[string(h.room)] = true
		h.sets = append(h.sets, set)
		h.size += len(set)
	}
}

// solve gives a set that hits all, sorted. It is made piece by piece: pieces share nothing.
// Each is reduced as far as that loses nothing; what is left is solved exactly where it is
// small and asked for, else greedily and by local search, and bounded from below.
func (h *hitting) solve(exact bool) []int32 {
	taken, pieces := reduce(h.sets, h.elements)
	bound := len(taken)
	budget := 400_000
	for _, sets := range pieces {
		p := newPiece(sets)
		answer := p.greedy()
		least := p.below()
		if exact && least < len(answer) {
			answer, least = p.exact(answer, least, &budget)
		}
		bound += least
		for _, c := range answer {
			taken = append(taken, p.names[c])
		}
	}
	h.bound = max(h.bound, bound) // sets are only added
	slices.Sort(taken)
	return taken
}

// reduce drops sets that hold another and elements that hit no set which another does not
// hit as well, takes those that stand alone, and gives what is left in pieces.
func reduce(sets [][]int32, elements int) (taken []int32, pieces [][][]int32) {
	sets = slices.Clone(sets)
	for {
		before := size(sets)
		sets = least(sets, elements)
		sets = useful(sets, elements)
		if size(sets) == before {
			break
		}
	}
	var left [][]int32
	for _, s := range sets {
		if len(s) == 1 {
			taken = append(taken, s[0]) // no other set has it: that would hold this one
		} else {
			left = append(left, s)
		}
	}
	return taken, apart(left, elements)
}

func size(sets [][]int32) (n int) {
	for _, s := range sets {
		n += len(s)
	}
	return n
}

// least drops sets that hold another one.
func least(sets [][]int32, elements int) [][]int32 {
	slices.SortStableFunc(sets, func(a, b []int32) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	sets = slices.CompactFunc(sets, slices.Equal)
	mark := make([]int32, elements) // number of the set that is looked at, plus one
	// A set is filed under its rarest element: a set that holds it has that one, too.
	often := make([]int32, elements)
	for _, s := range sets {
		for _, c := range s {
			often[c]++
		}
	}
	filed := make([][]int32, elements)
	kept := sets[:0:0]
	for i, s := range sets {
		for _, c := range s {
			mark[c] = int32(i + 1)
		}
		inside := func(n int32) bool {
			for _, c := range kept[n] {
				if mark[c] != int32(i+1) {
					return false
				}
			}
			return true
		}
		if slices.ContainsFunc(s, func(c int32) bool { return slices.ContainsFunc(filed[c], inside) }) {
			continue
		}
		rare := slices.MinFunc(s, func(a, b int32) int { return cmp.Compare(often[a], often[b]) })
		filed[rare] = append(filed[rare], int32(len(kept)))
		kept = append(kept, s)
	}
	return kept
}

// useful drops elements for which another one does as well.
func useful(sets [][]int32, elements int) [][]int32 {
	by := make([][]int32, elements)
	for i, s := range sets {
		for _, c := range s {
			by[c] = append(by[c], int32(i))
		}
	}
	gone := make([]bool, elements)
	for c := range int32(elements) {
		if len(by[c]) == 0 {
			continue
		}
		// Whoever does as well is in every set that c is in: in the smallest of them.
		small := slices.MinFunc(by[c], func(a, b int32) int { return cmp.Compare(len(sets[a]), len(sets[b])) })
		for _, d := range sets[small] {
			same := len(by[d]) == len(by[c])
			if d == c || gone[d] || len(by[d]) < len(by[c]) || same && d > c || !within(by[c], by[d]) {
				continue
			}
			gone[c] = true
			break
		}
	}
	list := make([][]int32, len(sets))
	for i, s := range sets {
		list[i] = slices.DeleteFunc(slices.Clone(s), func(c int32) bool { return gone[c] })
	}
	return list
}

// within tells whether all of a is in b; both are sorted.
func within(a, b []int32) bool {
	for _, x := range a {
		at, ok := slices.BinarySearch(b, x)
		if !ok {
			return false
		}
		b = b[at+1:]
	}
	return true
}

// apart gives sets in pieces that have no element in common.
func apart(sets [][]int32, elements int) [][][]int32 {
	up := make([]int32, elements)
	for i := range up {
		up[i] = int32(i)
	}
	root := func(c int32) int32 {
		for up[c] != c {
			up[c] = up[up[c]]
			c = up[c]
		}
		return c
	}
	for _, s := range sets {
		for _, c := range s[1:] {
			up[root(c)] = root(s[0])
		}
	}
	number := map[int32]int{}
	var pieces [][][]int32
	for _, s := range sets {
		n, ok := number[root(s[0])]
		if !ok {
			n = len(pieces)
			number[root(s[0])] = n
			pieces = append(pieces, nil)
		}
		pieces[n] = append(pieces[n], s)
	}
	return pieces
}
