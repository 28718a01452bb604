package network

import (
	"iter"
	"slices"
)

// Pairs gives the pairs of some endpoints, in order, of which the first may reach the second:
// all that do are among them, and few others. [Engine.Ports] says on which ports.
func (e *Engine) Pairs(among []int) iter.Seq2[int, int] { return e.PairsOf(among, nil) }

// PairsOf gives those of [Engine.Pairs] that have an end among kept; nil: all.
func (e *Engine) PairsOf(among, kept []int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		wanted := newSet(e.words * 64)
		for _, i := range among {
			wanted.add(i)
		}
		m := e.meeting()
		if kept != nil {
			m.kept = newSet(e.words * 64)
			for _, i := range kept {
				m.kept.add(i)
			}
		}
		for some := range slices.Chunk(among, max(1, maxLet*8/len(e.Endpoints))) {
			at := make([]set, e.words*64)
			for _, i := range some {
				at[i] = make(set, e.words)
			}
			m.let(at, nil)
			for _, from := range some {
				if at[from].len() == 0 {
					continue
				}
				m.met(from, at[from])
				m.one.and(wanted)
				for to := range m.one.each {
					if !yield(from, to) {
						return
					}
				}
			}
		}
	}
}

// meeting finds who meets whom: who may send to one that may receive from it, on ports that
// somebody sends to and somebody receives on.
type meeting struct {
	e    *Engine
	on   [2]*sieve // of receivers and senders
	one  set       // whom an endpoint meets
	some set
	kept set // one end of each pair is among them; nil: whoever it is
}

func (e *Engine) meeting() *meeting {
	return &meeting{e, [2]*sieve{e.sieve(Ingress), e.sieve(Egress)}, make(set, e.words), make(set, e.words), nil}
}

// let puts into at, by their numbers, whom endpoints and blocks may send to, going by what
// those receive; of those alone that have a set there.
func (m *meeting) let(at, blocks []set) {
	for to, row := range m.e.rowOf[Ingress] {
		wanted := m.kept == nil || m.kept.has(to)
		for i := range row {
			c := &row[i]
			senders := m.on[Egress].with(c.ports)
			for w := range c.peers.words {
				if senders != nil {
					w.of &= senders[w.at]
				}
				if !wanted {
					w.of &= m.kept[w.at]
				}
				for i := range w.each {
					if at[i] != nil {
						at[i].add(to)
					}
				}
			}
			if !wanted {
				continue
			}
			for _, x := range c.outside {
				for n := x.first; n < min(x.end, int32(len(blocks))); n++ {
					if blocks[n] != nil {
						blocks[n].add(to)
					}
				}
			}
		}
	}
}

// met leaves in one whom an endpoint meets, of those that let it.
func (m *meeting) met(from int, let set) {
	clear(m.one)
	for _, c := range m.e.rowOf[Egress][from] {
		receivers := m.on[Ingress].with(c.ports)
		if receivers == nil {
			c.peers.addTo(m.one)
			continue
		}
		clear(m.some)
		c.peers.addTo(m.some)
		m.some.and(receivers)
		m.one.or(m.some)
	}
	m.one.and(let)
}

// sieve tells who has to do with some ports in a direction: who may reach all for name lookups
// meets nobody where nobody takes any.
type sieve struct {
	words int
	who   map[uint64]*portSet // by the sum of their ports
	known map[uint64]*portSet // what was asked before
}

// portSet is ports, and who has a cell of them.
type portSet struct {
	ports Ports
	who   set
}

// mostSieved is how many kinds of ports are told apart.
const mostSieved = 512

func (e *Engine) sieve(d Direction) *sieve {
	s := &sieve{e.words, map[uint64]*portSet{}, map[uint64]*portSet{}}
	for i, r := range e.rowOf[d] {
		for j := range r {
			sum := r[j].ports.sum()
			if s.who[sum] == nil {
				if len(s.who) == mostSieved {
					return nil
				}
				s.who[sum] = &portSet{r[j].ports, make(set, e.words)}
			}
			if !s.who[sum].ports.Equal(r[j].ports) {
				return nil // two kinds with one sum
			}
			s.who[sum].who.add(i)
		}
	}
	return s
}

// with gives those that have to do with any of some ports; nil: it may be anybody.
func (s *sieve) with(p Ports) set {
	if s == nil {
		return nil
	}
	sum := p.sum()
	found := s.known[sum]
	switch {
	case found != nil && found.ports.Equal(p):
		return found.who
	case found != nil || len(s.known) == mostSieved:
		return nil
	}
	found = &portSet{p, make(set, s.words)}
	for _, kind := range s.who {
		if kind.ports.overlaps(p) {
			found.who.or(kind.who)
		}
	}
	s.known[sum] = found
	return found.who
}
