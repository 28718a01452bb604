package network

import (
	"cmp"
	"slices"
)

// Connection is that a peer may reach another on some ports.
type Connection struct {
	From, To string
	Ports    Ports
}

// String is the connection as answers write it.
func (c Connection) String() string { return c.From + " => " + c.To + " : " + c.Ports.String() }

// Connections gives all that policies let through, sorted. Pods of one workload among
// themselves are left out.
func (e *Engine) Connections() []Connection {
	found := map[[2]string]Ports{}
	add := func(from, to string, p Ports) {
		if !p.Empty() && from != to {
			key := [2]string{from, to}
			found[key] = found[key].Union(p)
		}
	}
	last := len(e.Endpoints) - 1 // the ingress controller
	for i, from := range e.Endpoints[:last] {
		name := from.String()
		for j, to := range e.Endpoints[:last] {
			add(name, to.String(), e.Ports(i, j))
		}
		for j, b := range e.blocks[Egress] {
			if b.First.Is4() { // as peers list them
				add(name, b.String()+"[External]", e.BlockPorts(Egress, i, j))
			}
		}
		for j, domain := range e.domains[Egress] {
			add(name, domain+"[Domain]", e.domainPorts(i, j))
		}
		for j, b := range e.blocks[Ingress] {
			if b.First.Is4() {
				add(b.String()+"[External]", name, e.BlockPorts(Ingress, i, j))
			}
		}
	}
	for _, b := range e.backends {
		add(e.Endpoints[last].String(), e.Endpoints[b.endpoint].String(), b.ports.Intersect(e.Ports(last, b.endpoint)))
	}
	list := make([]Connection, 0, len(found))
	for key, p := range found {
		list = append(list, Connection{key[0], key[1], p})
	}
	slices.SortFunc(list, func(a, b Connection) int {
		return cmp.Compare(a.String(), b.String())
	})
	return list
}
