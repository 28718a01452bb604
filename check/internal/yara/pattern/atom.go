package pattern

import (
	"math/bits"
	"slices"
)

// AtomSize is the most bytes of an atom.
const AtomSize = 8

// maxAtoms bounds the atoms of one pattern.
const maxAtoms = 256

// Atom is a short run of bytes that every match of a pattern holds (one of the
// pattern's atoms, that is), found quickly; the rest is verified around it.
type Atom struct {
	Bytes string
	Fold  bool // found whatever the case of its letters
	Off   int  // where in a plain pattern it begins; expressions are split at their atoms
	Key   byte // of a plain pattern: the file holds it with every byte XORed with this
}

// prefix is the begin of what a sequence matches.
type prefix struct {
	b    [AtomSize]byte
	n    int
	open bool // what follows may still be added
	fold bool // letters may be of any case
}

// prefixes gives short byte sequences of which every match of the nodes, one after the
// other, has one at its begin; nil when there would be too many.
func prefixes(nodes []*Node, most int) []prefix {
	list := []prefix{{open: true}}
	for _, n := range nodes {
		next := extend(list, n, most)
		if next == nil {
			break
		}
		list = next
		if !anyOpen(list) {
			break
		}
	}
	return list
}

func anyOpen(list []prefix) bool {
	for i := range list {
		if list[i].open && list[i].n < AtomSize {
			return true
		}
	}
	return false
}

// extend adds what n matches to the prefixes that are open; nil when that makes too many.
func extend(list []prefix, n *Node, most int) []prefix {
	switch n.Op {
	case OpSet:
		return extendSet(list, &n.Set, most)
	case OpCat:
		for _, s := range n.Sub {
			next := extend(list, s, most)
			if next == nil {
				return closed(list)
			}
			list = next
		}
		return list
	case OpAlt:
		var out []prefix
		for _, s := range n.Sub {
			next := extend(list, s, most)
			if next == nil || len(out)+len(next) > most {
				return nil
			}
			out = append(out, next...)
		}
		return out
	case OpRepeat:
		if n.Min == 0 {
			return closed(list)
		}
		for range min(n.Min, AtomSize) {
			next := extend(list, n.Sub[0], most)
			if next == nil {
				return closed(list)
			}
			list = next
		}
		if n.Min != n.Max {
			return closed(list)
		}
	}
	return list
}

func extendSet(list []prefix, s *Set, most int) []prefix {
	if lower, ok := s.letter(); ok {
		s = new(One(lower))
		list = folded(list)
	}
	size, total := s.Len(), 0
	for i := range list {
		total++
		if list[i].open && list[i].n < AtomSize {
			total += size - 1
		}
	}
	if total > most {
		return nil
	}
	out := make([]prefix, 0, total)
	for _, p := range list {
		if !p.open || p.n == AtomSize {
			out = append(out, p)
			continue
		}
		for w, word := range s {
			for ; word != 0; word &= word - 1 {
				q := p
				q.b[q.n] = byte(w<<6 + bits.TrailingZeros64(word))
				q.n++
				out = append(out, q)
			}
		}
	}
	return out
}

// letter tells whether the set is both cases of one letter.
func (s *Set) letter() (lower byte, ok bool) {
	if s[0] != 0 || s[2] != 0 || s[3] != 0 || s[1]>>32 != s[1]&(1<<32-1) || bits.OnesCount64(s[1]) != 2 {
		return 0, false
	}
	lower = byte(64 + 32 + bits.TrailingZeros64(s[1]))
	return lower, lower >= 'a' && lower <= 'z'
}

// folded marks those that are to be extended.
func folded(list []prefix) []prefix {
	out := slices.Clone(list)
	for i := range out {
		if out[i].open && out[i].n < AtomSize {
			out[i].fold = true
		}
	}
	return out
}

func closed(list []prefix) []prefix {
	out := make([]prefix, len(list))
	for i, p := range list {
		p.open = false
		out[i] = p
	}
	return out
}

// quality rates a set of prefixes: how rarely one of them is met by chance.
func quality(list []prefix) int {
	worst := 1 << 20
	for i := range list {
		worst = min(worst, rate(list[i].b[:list[i].n]))
	}
	return worst - 4*bits.Len(uint(len(list)))
}

// enough is as many bytes as the search for literals looks at; more help little.
const enough = 5

// rate rates one atom, in quarters of a bit and roughly.
func rate(b []byte) int {
	sum := 0
	for i, c := range b {
		sum += worth(i, rarity(c), i > 0 && c == b[i-1])
	}
	return sum - short(len(b))
}

// worth is what one more byte adds to an atom.
func worth(i, rarity int, again bool) int {
	if again {
		rarity -= 10
	}
	if i >= enough {
		return rarity / 4
	}
	return rarity
}

// short is what it costs that an atom is shorter than the search likes.
func short(n int) int {
	return [...]int{100, 60, 40, 30, 20, 0, 0, 0, 0}[n]
}

func rarity(c byte) int {
	switch {
	case c == 0 || c == 0xff:
		return 8
	case c == ' ' || c == 0x90 || c == 0xcc || c == 0x48 || c == 0x8b || c == 0x89 || c == '\n':
		return 16
	case c == 'e' || c == 't' || c == 'a' || c == 's' || c == 'r' || c == 'i' || c == 'n' || c == 'o' || c == '_':
		return 18
	case c >= 'a' && c <= 'z':
		return 21
	}
	return 26
}

// few is the quality below which a pattern is worth being taken apart, or tried at
// every place.
const few = 20

// good is a quality that is not worth looking for a better one.
const good = 90

// best chooses where a sequence of nodes is split, and the prefixes at the split; list is
// nil when what the nodes match may be empty.
func best(nodes []*Node) (at int, list []prefix, score int) {
	at, n, score := bestRun(nodes)
	if n > 0 {
		list = prefixes(nodes[at:at+n], maxAtoms)
	}
	if score >= good {
		return at, list, score
	}
	for i := range min(len(nodes), 512) {
		p := prefixes(nodes[i:], maxAtoms)
		if shortest(p) == 0 {
			continue
		}
		if q := quality(p); q > score {
			at, list, score = i, p, q
		}
	}
	return at, list, score
}

// bestRun looks at runs of single bytes alone: where the best one begins, and how many
// nodes it is.
func bestRun(nodes []*Node) (at, n, score int) {
	score = -1 << 20
	type one struct{ size, rarity, byte int }
	bytes := make([]one, len(nodes))
	for i, x := range nodes {
		if x.Op != OpSet {
			continue
		}
		o := one{size: x.Set.Len(), byte: -1}
		if _, ok := x.Set.letter(); ok {
			o.size = 1
		}
		o.rarity, o.byte = x.Set.rarity()
		bytes[i] = o
	}
	for i := range nodes {
		sum, product := 0, 1
		for k := 0; k < AtomSize && i+k < len(nodes); k++ {
			o := bytes[i+k]
			if o.size == 0 || product*o.size > maxAtoms {
				break
			}
			product *= o.size
			sum += worth(k, o.rarity, k > 0 && o.size == 1 && o.byte == bytes[i+k-1].byte)
			if q := sum - 4*bits.Len(uint(product)) - short(k+1); q > score {
				at, n, score = i, k+1, q
			}
		}
	}
	return at, n, score
}

// rarity is that of the most frequent byte of the set, and one byte of it.
func (s *Set) rarity() (least, b int) {
	least = 1 << 20
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			b = w<<6 + bits.TrailingZeros64(word)
			least = min(least, rarity(byte(b)))
		}
	}
	return least, b
}

func shortest(list []prefix) int {
	short := AtomSize
	for i := range list {
		short = min(short, list[i].n)
	}
	return short
}

func atomsOf(list []prefix, off int) []Atom {
	seen := make(map[Atom]bool, len(list))
	out := make([]Atom, 0, len(list))
	for i := range list {
		a := Atom{Bytes: string(list[i].b[:list[i].n]), Fold: list[i].fold, Off: off}
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
