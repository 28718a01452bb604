package network

import (
	"encoding/binary"
	"slices"
)

// row is what an endpoint may receive, or send: cells whose ports have nothing in common.
type row []cell

// cell is the peers that may be reached on the same ports.
type cell struct {
	ports   Ports
	peers   group // endpoints
	outside runs  // blocks and domains
}

// ports are those on which the row has an endpoint.
func (r row) ports(peer int) Ports {
	return r.of(func(c *cell) bool { return c.peers.has(peer) })
}

// beyond are the ports on which the row has a block or domain.
func (r row) beyond(peer int) Ports {
	return r.of(func(c *cell) bool { return c.outside.has(peer) })
}

// of are the ports of some cells.
func (r row) of(is func(*cell) bool) Ports {
	var p Ports
	for i := range r {
		if is(&r[i]) {
			if p.Empty() {
				p = r[i].ports
				continue
			}
			p = p.Union(r[i].ports)
		}
	}
	return p
}

// rows makes the row of every endpoint in a direction. selecting are the policies that hold
// for each, in their order.
func (e *Engine) rows(d Direction, selecting [][]int32, sure bool) []row {
	m := e.rowMaker(d, sure)
	list := make([]row, len(e.Endpoints))
	for i, policies := range selecting {
		list[i] = m.row(i, policies)
	}
	return list
}

// rowMaker makes each row once.
type rowMaker struct {
	*decider
	open   row            // of who is held by nothing
	known  map[string]row // by the rules
	shared map[uint64]row // by the sum of what they say
	key    []byte
}

func (e *Engine) rowMaker(d Direction, sure bool) *rowMaker {
	all := e.everyone(d)
	m := &rowMaker{decider: e.decider(d, sure, all), known: map[string]row{}, shared: map[uint64]row{}}
	m.open = m.once(row{{AllPorts(), groupOf(all[:e.words]), runsOf(all[e.words:])}})
	return m
}

// row is that of an endpoint that policies hold for.
func (m *rowMaker) row(endpoint int, policies []int32) row {
	if len(policies) == 0 {
		return m.open
	}
	m.key = m.e.rowKey(m.key[:0], m.d, endpoint, policies)
	r, ok := m.known[string(m.key)]
	if !ok {
		r = m.once(m.decider.row(endpoint, policies))
		m.known[string(m.key)] = r
	}
	return r
}

// once gives a row as it was made first: rules that say the same make one.
func (m *rowMaker) once(r row) row {
	var sum uint64
	for i := range r {
		sum = mixed(mixed(mixed(sum, r[i].peers.sum()), r[i].outside.sum()), r[i].ports.sum())
	}
	if known := m.shared[sum]; slices.EqualFunc(r, known, cell.equal) {
		return known
	}
	m.shared[sum] = r
	return r
}

func (c cell) equal(o cell) bool {
	return c.peers.equal(o.peers) && slices.Equal(c.outside, o.outside) && c.ports.Equal(o.ports)
}

// rowKey is equal for endpoints that the same rules hold for.
func (e *Engine) rowKey(key []byte, d Direction, endpoint int, policies []int32) []byte {
	for _, p := range policies {
		key = binary.LittleEndian.AppendUint32(key, uint32(p))
		for i := range e.Policies[p].rules[d] {
			if only := e.Policies[p].rules[d][i].only; only != nil {
				key = append(key, '0')
				if only.has(endpoint) {
					key[len(key)-1] = '1'
				}
			}
		}
	}
	return key
}

// decider makes rows. Its sets are used again for each.
type decider struct {
	e                     *Engine
	d                     Direction
	sure                  bool // only what depends on no condition
	everyone              set
	open, allowed, passed set
	rules                 []*rule // of the row that is made, in order
	tiers                 []tier
	cuts                  map[string][]atom
	key                   []byte
	byPeers               map[uint64]int   // the cell of peers, by their sum
	kept                  map[uint64]group // of bits, by their sum
	pods                  []group
	cutter
}

// tier are the rules of one tier, from the one before on.
type tier struct {
	end      int
	isolated bool
}

func (e *Engine) decider(d Direction, sure bool, all set) *decider {
	return &decider{e: e, d: d, sure: sure, everyone: all, cuts: map[string][]atom{}, byPeers: map[uint64]int{}, kept: map[uint64]group{}, open: make(set, len(all)), allowed: make(set, len(all)), passed: make(set, len(all))}
}

// row makes the row of an endpoint that policies hold for.
func (x *decider) row(endpoint int, policies []int32) row {
	x.collect(endpoint, policies)
	var result row
	clear(x.byPeers)
	plain := x.plain()
	for _, atom := range x.atomsOf() {
		c := cell{ports: atom.ports}
		if plain {
			c.peers, c.outside = x.named(atom.active)
		} else {
			x.decide(atom.active)
			c.peers, c.outside = x.keep(x.allowed[:x.e.words]), runsOf(x.allowed[x.e.words:])
		}
		if c.peers.empty() && c.outside.empty() {
			continue
		}
		sum := mixed(c.peers.sum(), c.outside.sum())
		i, ok := x.byPeers[sum]
		if ok && result[i].peers.equal(c.peers) && slices.Equal(result[i].outside, c.outside) {
			result[i].ports = result[i].ports.Union(c.ports)
			continue
		}
		x.byPeers[sum] = len(result) // of two with one sum the later: cells may be alike
		result = append(result, c)
	}
	return slices.Clip(result)
}

// mostCuts is how many ways to cut ports are kept, each of as few rules and atoms.
const mostCuts = 256

// atomsOf are the atoms of the rules at hand. Most rows have rules of the same few ports.
func (x *decider) atomsOf() []atom {
	if len(x.rules) > mostCuts {
		return x.cut(x.rules)
	}
	x.key = x.key[:0]
	for _, r := range x.rules {
		x.key = binary.LittleEndian.AppendUint32(x.key, uint32(r.like))
	}
	if known, ok := x.cuts[string(x.key)]; ok {
		return known
	}
	atoms := x.cut(x.rules)
	if len(x.cuts) == mostCuts || len(atoms) > mostCuts {
		return atoms
	}
	kept := slices.Clone(atoms)
	for i := range kept {
		kept[i].active = slices.Clone(kept[i].active)
	}
	x.cuts[string(x.key)] = kept
	return kept
}

// plain tells whether whatever a rule names is let through, and nothing else: what most
// policies say.
func (x *decider) plain() bool {
	return len(x.tiers) == 1 && x.tiers[0].isolated && !slices.ContainsFunc(x.rules, func(r *rule) bool { return r.action != Allow })
}

// named is what some rules name together.
func (x *decider) named(active []int32) (group, runs) {
	x.pods = x.pods[:0]
	var outside runs
	for n, i := range active {
		r := x.rules[i]
		x.pods = append(x.pods, r.pods)
		switch {
		case n == 0 || len(outside) == 0:
			outside = r.blocks
		case len(r.blocks) > 0:
			outside = joinedRuns(slices.Concat(outside, r.blocks))
		}
	}
	return united(x.pods, x.passed[:x.e.words]), outside
}

// keep is the group of a set: one for all rows that have it. Most of ten thousand have the
// same large ones.
func (x *decider) keep(s set) group {
	g := groupOf(s)
	if g.bits == nil {
		return g
	}
	sum := g.sum()
	if known, ok := x.kept[sum]; ok && known.equal(g) {
		return known
	}
	x.kept[sum] = g
	return g
}

// collect gathers the rules that hold for an endpoint.
func (x *decider) collect(endpoint int, policies []int32) {
	x.rules, x.tiers = x.rules[:0], x.tiers[:0]
	last := -1
	for _, i := range policies {
		p := x.e.Policies[i]
		if p.tier != last {
			last = p.tier
			x.tiers = append(x.tiers, tier{})
		}
		for j := range p.rules[x.d] {
			if r := &p.rules[x.d][j]; r.counts(x.sure) && (r.only == nil || r.only.has(endpoint)) {
				x.rules = append(x.rules, r)
			}
		}
		t := &x.tiers[len(x.tiers)-1]
		t.end, t.isolated = len(x.rules), t.isolated || p.isolates[x.d]
	}
}

// decide leaves in allowed the peers that may connect on ports that some rules speak of.
func (x *decider) decide(active []int32) {
	clear(x.allowed)
	copy(x.open, x.everyone)
	for _, t := range x.tiers {
		clear(x.passed)
		for ; len(active) > 0 && int(active[0]) < t.end; active = active[1:] {
			r := x.rules[active[0]]
			var into set
			switch r.action {
			case Allow:
				into = x.allowed
			case Pass:
				into = x.passed
			}
			r.pods.move(x.open, into)
			r.blocks.move(x.open, into, x.e.words)
		}
		if t.isolated {
			clear(x.open)
		}
		x.open.or(x.passed)
	}
	x.allowed.or(x.open)
}

// everyone is all peers of a direction: the endpoints, and from the next whole word on the
// blocks, then the domains.
func (e *Engine) everyone(d Direction) set {
	outside := len(e.blocks[d]) + len(e.domains[d])
	s := make(set, e.words+(outside+63)/64)
	s.addRange(0, len(e.Endpoints))
	s.addRange(e.words*64, e.words*64+outside)
	return s
}

// first is one port of those.
func (p Ports) first() (Protocol, uint16) {
	for i, spans := range p.of {
		if len(spans) > 0 {
			return Protocol(i), spans[0].first
		}
	}
	return 0, 0
}
