// Package pattern holds what a YARA string looks for as a tree over bytes, and runs it
// forwards and backwards from a place in the data.
//
// Matching is by sets of positions, not by threads: a node turns the positions where it
// may begin into those where it may end. Every construct costs time bounded by the
// window, whatever the repetition counts are, and nothing is expanded.
package pattern

import "math/bits"

// Window is the most bytes that an expression reads in either direction from where it
// is anchored, the same as YARA's own limit. Plain strings may be longer.
const Window = 4096

// Unbounded is the Max of a repetition without an upper end.
const Unbounded = -1

// Set is a set of bytes.
type Set [4]uint64

// All is every byte.
var All = Set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// Add puts b into the set.
func (s *Set) Add(b byte) { s[b>>6] |= 1 << (b & 63) }

// Range puts lo to hi into the set.
func (s *Set) Range(lo, hi byte) {
	for b := int(lo); b <= int(hi); b++ {
		s.Add(byte(b))
	}
}

// Has tells whether b is in the set.
func (s *Set) Has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }

// Not is the complement.
func (s Set) Not() Set { return Set{^s[0], ^s[1], ^s[2], ^s[3]} }

// Or is the union.
func (s Set) Or(t Set) Set { return Set{s[0] | t[0], s[1] | t[1], s[2] | t[2], s[3] | t[3]} }

// Len is the number of bytes in the set.
func (s *Set) Len() int {
	return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) + bits.OnesCount64(s[2]) + bits.OnesCount64(s[3])
}

// Fold adds the other case of every ASCII letter.
func (s Set) Fold() Set {
	out := s
	for b := byte('a'); b <= 'z'; b++ {
		if s.Has(b) {
			out.Add(b - 32)
		}
		if s.Has(b - 32) {
			out.Add(b)
		}
	}
	return out
}

// One is the set of b alone.
func One(b byte) Set {
	var s Set
	s.Add(b)
	return s
}

// Masked is the set of bytes that agree with value where mask has ones.
func Masked(value, mask byte) Set {
	switch mask {
	case 0xff:
		return One(value)
	case 0:
		return All
	}
	var s Set
	for b := range 256 {
		if byte(b)&mask == value&mask {
			s.Add(byte(b))
		}
	}
	return s
}

// Op says what a node is.
type Op uint8

// The kinds of node.
const (
	OpEmpty   Op = iota
	OpSet        // one byte of Set
	OpCat        // Sub, one after the other
	OpAlt        // one of Sub
	OpRepeat     // Sub[0], Min to Max times
	OpStart      // start of the data
	OpEnd        // end of the data
	OpWord       // word boundary
	OpNotWord    // no word boundary
)

// Node is one part of an expression.
type Node struct {
	Op       Op
	Set      Set
	Sub      []*Node
	Min, Max int
	Lazy     bool // of a repetition
	Wide     bool // of a word boundary: characters are two bytes
	Not      bool // of a set: it was written as what it must not be
}

// Cat joins nodes, flattening those that are joined already.
func Cat(nodes ...*Node) *Node {
	var flat []*Node
	for _, n := range nodes {
		switch n.Op {
		case OpEmpty:
		case OpCat:
			flat = append(flat, n.Sub...)
		default:
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return &Node{}
	case 1:
		return flat[0]
	}
	return &Node{Op: OpCat, Sub: flat}
}

// Byte is a node that matches one byte of s.
func Byte(s Set) *Node { return &Node{Op: OpSet, Set: s} }

// Repeat is n, min to max times.
func Repeat(n *Node, min, max int, lazy bool) *Node {
	return &Node{Op: OpRepeat, Sub: []*Node{n}, Min: min, Max: max, Lazy: lazy}
}

// Map gives a copy of the tree in which every byte is what f makes of it.
func (n *Node) Map(f func(*Node) *Node) *Node {
	switch n.Op {
	case OpSet:
		return f(n)
	case OpCat, OpAlt, OpRepeat:
		c := *n
		c.Sub = make([]*Node, len(n.Sub))
		for i, s := range n.Sub {
			c.Sub[i] = s.Map(f)
		}
		if c.Op == OpCat {
			return Cat(c.Sub...)
		}
		return &c
	}
	return n
}

// NoCase is the expression regardless of the case of ASCII letters.
func (n *Node) NoCase() *Node {
	return n.Map(func(b *Node) *Node {
		if b.Not {
			return &Node{Op: OpSet, Set: b.Set.Not().Fold().Not(), Not: true}
		}
		return Byte(b.Set.Fold())
	})
}

// Widened is the expression over two-byte characters whose high byte is zero.
func (n *Node) Widened() *Node {
	zero := Byte(One(0))
	w := n.Map(func(b *Node) *Node { return &Node{Op: OpCat, Sub: []*Node{b, zero}} })
	return w.wideWords()
}

func (n *Node) wideWords() *Node {
	if n.Op == OpWord || n.Op == OpNotWord {
		return &Node{Op: n.Op, Wide: true}
	}
	for i, s := range n.Sub {
		n.Sub[i] = s.wideWords()
	}
	return n
}

// Length gives the least and most bytes that n matches; most is Unbounded when there is
// no bound below limit.
func (n *Node) Length(limit int) (least, most int) {
	switch n.Op {
	case OpSet:
		return 1, 1
	case OpCat:
		for _, s := range n.Sub {
			lo, hi := s.Length(limit)
			least, most = clip(least+lo, limit), plus(most, hi, limit)
		}
		return least, most
	case OpAlt:
		least = limit
		for _, s := range n.Sub {
			lo, hi := s.Length(limit)
			least = min(least, lo)
			if hi < 0 || most < 0 {
				most = Unbounded
				continue
			}
			most = max(most, hi)
		}
		return least, most
	case OpRepeat:
		lo, hi := n.Sub[0].Length(limit)
		least = times(lo, n.Min, limit)
		if hi == 0 {
			return least, 0
		}
		if hi < 0 || n.Max < 0 || n.Max > limit/hi {
			return least, Unbounded
		}
		return least, hi * n.Max
	}
	return 0, 0
}

func clip(n, limit int) int { return min(n, limit) }

func times(a, b, limit int) int {
	if a > 0 && b > limit/a {
		return limit
	}
	return a * b
}

func plus(a, b, limit int) int {
	if a < 0 || b < 0 || a+b > limit {
		return Unbounded
	}
	return a + b
}

// Greedy tells whether the expression has a repetition that takes as much as it can.
func (n *Node) Greedy() bool {
	if n.Op == OpRepeat && !n.Lazy && n.Min != n.Max {
		return true
	}
	for _, s := range n.Sub {
		if s.Greedy() {
			return true
		}
	}
	return false
}
