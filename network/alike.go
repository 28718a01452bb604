package network

import (
	"iter"
	"slices"
)

// Alike divides the endpoints, the ingress controller aside, into those that answers do not
// tell apart: the members of a class reach, and are reached by, the same others on the same
// ports. Classes and their members are in the order of the endpoints.
func (e *Engine) Alike() [][]int {
	n := len(e.Endpoints)
	x := &division{class: make([]int32, n), moved: make([]int32, 1, n+1), last: make([]int32, 1, n+1)}
	outside := n - 1
	for _, rows := range [][]row{e.rowOf[Ingress], e.rowOf[Egress], e.mesh, e.sure[0], e.sure[1], e.sure[2]} {
		if rows != nil {
			x.rows(rows[:outside], n)
		}
	}
	ports := make([]string, n)
	for i := range e.Endpoints[:outside] {
		if p := e.FromController(i); !p.Empty() {
			ports[i] = p.String()
		}
	}
	byPorts := map[string]int{}
	numbers := make([]int, n)
	for i, text := range ports {
		if _, ok := byPorts[text]; !ok {
			byPorts[text] = len(byPorts)
		}
		numbers[i] = byPorts[text]
	}
	x.by(numbers)
	at := map[int32]int{}
	var list [][]int
	for i, c := range x.class[:outside] {
		k, ok := at[c]
		if !ok {
			k = len(list)
			at[c] = k
			list = append(list, nil)
		}
		list[k] = append(list[k], i)
	}
	return slices.Clip(list)
}

// FromController are the ports of an endpoint on which the ingress controller hands on
// connections from outside.
func (e *Engine) FromController(endpoint int) Ports {
	var ports Ports
	for _, b := range e.backends {
		if b.endpoint == endpoint {
			ports = ports.Union(b.ports.Intersect(e.Ports(len(e.Endpoints)-1, endpoint)))
		}
	}
	return ports
}

// division is endpoints in classes that are split until they are alike.
type division struct {
	class       []int32
	moved, last []int32 // of a class: where the members that a set has go, and by which set
	sets        int32
}

// rows parts endpoints that have different rows, and those that rows tell apart.
func (x *division) rows(rows []row, n int) {
	first := map[*cell]int{} // a row's first cell, to its number
	numbers := make([]int, n)
	for i, r := range rows {
		if len(r) == 0 {
			continue // the rows that have none are one
		}
		number, ok := first[&r[0]]
		if !ok {
			number = len(first) + 1
			first[&r[0]] = number
			for _, c := range r {
				x.split(c.peers.each, n)
			}
		}
		numbers[i] = number
	}
	x.by(numbers)
}

// split parts the members of a set from those of their classes that it has not.
func (x *division) split(each func(func(int) bool), n int) {
	x.sets++
	each(func(i int) bool {
		if i >= n {
			return false // blocks of addresses
		}
		c := x.class[i]
		if x.last[c] != x.sets {
			x.last[c], x.moved[c] = x.sets, int32(len(x.moved))
			x.moved, x.last = append(x.moved, 0), append(x.last, 0)
		}
		x.class[i] = x.moved[c]
		return true
	})
	if len(x.moved) > 8*n {
		x.compact()
	}
}

// compact numbers the classes anew: those that lost all members are gone.
func (x *division) compact() {
	numbers := make([]int, len(x.class))
	x.sets, x.moved, x.last = 0, x.moved[:0], x.last[:0]
	for i, c := range x.class {
		numbers[i], x.class[i] = int(c), 0
	}
	x.by(numbers)
}

// by parts those that have different numbers.
func (x *division) by(numbers []int) {
	type both struct {
		class  int32
		number int
	}
	known := map[both]int32{}
	for i, number := range numbers {
		key := both{x.class[i], number}
		c, ok := known[key]
		if !ok {
			c = int32(len(x.moved))
			known[key] = c
			x.moved, x.last = append(x.moved, 0), append(x.last, 0)
		}
		x.class[i] = c
	}
}

// Senders are the endpoints that the rules of a receiver let in on some port; what they may
// send is another matter.
func (e *Engine) Senders(to int) iter.Seq[int] {
	return func(yield func(int) bool) {
		all := newSet(len(e.Endpoints))
		for _, c := range e.rowOf[Ingress][to] {
			for i := range c.peers.each {
				if i >= len(e.Endpoints) {
					break
				}
				all.add(i)
			}
		}
		all.each(yield)
	}
}
