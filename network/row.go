package network

import (
	"encoding/binary"
	"slices"
)

// row is what an endpoint may receive, or send: cells whose ports have nothing in common.
type row []cell

// cell is the peers that may be reached on the same ports.
type cell struct {
	ports Ports
	peers group
}

// ports are those on which the row has a peer.
func (r row) ports(peer int) Ports {
	var p Ports
	for i := range r {
		if r[i].peers.has(peer) {
			if len(r) == 1 || p.Empty() {
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
	open  row // of who is held by nothing
	known map[string]row
	key   []byte
}

func (e *Engine) rowMaker(d Direction, sure bool) *rowMaker {
	return &rowMaker{decider: e.decider(d, sure), open: row{{AllPorts(), groupOf(e.everyone(d))}}, known: map[string]row{}}
}

// row is that of an endpoint that policies hold for.
func (m *rowMaker) row(endpoint int, policies []int32) row {
	if len(policies) == 0 {
		return m.open
	}
	m.key = m.e.rowKey(m.key[:0], m.d, endpoint, policies)
	r, ok := m.known[string(m.key)]
	if !ok {
		r = m.decider.row(endpoint, policies)
		m.known[string(m.key)] = r
	}
	return r
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
}

func (e *Engine) decider(d Direction, sure bool) *decider {
	all := e.everyone(d)
	return &decider{e, d, sure, all, make(set, len(all)), make(set, len(all)), make(set, len(all))}
}

// row decides for every peer and port: the first rule of a tier that holds, tier by tier.
// Ports that the same rules speak of are decided together.
func (x *decider) row(endpoint int, policies []int32) row {
	var rules []*rule
	for _, p := range policies {
		for i := range x.e.Policies[p].rules[x.d] {
			if r := &x.e.Policies[p].rules[x.d][i]; r.counts(x.sure) && (r.only == nil || r.only.has(endpoint)) {
				rules = append(rules, r)
			}
		}
	}
	var result row
	for _, alike := range alike(rules) {
		x.decide(endpoint, policies, alike)
		peers := groupOf(x.allowed)
		if peers.empty() {
			continue
		}
		if i := slices.IndexFunc(result, func(c cell) bool { return c.peers.equal(peers) }); i >= 0 {
			result[i].ports = result[i].ports.Union(alike)
			continue
		}
		result = append(result, cell{alike, peers})
	}
	return result
}

// decide leaves in allowed the peers that may connect on ports that no rule cuts.
func (x *decider) decide(endpoint int, policies []int32, ports Ports) {
	clear(x.allowed)
	copy(x.open, x.everyone)
	proto, port := ports.first()
	for i := 0; i < len(policies); {
		tier := x.e.Policies[policies[i]].tier
		isolated := false
		clear(x.passed)
		for ; i < len(policies) && x.e.Policies[policies[i]].tier == tier; i++ {
			p := x.e.Policies[policies[i]]
			isolated = isolated || p.isolates[x.d]
			for j := range p.rules[x.d] {
				r := &p.rules[x.d][j]
				if !r.counts(x.sure) || r.only != nil && !r.only.has(endpoint) || !r.ports.Has(proto, port) {
					continue
				}
				var into set
				switch r.action {
				case Allow:
					into = x.allowed
				case Pass:
					into = x.passed
				}
				r.pods.move(x.open, into, 0)
				r.blocks.move(x.open, into, x.e.words)
			}
		}
		if isolated {
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

// alike cuts all ports into those that the same rules speak of.
func alike(rules []*rule) []Ports {
	bySignature := map[string]int{}
	var list []Ports
	signature := make([]byte, (len(rules)+7)/8)
	for proto := range protocols {
		starts := []int{1}
		for _, r := range rules {
			for _, s := range r.ports.of[proto] {
				starts = append(starts, int(s.first), int(s.last)+1)
			}
		}
		slices.Sort(starts)
		starts = slices.Compact(starts)
		for i, first := range starts {
			last := lastPort
			if i+1 < len(starts) {
				last = starts[i+1] - 1
			}
			if first > lastPort {
				break
			}
			clear(signature)
			for j, r := range rules {
				if r.ports.Has(proto, uint16(first)) {
					signature[j>>3] |= 1 << (j & 7)
				}
			}
			at, ok := bySignature[string(signature)]
			if !ok {
				at = len(list)
				bySignature[string(signature)] = at
				list = append(list, Ports{})
			}
			list[at].of[proto] = joined(append(list[at].of[proto], span{uint16(first), uint16(last)}))
		}
	}
	return list
}
