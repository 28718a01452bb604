// Package change says which connections came, went or got other ports between two answers.
package change

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"bulwark"
	"bulwark/network"
)

// Flow is a connection as answers write it.
type Flow struct {
	From string `json:"src"`
	To   string `json:"dst"`
	Conn string `json:"conn"`
	// When is on what else it depends.
	When []string `json:"conditions,omitempty"`
}

// Change is a connection that is not as it was, by its ports or by what it depends on; Before or
// After is empty when it was not there, or is not.
type Change struct {
	From   string `json:"src"`
	To     string `json:"dst"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Kind is added, removed or changed.
func (c *Change) Kind() string {
	switch {
	case c.Before == "":
		return "added"
	case c.After == "":
		return "removed"
	}
	return "changed"
}

// most is how many connections a saved answer may have.
const most = 5_000_000

// Read reads an answer that was saved as json. An error wraps [bulwark.ErrMalformed].
func Read(r io.Reader) ([]Flow, error) {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, fmt.Errorf("no list of connections: %w", bulwark.ErrMalformed)
	}
	var list []Flow
	for d.More() {
		var f Flow
		if err := d.Decode(&f); err != nil {
			return nil, fmt.Errorf("connection %d: %w: %w", len(list)+1, bulwark.ErrMalformed, err)
		}
		if _, err := network.ParsePorts(f.Conn); err != nil || f.From == "" || f.To == "" {
			return nil, fmt.Errorf("connection %d: it has no src, dst or conn as bulwark network list -f json writes them: %w", len(list)+1, bulwark.ErrMalformed)
		}
		if list = append(list, f); len(list) > most {
			return nil, fmt.Errorf("more than %d connections: %w", most, bulwark.ErrLimit)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the list does not end: %w", bulwark.ErrMalformed)
	}
	return list, nil
}

// Of gives what changed, sorted. Blocks of addresses are compared address by address, so
// that those that one answer tells apart and the other does not are no change.
func Of(before, after []Flow) []Change {
	var inside [2][]Flow
	outside := map[outer]*[2][]piece{}
	known := parsed{}
	for side, list := range [][]Flow{before, after} {
		for _, f := range list {
			o, b, ok := external(f)
			if !ok {
				inside[side] = append(inside[side], f)
				continue
			}
			if outside[o] == nil {
				outside[o] = &[2][]piece{}
			}
			outside[o][side] = append(outside[o][side], piece{b, known.terms(f)})
		}
		if !slices.IsSortedFunc(inside[side], byEnds) {
			slices.SortFunc(inside[side], byEnds)
		}
	}
	list := known.merge(inside)
	for o, sides := range outside {
		list = append(list, o.changes(sides)...)
	}
	slices.SortFunc(list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Kind(), b.Kind()), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return list
}

// byEnds orders connections as answers do.
func byEnds(a, b Flow) int {
	return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
}

// parsed are ports by how they are written, of which there are few.
type parsed map[string]network.Ports

func (m parsed) ports(conn string) network.Ports {
	p, ok := m[conn]
	if !ok {
		p, _ = network.ParsePorts(conn)
		m[conn] = p
	}
	return p
}

// terms are on what terms a connection is there.
type terms struct {
	ports network.Ports
	when  string
}

func (m parsed) terms(f Flow) terms {
	t := terms{ports: m.ports(f.Conn)}
	if len(f.When) > 0 {
		t.when = strings.Join(slices.Sorted(slices.Values(f.When)), "; ")
	}
	return t
}

func (t terms) equal(u terms) bool { return t.when == u.when && t.ports.Equal(u.ports) }

// longWhen is how long what several lines of one connection depend on may get.
const longWhen = 1 << 12

// with is both together.
func (t terms) with(u terms) terms {
	t.ports = t.ports.Union(u.ports)
	switch {
	case t.when == "":
		t.when = u.when
	case u.when != "" && u.when != t.when && len(t.when) < longWhen:
		t.when += "; " + u.when
	}
	return t
}

// text is how answers write them; empty when there is no connection.
func (t terms) text() string {
	switch {
	case t.ports.Empty():
		return ""
	case t.when == "":
		return t.ports.String()
	}
	return t.ports.String() + " (" + t.when + ")"
}

// merge gives what differs between two sorted lists. One may tell of the same ends in several
// lines.
func (m parsed) merge(lists [2][]Flow) []Change {
	list := []Change{}
	for len(lists[0])+len(lists[1]) > 0 {
		first := &lists[0]
		if len(lists[0]) == 0 || len(lists[1]) > 0 && byEnds(lists[1][0], lists[0][0]) < 0 {
			first = &lists[1]
		}
		one := (*first)[0]
		var both [2]terms
		for side := range lists {
			for len(lists[side]) > 0 && byEnds(lists[side][0], one) == 0 {
				both[side] = both[side].with(m.terms(lists[side][0]))
				lists[side] = lists[side][1:]
			}
		}
		if !both[0].equal(both[1]) {
			list = append(list, Change{one.From, one.To, both[0].text(), both[1].text()})
		}
	}
	return list
}

// outer is a workload and the direction of its connections with addresses of one family.
type outer struct {
	name    string
	receive bool
	bits    int
}

// piece is a block and on what terms it is reached.
type piece struct {
	block network.Block
	terms terms
}

// external reads a connection with addresses.
func external(f Flow) (outer, network.Block, bool) {
	if b, ok := block(f.From); ok {
		return outer{f.To, true, b.First.BitLen()}, b, true
	}
	b, ok := block(f.To)
	if !ok {
		return outer{}, b, false
	}
	return outer{f.From, false, b.First.BitLen()}, b, true
}

func block(name string) (network.Block, bool) {
	ends, ok := strings.CutSuffix(name, "[External]")
	first, last, both := strings.Cut(ends, "-")
	if !ok || !both {
		return network.Block{}, false
	}
	a, err := netip.ParseAddr(first)
	b, err2 := netip.ParseAddr(last)
	return network.Block{First: a, Last: b}, err == nil && err2 == nil && a.BitLen() == b.BitLen() && !b.Less(a)
}

// changes compares the addresses of both sides, cut where either tells them apart.
func (o outer) changes(sides *[2][]piece) []Change {
	var starts []netip.Addr
	for _, side := range sides {
		slices.SortFunc(side, func(a, b piece) int { return a.block.First.Compare(b.block.First) })
		for _, p := range side {
			starts = append(starts, p.block.First)
			if next := p.block.Last.Next(); next.IsValid() {
				starts = append(starts, next)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	var list []Change
	var open *network.Block // the block that the last change of the list is about
	var was [2]terms
	for i, first := range starts {
		now := [2]terms{at(&sides[0], first), at(&sides[1], first)}
		if now[0].equal(now[1]) {
			open = nil
			continue
		}
		last := end(first)
		if i+1 < len(starts) {
			last = starts[i+1].Prev()
		}
		if open != nil && was[0].equal(now[0]) && was[1].equal(now[1]) {
			open.Last = last
			list[len(list)-1] = o.change(*open, now)
			continue
		}
		open, was = &network.Block{First: first, Last: last}, now
		list = append(list, o.change(*open, now))
	}
	return list
}

// at gives the terms on which an address is reached, and forgets blocks that end before it.
func at(side *[]piece, a netip.Addr) terms {
	var all terms
	for len(*side) > 0 && (*side)[0].block.Last.Less(a) {
		*side = (*side)[1:]
	}
	for _, p := range *side {
		if a.Less(p.block.First) {
			break
		}
		if p.block.Contains(a) {
			all = all.with(p.terms)
		}
	}
	return all
}

// end is the last address of the family of one.
func end(a netip.Addr) netip.Addr {
	b := a.AsSlice()
	for i := range b {
		b[i] = 0xff
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

func (o outer) change(b network.Block, t [2]terms) Change {
	c := Change{b.String() + "[External]", o.name, t[0].text(), t[1].text()}
	if !o.receive {
		c.From, c.To = c.To, c.From
	}
	return c
}
