package intent

import (
	"fmt"
	"slices"

	"bulwark/network"
)

// groups are endpoints that the engine and the contract do not tell apart; the last is the
// ingress controller.
func (x *look) groups() [][]int {
	var list [][]int
	at := map[string]int{}
	for n, class := range x.e.Alike() {
		for _, i := range class {
			key := fmt.Sprint(n, x.from[i], x.to[i])
			k, ok := at[key]
			if !ok {
				k = len(list)
				at[key] = k
				list = append(list, nil)
			}
			list[k] = append(list[k], i)
		}
	}
	return append(list, []int{len(x.e.Endpoints) - 1})
}

// try gives how many findings one of several that are alike would make.
func (x *look) try(look func()) int {
	x.trial, x.hits = true, 0
	look()
	x.trial = false
	return x.hits
}

// each looks at all that are alike, of which each makes some findings: once there are enough of
// them they are only counted.
func (x *look) each(list []int, hits int, look func(int)) {
	for k, i := range list {
		if x.told > most {
			x.told += hits * (len(list) - k)
			return
		}
		look(i)
	}
}

// pairs looks at what those of a group may reach of another.
func (x *look) pairs(from, to []int) {
	hits := x.try(func() { x.pair(from[0], to[0]) })
	if hits == 0 {
		return
	}
	for _, j := range to {
		x.each(from, hits, func(i int) { x.pair(i, j) })
	}
}

// pair looks at what one endpoint may reach of another.
func (x *look) pair(i, j int) {
	from := x.e.Endpoints[i]
	if !x.trial && (i == j || from.String() == x.e.Endpoints[j].String()) {
		return
	}
	open := x.e.Ports(i, j)
	if from.Outside {
		open = x.e.FromController(j)
	}
	var meant network.Ports
	for _, k := range both(x.from[i], x.to[j]) {
		f := &x.c.Flows[k]
		meant = meant.Union(f.Ports)
		closed := f.Ports.Minus(open)
		if f.Any && !open.Empty() || f.Optional || from.Outside && f.Any {
			continue
		}
		if !closed.Empty() {
			x.closed(f, x.peer(i), x.peer(j), closed, j)
		}
	}
	if more := open.Minus(meant); !more.Empty() {
		x.beyond(x.peer(i), x.peer(j), more, j, from.Outside)
	}
}

func both(a, b []int) []int {
	var list []int
	for _, k := range a {
		if _, ok := slices.BinarySearch(b, k); ok {
			list = append(list, k)
		}
	}
	return list
}
