package network

import (
	"iter"
	"math/rand/v2"
	"slices"
)

// atom is ports that the same rules speak of.
type atom struct {
	ports  Ports
	active []int32 // the rules
}

// bound is where the ports of a rule begin or end.
type bound struct {
	port int32
	rule int32
}

// alike cuts all ports into those that the same rules speak of, and gives each with these
// rules, in order. The list of rules is for the loop's body alone.
func alike(rules []*rule) iter.Seq2[Ports, []int32] {
	names := make([]signature, len(rules))
	for i := range names {
		names[i] = signature{rand.Uint64(), rand.Uint64()} // that nobody can make collide
	}
	known := map[signature]int{}
	var atoms []atom
	on := newSet(len(rules))
	var edges []bound
	for proto := range protocols {
		edges = append(edges[:0], bound{1, -1}, bound{lastPort + 1, -1})
		for i, r := range rules {
			for _, s := range r.ports.of[proto] {
				edges = append(edges, bound{int32(s.first), int32(i)}, bound{int32(s.last) + 1, int32(i)})
			}
		}
		slices.SortFunc(edges, func(a, b bound) int { return int(a.port - b.port) })
		clear(on)
		var now signature
		for i, e := range edges {
			if e.rule >= 0 {
				on[e.rule>>6] ^= 1 << (e.rule & 63)
				now[0] ^= names[e.rule][0]
				now[1] ^= names[e.rule][1]
			}
			if i+1 == len(edges) || edges[i+1].port == e.port || e.port > lastPort {
				continue
			}
			at, ok := known[now]
			if !ok {
				at = len(atoms)
				known[now] = at
				atoms = append(atoms, atom{active: slices.Collect(on.numbers)})
			}
			atoms[at].ports.of[proto] = extended(atoms[at].ports.of[proto], span{uint16(e.port), uint16(edges[i+1].port - 1)})
		}
	}
	return func(yield func(Ports, []int32) bool) {
		for _, a := range atoms {
			if !yield(a.ports, a.active) {
				return
			}
		}
	}
}

// signature stands for a set of rules: their names, one laid over the other.
type signature [2]uint64

// extended adds a span behind others.
func extended(spans []span, s span) []span {
	if n := len(spans); n > 0 && int(spans[n-1].last)+1 == int(s.first) {
		spans[n-1].last = s.last
		return spans
	}
	return append(spans, s)
}
