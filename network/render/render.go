// Package render writes who can talk to whom for people and programs: as lines, tables and
// drawings.
package render

import (
	"cmp"
	"slices"
	"strings"

	"bulwark/network"
)

// Map is what is drawn: nodes, and the connections between them.
type Map struct {
	Nodes []Node // by name
	Edges []Edge // by the names of both ends
	// Count is how many connections there are: more than edges when nodes stand for several.
	Count int
	// Cut tells that there are more edges than a map can have; some are left out.
	Cut bool
}

// mostEdges is how many a map has.
const mostEdges = 1 << 19

// Node is a workload, several that are alike, or something outside.
type Node struct {
	Name      string // "shop/cart[Deployment]", "0.0.0.0-255.255.255.255[External]"
	Namespace string // empty: outside
	Members   []string
}

// Outside tells whether it is none of the workloads.
func (n *Node) Outside() bool { return n.Namespace == "" }

// Edge is that a node may reach another.
type Edge struct {
	From, To int
	Conn     string
	// When says on what else the connection depends: "only GET /public".
	When []string
}

// Label is the ports of an edge, and on what they depend.
func (e *Edge) Label() string { return label(e.Conn, e.When) }

// Options choose what is on a map.
type Options struct {
	IPv6       bool     // also addresses of IPv6
	Namespaces []string // connections of these alone; none: all
	Focus      []string // connections of these workloads alone; none: all
	Fold       bool     // what is alike is one node
}

// keeps tells whether a workload is among those that were asked for.
func (o *Options) keeps(e *network.Endpoint) bool {
	return (len(o.Namespaces) == 0 || slices.Contains(o.Namespaces, e.Namespace)) && (len(o.Focus) == 0 || slices.Contains(o.Focus, e.String()))
}

// all tells whether nothing is left out.
func (o *Options) all() bool { return len(o.Namespaces) == 0 && len(o.Focus) == 0 }

// drawing makes a map.
type drawing struct {
	e      *network.Engine
	o      Options
	m      *Map
	number map[string]int
	ports  map[[2]int]network.Ports
	when   map[[2]int][]string
}

// Draw makes the map of an engine.
func Draw(e *network.Engine, o Options) *Map {
	d := &drawing{e: e, o: o, m: &Map{}, number: map[string]int{}, ports: map[[2]int]network.Ports{}, when: map[[2]int][]string{}}
	units := d.units()
	unitOf := make([]int, len(e.Endpoints)) // and one more, so that 0 is none
	for i := range units {
		for _, k := range units[i].endpoints {
			unitOf[k] = i + 1
		}
	}
	var among, kept []int
	for i := range units {
		ends := units[i].endpoints
		if o.Fold { // the others are alike
			ends = ends[:1]
		}
		if among = append(among, ends...); units[i].kept && !o.all() {
			kept = append(kept, ends...)
		}
	}
	if !o.all() && kept == nil {
		kept = []int{}
	}
	seen := make([]int, len(units)+1) // by which unit last: those of one come one after the other
	for from, to := range e.PairsOf(among, kept) {
		if d.m.Cut {
			break
		}
		if i, j := unitOf[from], unitOf[to]; seen[j] != i {
			seen[j] = i
			d.between(&units[i-1], &units[j-1])
		}
	}
	for j := range units {
		if d.m.Cut {
			break
		}
		d.outside(&units[j])
	}
	return d.finish()
}

// unit is endpoints that are one node.
type unit struct {
	node      int
	endpoints []int
	names     int // how many names they have
	kept      bool
}

// units are the nodes that workloads make: one for each name, or for each class of those
// that are alike and kept alike.
func (d *drawing) units() []unit {
	classes := d.e.Alike()
	var list []unit
	if d.o.Fold {
		namer := newNamer(d.e, classes)
		for _, class := range classes {
			var kept, others []int
			for _, i := range class {
				if d.o.keeps(d.e.Endpoints[i]) {
					kept = append(kept, i)
				} else {
					others = append(others, i)
				}
			}
			for k, part := range [][]int{kept, others} {
				if len(part) > 0 {
					name, members := namer.name(part)
					list = append(list, unit{d.node(Node{name, d.space(part), members}), part, len(members), k == 0})
				}
			}
		}
		return list
	}
	at := map[string]int{}
	for i, e := range d.e.Endpoints[:len(d.e.Endpoints)-1] {
		name := e.String()
		k, ok := at[name]
		if !ok {
			k = len(list)
			at[name] = k
			list = append(list, unit{node: d.node(Node{name, e.Namespace, []string{name}}), names: 1, kept: d.o.keeps(e)})
		}
		list[k].endpoints = append(list[k].endpoints, i)
	}
	return list
}

// space is the namespace that endpoints are in.
func (d *drawing) space(endpoints []int) string {
	name := d.e.Endpoints[endpoints[0]].Namespace
	if slices.ContainsFunc(endpoints, func(i int) bool { return d.e.Endpoints[i].Namespace != name }) {
		return several
	}
	return name
}

// several stands for the namespace of a node of more than one: no namespace has that name.
const several = "(several namespaces)"

// node gives the number of a node, which is there from then on.
func (d *drawing) node(n Node) int {
	key := n.Name
	if len(n.Members) > 1 {
		key += "\x00" + n.Members[0]
	}
	i, ok := d.number[key]
	if !ok {
		i = len(d.m.Nodes)
		d.number[key] = i
		d.m.Nodes = append(d.m.Nodes, n)
	}
	return i
}

// between adds what one unit may send to another.
func (d *drawing) between(from, to *unit) {
	if !from.kept && !to.kept || from == to && from.names < 2 {
		return
	}
	ends := [2][]int{from.endpoints, to.endpoints}
	if d.o.Fold { // all are alike
		ends = [2][]int{from.endpoints[:1], to.endpoints[:1]}
	}
	var p network.Ports
	for _, i := range ends[0] {
		for _, j := range ends[1] {
			if more := d.e.Ports(i, j); !more.Empty() {
				p = p.Union(more)
				d.depends(from.node, to.node, d.e.Conditions(i, j))
			}
		}
	}
	n := from.names * to.names
	if from == to {
		n = from.names * (from.names - 1)
	}
	d.add(from.node, to.node, p, n)
}

// depends notes on what a connection depends.
func (d *drawing) depends(from, to int, list []network.Condition) {
	key := [2]int{from, to}
	for _, c := range list {
		if text := c.String(); !slices.Contains(d.when[key], text) {
			d.when[key] = append(d.when[key], text)
		}
	}
}

// add adds n connections from one node to another.
func (d *drawing) add(from, to int, p network.Ports, n int) {
	if p.Empty() {
		return
	}
	key := [2]int{from, to}
	old, ok := d.ports[key]
	if !ok {
		d.m.Count += n
	}
	if !ok && len(d.ports) == mostEdges {
		d.m.Cut = true
		return
	}
	d.ports[key] = old.Union(p)
}

// finish sorts nodes and edges. Workloads without connections stay, unless a choice of them
// leaves them out.
func (d *drawing) finish() *Map {
	used := make([]bool, len(d.m.Nodes))
	for key := range d.ports {
		used[key[0]], used[key[1]] = true, true
	}
	order := make([]int, 0, len(d.m.Nodes))
	for i := range d.m.Nodes {
		if used[i] || d.o.all() {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &d.m.Nodes[a], &d.m.Nodes[b]
		return cmp.Or(strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Name, y.Name))
	})
	m := &Map{Count: d.m.Count, Cut: d.m.Cut}
	to := make([]int, len(d.m.Nodes))
	for k, i := range order {
		to[i] = k
		m.Nodes = append(m.Nodes, d.m.Nodes[i])
	}
	known := map[string]string{} // ports are written once
	m.Edges = make([]Edge, 0, len(d.ports))
	for key, p := range d.ports {
		text := p.String()
		if same, ok := known[text]; ok {
			text = same
		}
		known[text] = text
		m.Edges = append(m.Edges, Edge{to[key[0]], to[key[1]], text, d.when[key]})
	}
	m.Sort()
	return m
}

// Sort puts the edges in the order of their lines.
func (m *Map) Sort() {
	rank := make([]int, len(m.Nodes)) // by name: equal names have the same
	order := make([]int, len(m.Nodes))
	for i := range order {
		order[i] = i
	}
	byName := func(a, b int) int { return strings.Compare(m.Nodes[a].Name, m.Nodes[b].Name) }
	slices.SortStableFunc(order, byName)
	for k, i := range order {
		if rank[i] = k; k > 0 && byName(order[k-1], i) == 0 {
			rank[i] = rank[order[k-1]]
		}
	}
	slices.SortFunc(m.Edges, func(a, b Edge) int {
		return cmp.Or(rank[a.From]-rank[b.From], rank[a.To]-rank[b.To], strings.Compare(a.Label(), b.Label()))
	})
}
