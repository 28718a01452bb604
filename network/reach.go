package network

import (
	"cmp"
	"slices"
)

// Reach is that every endpoint of From reaches every one of To on some port that it listens
// on.
type Reach struct {
	From, To []int
	Ports    Ports // of the first of To; the others have the same
}

// mostPairs of classes are looked at one by one: a cluster whose every pod has open rules of
// its own ends here.
const mostPairs = 16 << 20

// Reaches gives who reaches whom where something listens, by those that answers do not tell
// apart: an open cluster is a handful of them, however large. Policies hold neither for what
// the network of nodes sends nor for what listens there. complete is false when there was too
// much to look at.
func (e *Engine) Reaches() (list []Reach, complete bool) {
	x := &reacher{e: e, class: make([]int32, len(e.Endpoints)), shown: e.Listening(), listening: map[string][]int32{}}
	for i := range x.class {
		x.class[i] = -1
	}
	for _, members := range e.Alike() {
		x.byListening(members)
	}
	x.stamp = make([]int32, len(x.members))
	x.sends = make([]row, len(x.members))
	for _, receivers := range x.listening {
		x.group(receivers)
	}
	slices.SortFunc(x.list, func(a, b Reach) int {
		return cmp.Or(cmp.Compare(a.To[0], b.To[0]), cmp.Compare(a.From[0], b.From[0]))
	})
	return x.list, x.looked <= mostPairs
}

// reacher looks at pairs of classes.
type reacher struct {
	e         *Engine
	class     []int32 // of each endpoint; -1: none
	members   [][]int
	shown     []Ports            // what each endpoint listens on
	listening map[string][]int32 // classes that listen on the same ports
	list      []Reach
	looked    int

	// Of the receivers at hand: the ports on which they listen, and what others send there.
	ports Ports
	sends []row
	stamp []int32 // of each class: when it was last a peer
	now   int32
}

// byListening makes classes of endpoints that are alike, of those that listen on the same
// ports of the same network.
func (x *reacher) byListening(alike []int) {
	numbers := map[string]int32{}
	for _, i := range alike {
		key := x.shown[i].String()
		if x.e.Endpoints[i].Host {
			key += " of the node"
		}
		c, ok := numbers[key]
		if !ok {
			c = int32(len(x.members))
			numbers[key] = c
			x.members = append(x.members, nil)
			x.listening[key] = append(x.listening[key], c)
		}
		x.members[c] = append(x.members[c], i)
		x.class[i] = c
	}
}

// group looks at classes that listen on the same ports: from the side that names few, the
// receiver's or the sender's; and at all pairs of those that name many.
func (x *reacher) group(receivers []int32) {
	x.ports = x.shown[x.members[receivers[0]][0]]
	if x.ports.Empty() {
		return // nothing shows that they listen
	}
	x.looked += len(x.members) / 8
	var few, many []int32
	for c := range int32(len(x.members)) {
		if x.sends[c] = x.row(Egress, c); x.wide(x.sends[c], c) {
			many = append(many, c)
		} else {
			few = append(few, c)
		}
	}
	open := make([]row, len(x.members)) // of receivers that let many in
	for _, to := range receivers {
		in := x.row(Ingress, to)
		if x.wide(in, to) {
			open[to] = in
			for _, from := range many {
				x.pair(from, to, in)
			}
			continue
		}
		for from := range x.peers(in) {
			x.pair(from, to, in)
		}
	}
	for _, from := range few {
		for to := range x.peers(x.sends[from]) {
			if open[to] != nil {
				x.pair(from, to, open[to])
			}
		}
	}
}

// row gives the cells of a class's row that speak of the ports at hand. Nodes have no row: they
// are open.
func (x *reacher) row(d Direction, c int32) row {
	i := x.members[c][0]
	if x.e.Endpoints[i].Host {
		return row{}
	}
	var list row
	for _, cell := range x.e.rowOf[d][i] {
		if cell.ports.overlaps(x.ports) {
			list = append(list, cell)
		}
	}
	return list
}

// wide tells whether a row may have very many peers.
func (x *reacher) wide(r row, c int32) bool {
	return x.e.Endpoints[x.members[c][0]].Host || slices.ContainsFunc(r, func(c cell) bool { return c.peers.bits != nil })
}

// peers gives the classes that a row names, each once.
func (x *reacher) peers(r row) func(func(int32) bool) {
	return func(yield func(int32) bool) {
		x.now++
		for _, cell := range r {
			for i := range cell.peers.each {
				c := x.class[i]
				if c < 0 || x.stamp[c] == x.now {
					continue
				}
				if x.stamp[c] = x.now; !yield(c) {
					return
				}
			}
		}
	}
}

// pair looks at one class that sends and one that receives, by what it lets in.
func (x *reacher) pair(from, to int32, in row) {
	if x.looked++; x.looked > mostPairs {
		return
	}
	i, j := x.members[from][0], x.members[to][0]
	if !x.e.Endpoints[i].Host && !x.sends[from].names(j) || !x.e.Endpoints[j].Host && !in.names(i) {
		return
	}
	if p := x.e.reached(i, j).Intersect(x.ports); !p.Empty() {
		x.list = append(x.list, Reach{x.members[from], x.members[to], p})
	}
}

func (r row) names(peer int) bool {
	return slices.ContainsFunc(r, func(c cell) bool { return c.peers.has(peer) })
}

// overlaps tells whether both have a port.
func (p Ports) overlaps(q Ports) bool {
	for i := range p.of {
		a, b := p.of[i], q.of[i]
		for len(a) > 0 && len(b) > 0 {
			switch {
			case a[0].last < b[0].first:
				a = a[1:]
			case b[0].last < a[0].first:
				b = b[1:]
			default:
				return true
			}
		}
	}
	return false
}

// reached are the ports on which one endpoint reaches another, where policies hold for those
// that have a network of their own alone.
func (e *Engine) reached(from, to int) Ports {
	switch sender, receiver := e.Endpoints[from].Host, e.Endpoints[to].Host; {
	case sender && receiver:
		return AllPorts()
	case sender:
		return e.rowOf[Ingress][to].ports(from)
	case receiver:
		return e.rowOf[Egress][from].ports(to)
	}
	return e.Ports(from, to)
}
