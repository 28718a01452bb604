package network

import (
	"cmp"
	"iter"
	"slices"
)

// Connection is that a peer may reach another on some ports.
type Connection struct {
	From, To string
	Ports    Ports
	When     []Condition // what it depends on besides
}

// Choice says which connections are listed.
type Choice struct {
	IPv6 bool // also those of addresses of IPv6
	// Keep tells which endpoints' connections are wanted; nil: all.
	Keep func(*Endpoint) bool
}

// String is the connection as answers write it.
func (c Connection) String() string { return c.From + " => " + c.To + " : " + c.Ports.String() }

// Connections gives all that policies let through, sorted. Pods of one workload among
// themselves are left out. Of a large cluster there may be more than memory has room for:
// [Engine.All] gives one after the other.
func (e *Engine) Connections() []Connection { return slices.Collect(e.All()) }

// All gives the connections of [Engine.Connections] one after the other.
func (e *Engine) All() iter.Seq[Connection] { return e.List(Choice{}) }

// List gives chosen connections one after the other, sorted.
func (e *Engine) List(c Choice) iter.Seq[Connection] {
	return func(yield func(Connection) bool) {
		l := e.listing(c, yield)
		from := e.ends(Ingress, c)
		if c.Keep != nil {
			l.keep(from)
		}
		for some := range slices.Chunk(from, max(1, maxLet*8/len(e.Endpoints))) {
			l.turn(some)
			for _, from := range some {
				if !l.from(from) {
					return
				}
			}
		}
	}
}

// end is one end of connections, as answers name it: endpoints of one name, or a block.
type end struct {
	name  string
	peers []int // as rows number them
	kept  bool  // its connections are wanted, whomever with
}

// ends gives, by name, those of the peers of a direction that answers list.
func (e *Engine) ends(d Direction, c Choice) []end {
	var list []end
	at := map[string]int{}
	add := func(name string, peer int, kept bool) {
		i, ok := at[name]
		if !ok {
			i = len(list)
			at[name] = i
			list = append(list, end{name: name})
		}
		list[i].peers = append(list[i].peers, peer)
		list[i].kept = list[i].kept || kept
	}
	for i, p := range e.Endpoints {
		if !p.Outside || d == Ingress {
			add(p.String(), i, c.Keep == nil || c.Keep(p))
		}
	}
	first := e.words * 64
	for i, b := range e.blocks[d] {
		if b.First.Is4() || c.IPv6 {
			add(b.String()+"[External]", first+i, false)
		}
	}
	if d == Egress {
		for i, domain := range e.domains[d] {
			add(domain+"[External]", first+len(e.blocks[d])+i, false)
		}
	}
	slices.SortFunc(list, func(a, b end) int { return cmp.Compare(a.name, b.name) })
	return list
}

// listing gives connections.
type listing struct {
	*meeting
	to      []end
	endOf   []int32     // of a peer: which of to it is; -1: none
	lets    map[int]set // who lets a peer in, for those at hand
	peers   set         // whom rows let the end at hand reach
	reached set         // and which of to those are
	yield   func(Connection) bool
}

func (e *Engine) listing(c Choice, yield func(Connection) bool) *listing {
	l := &listing{meeting: e.meeting(), to: e.ends(Egress, c), peers: e.everyone(Egress), yield: yield}
	l.reached, l.endOf = newSet(len(l.to)), make([]int32, len(l.peers)*64)
	for i := range l.endOf {
		l.endOf[i] = -1
	}
	for n, to := range l.to {
		for _, i := range to.peers {
			l.endOf[i] = int32(n)
		}
	}
	return l
}

// keep has only those looked at whose connections are wanted.
func (l *listing) keep(ends []end) {
	l.kept = newSet(l.e.words * 64)
	for _, one := range ends {
		for _, i := range one.peers {
			if one.kept && i < l.e.words*64 {
				l.kept.add(i)
			}
		}
	}
}

// maxLet is how many bytes there may be for who lets whom in.
const maxLet = 32 << 20

// turn turns the rows of who lets whom in, for some ends.
func (l *listing) turn(some []end) {
	words := l.e.words
	l.lets = map[int]set{}
	at := make([]set, len(l.e.everyone(Ingress))*64)
	for _, from := range some {
		for _, i := range from.peers {
			at[i] = make(set, words)
			l.lets[i] = at[i]
		}
	}
	l.let(at[:words*64], at[words*64:])
}

// from gives those from one end; false when no more are wanted.
func (l *listing) from(from end) bool {
	if !from.kept && !slices.ContainsFunc(from.peers, func(i int) bool { return l.lets[i].len() > 0 }) {
		return true
	}
	l.look(from)
	for n := range l.reached.each {
		to := &l.to[n]
		if to.name == from.name || !from.kept && !to.kept {
			continue
		}
		c := Connection{From: from.name, To: to.name}
		for _, j := range to.peers {
			if !l.peers.has(j) {
				continue
			}
			for _, i := range from.peers {
				c.Ports = c.Ports.Union(l.between(i, j))
				c.When = append(c.When, l.when(i, j)...)
			}
		}
		if !c.Ports.Empty() && !l.yield(c) {
			return false
		}
	}
	return true
}

// look settles which peers are worth asking about, and which ends they are.
func (l *listing) look(from end) {
	e := l.e
	clear(l.peers)
	for _, i := range from.peers {
		if i >= e.words*64 || e.Endpoints[i].Outside {
			l.peers.or(l.lets[i])
			continue
		}
		for _, c := range e.rowOf[Egress][i] {
			for _, x := range c.outside {
				l.peers[e.words:].addRange(int(x.first), int(x.end))
			}
		}
		l.met(i, l.lets[i])
		l.peers.or(l.one)
	}
	clear(l.reached)
	for i := range l.peers.each {
		if n := l.endOf[i]; n >= 0 {
			l.reached.add(int(n))
		}
	}
}

// between are the ports on which one peer reaches another.
func (l *listing) between(from, to int) Ports {
	e, first := l.e, l.e.words*64
	switch {
	case from >= first:
		return e.BlockPorts(Ingress, to, from-first)
	case e.Endpoints[from].Outside:
		return e.FromController(to)
	case to < first:
		return e.Ports(from, to)
	case to < first+len(e.blocks[Egress]):
		return e.BlockPorts(Egress, from, to-first)
	}
	return e.domainPorts(from, to-first-len(e.blocks[Egress]))
}

// when are the conditions of what one peer may send to another.
func (l *listing) when(from, to int) []Condition {
	e, first := l.e, l.e.words*64
	switch {
	case e.sure[Egress] == nil:
		return nil
	case from >= first:
		return e.BlockConditions(Ingress, to, from-first)
	case to >= first:
		return e.BlockConditions(Egress, from, to-first)
	}
	return e.Conditions(from, to)
}
