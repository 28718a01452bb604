package pattern

import (
	"math/bits"
	"slices"
)

// Pattern is one form in which a string occurs in files.
type Pattern struct {
	// Value and Mask are those of a plain pattern, one that has one length: a byte b fits
	// when b&Mask == Value. Mask is nil where it would be all ones.
	Value, Mask []byte
	// Back and Front are an expression, split where its atoms begin.
	Back, Front *Node
	Greedy      bool
	// Wide is true when characters are two bytes.
	Wide bool
	// Atoms are empty when the pattern has none of two bytes or more: it is then tried at
	// every byte that is in First, as if Slow had been found there.
	Atoms []Atom
	First Set
	Slow  Atom
}

// Plain tells whether the pattern is compared byte by byte.
func (p *Pattern) Plain() bool { return p.Front == nil }

// Literal is the pattern of the bytes b; with nocase the case of letters does not
// matter.
func Literal(b []byte, nocase bool) *Pattern {
	nodes := make([]*Node, len(b))
	p := &Pattern{Value: slices.Clone(b)}
	if nocase {
		p.Mask = make([]byte, len(b))
	}
	for i, c := range b {
		s := One(c)
		if nocase {
			s, p.Mask[i] = s.Fold(), 0xff
			if alnum(c) && c > '9' {
				p.Value[i], p.Mask[i] = c&^0x20, 0xdf
			}
		}
		nodes[i] = Byte(s)
	}
	p.choose(nodes)
	return p
}

// XOR is the pattern of b XORed with every key from lo to hi.
func XOR(b []byte, lo, hi byte) *Pattern {
	p := Literal(b, false)
	if len(p.Atoms) != 1 { // too short for one: b is a single byte
		p.Atoms = []Atom{{Bytes: string(b)}}
	}
	a := p.Atoms[0]
	p.Atoms = make([]Atom, 0, int(hi)-int(lo)+1)
	for k := int(lo); k <= int(hi); k++ {
		x := []byte(a.Bytes)
		for i := range x {
			x[i] ^= byte(k)
		}
		p.Atoms = append(p.Atoms, Atom{Bytes: string(x), Off: a.Off, Key: byte(k)})
	}
	return p
}

// choose sets the atoms of a plain pattern.
func (p *Pattern) choose(nodes []*Node) {
	at, list, _ := best(nodes)
	p.anchor(list, at)
	p.Slow.Off = at
}

// anchor makes the prefixes the atoms of the pattern.
func (p *Pattern) anchor(list []prefix, off int) {
	if len(list) > 0 && shortest(list) > 1 {
		p.Atoms = atomsOf(list, off)
		return
	}
	if len(list) == 0 {
		p.First = All
	}
	for i := range list {
		first := One(list[i].b[0])
		if list[i].fold {
			first = first.Fold()
		}
		p.First = p.First.Or(first)
	}
}

// Compile gives the patterns that together match what n does.
func Compile(n *Node) []*Pattern {
	return compile(n, 3)
}

func compile(n *Node, depth int) []*Pattern {
	nodes := spread(n)
	if p := plain(nodes); p != nil {
		return []*Pattern{p}
	}
	at, list, score := best(nodes)
	if score < few && depth > 0 {
		if all := apart(nodes, depth); all != nil {
			return all
		}
	}
	p := &Pattern{Back: Cat(nodes[:at]...), Front: Cat(nodes[at:]...), Greedy: n.Greedy()}
	p.anchor(list, 0)
	return []*Pattern{p}
}

// spread lays the outermost sequence open: x+ is x x*.
func spread(n *Node) []*Node {
	if n.Op == OpCat {
		var out []*Node
		for _, s := range n.Sub {
			out = append(out, spread(s)...)
		}
		return out
	}
	if n.Op == OpRepeat && n.Min > 0 && (n.Sub[0].Op != OpSet || n.Min <= AtomSize && n.Max != n.Min) {
		rest := *n
		rest.Min--
		if rest.Max > 0 {
			rest.Max--
		}
		out := spread(n.Sub[0])
		if rest.Max == 0 {
			return out
		}
		return append(slices.Clip(out), &rest)
	}
	return []*Node{n}
}

// plain makes a plain pattern of bytes that masks describe, or nil.
func plain(nodes []*Node) *Pattern {
	p := &Pattern{}
	flat := make([]*Node, 0, len(nodes))
	for _, n := range nodes {
		times := 1
		if n.Op == OpRepeat && n.Min == n.Max && n.Sub[0].Op == OpSet && n.Max <= 1024 {
			n, times = n.Sub[0], n.Max
		}
		if n.Op != OpSet {
			return nil
		}
		value, mask, ok := masked(&n.Set)
		if !ok {
			return nil
		}
		for range times {
			flat = append(flat, n)
			p.Value, p.Mask = append(p.Value, value), append(p.Mask, mask)
		}
	}
	if len(flat) == 0 {
		return nil
	}
	if !slices.ContainsFunc(p.Mask, func(m byte) bool { return m != 0xff }) {
		p.Mask = nil
	}
	p.choose(flat)
	return p
}

// masked describes a set by value and mask where that is possible.
func masked(s *Set) (value, mask byte, ok bool) {
	if *s == All {
		return 0, 0, true
	}
	if s.Len() == 1 {
		for w, word := range s {
			if word != 0 {
				return byte(w<<6 + bits.TrailingZeros64(word)), 0xff, true
			}
		}
	}
	var ones, zeros byte = 0xff, 0xff
	for b := range 256 {
		if s.Has(byte(b)) {
			ones &= byte(b)
			zeros &= ^byte(b)
		}
	}
	mask = ones | zeros
	return ones, mask, *s == Masked(ones, mask)
}

// apart makes patterns of the branches of the first alternative of a sequence.
func apart(nodes []*Node, depth int) []*Pattern {
	i := slices.IndexFunc(nodes, func(n *Node) bool { return n.Op == OpAlt })
	if i < 0 || len(nodes[i].Sub) > 16 {
		return nil
	}
	var out []*Pattern
	for _, branch := range nodes[i].Sub {
		all := slices.Concat(nodes[:i], []*Node{branch}, nodes[i+1:])
		out = append(out, compile(Cat(all...), depth-1)...)
	}
	for _, p := range out {
		p.Greedy = Cat(nodes...).Greedy()
	}
	return out
}
