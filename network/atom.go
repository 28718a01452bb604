package network

import (
	"math/rand/v2"
	"slices"
)

// cutter cuts all ports into those that the same rules speak of. What it holds is used again
// for each cut.
type cutter struct {
	atoms  []atom
	names  []signature // of rules, at random, so that nobody can make two sets of rules alike
	known  map[signature]int
	on     set // the rules that speak of the port at hand
	bounds []bound
}

// atom is ports that the same rules speak of.
type atom struct {
	ports  Ports
	active []int32 // the rules, in order
}

// bound is where the ports of a rule begin or end.
type bound struct{ port, rule int32 }

// signature stands for a set of rules: their names, one laid over the other.
type signature [2]uint64

func (s *signature) toggle(name signature) {
	s[0] ^= name[0]
	s[1] ^= name[1]
}

// cut gives the atoms of some rules; they are there until the next cut, their ports for ever.
func (c *cutter) cut(rules []*rule) []atom {
	for len(c.names) < len(rules) {
		c.names = append(c.names, signature{rand.Uint64(), rand.Uint64()})
	}
	if n := (len(rules) + 63) / 64; n > len(c.on) {
		c.on = make(set, n)
	}
	if c.known == nil {
		c.known = map[signature]int{}
	}
	clear(c.known)
	c.atoms = c.atoms[:0]
	for proto := range protocols {
		c.protocol(rules, proto)
	}
	return c.atoms
}

// protocol cuts the ports of one protocol.
func (c *cutter) protocol(rules []*rule, proto Protocol) {
	c.bounds = append(c.bounds[:0], bound{1, -1}, bound{lastPort + 1, -1})
	for i, r := range rules {
		for _, s := range r.ports.of[proto] {
			c.bounds = append(c.bounds, bound{int32(s.first), int32(i)}, bound{int32(s.last) + 1, int32(i)})
		}
	}
	slices.SortFunc(c.bounds, func(a, b bound) int { return int(a.port - b.port) })
	on := c.on[:(len(rules)+63)/64]
	clear(on)
	var now signature
	for i, b := range c.bounds {
		if b.rule >= 0 {
			on[b.rule>>6] ^= 1 << (b.rule & 63)
			now.toggle(c.names[b.rule])
		}
		if b.port > lastPort || c.bounds[i+1].port == b.port {
			continue
		}
		at, ok := c.known[now]
		if !ok {
			at = len(c.atoms)
			c.known[now] = at
			c.another(on)
		}
		ports := &c.atoms[at].ports
		ports.of[proto] = extended(ports.of[proto], span{uint16(b.port), uint16(c.bounds[i+1].port - 1)})
	}
}

// another adds an atom that some rules speak of, in the room of one of the last cut.
func (c *cutter) another(on set) {
	if len(c.atoms) < cap(c.atoms) {
		c.atoms = c.atoms[:len(c.atoms)+1]
	} else {
		c.atoms = append(c.atoms, atom{})
	}
	a := &c.atoms[len(c.atoms)-1]
	a.ports = Ports{}
	a.active = on.appendTo(a.active[:0])
}

// extended adds a span behind others.
func extended(spans []span, s span) []span {
	if n := len(spans); n > 0 && int(spans[n-1].last)+1 == int(s.first) {
		spans[n-1].last = s.last
		return spans
	}
	return append(spans, s)
}
