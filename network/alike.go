package network

import (
	"math/rand/v2"
	"slices"
	"sort"
)

// Alike divides the endpoints, the ingress controller aside, into those that answers do not
// tell apart: the members of a class reach, and are reached by, the same others on the same
// ports. Classes and their members are in the order of the endpoints.
func (e *Engine) Alike() [][]int {
	kinds := make([]alike, len(e.Endpoints))
	sets := map[*uint64]mark{}
	for d, rows := range [...][]row{e.rowOf[Ingress], e.rowOf[Egress], e.mesh, e.sure[0], e.sure[1], e.sure[2]} {
		number := map[*cell]int32{}
		for i, r := range rows {
			if len(r) == 0 {
				continue // those that have none are one
			}
			n, ok := number[&r[0]]
			if !ok {
				n = int32(len(number) + 1)
				number[&r[0]] = n
				for j := range r {
					r[j].peers.leave(kinds, sets)
				}
			}
			kinds[i].rows[d] = n
		}
	}
	for _, m := range sets {
		m.of.each(func(i int) bool { kinds[i].mark.lay(m); return true })
	}
	e.fromController(kinds)
	return classes(kinds[:len(kinds)-1])
}

// alike is equal for endpoints that are.
type alike struct {
	mark signature
	rows [6]int32
	from int32 // the ports on which the ingress controller hands on connections
}

// mark is what a set of peers leaves on each of its members: those with the same marks laid
// over each other are in the same sets. Marks are at random, so that nobody can make two
// that come to the same.
type mark struct {
	signature
	of set
}

func (s *signature) lay(m mark) { s[0], s[1] = s[0]+m.signature[0], s[1]+m.signature[1] }

// leave leaves a new mark on the members; what groups share gets those of all of them at the
// end.
func (g group) leave(kinds []alike, sets map[*uint64]mark) {
	m := mark{signature: signature{rand.Uint64(), rand.Uint64()}, of: g.bits}
	for _, i := range g.few {
		kinds[i].mark.lay(m)
	}
	if len(g.bits) > 0 {
		old := sets[&g.bits[0]]
		m.lay(old)
		sets[&g.bits[0]] = m
	}
}

// fromController tells endpoints apart that the ingress controller reaches on other ports.
func (e *Engine) fromController(kinds []alike) {
	numbers := map[string]int32{}
	for i := range e.Endpoints[:len(kinds)-1] {
		p := e.FromController(i)
		if p.Empty() {
			continue
		}
		text := p.String()
		if numbers[text] == 0 {
			numbers[text] = int32(len(numbers) + 1)
		}
		kinds[i].from = numbers[text]
	}
}

func classes(kinds []alike) [][]int {
	at := map[alike]int{}
	var list [][]int
	for i, k := range kinds {
		n, ok := at[k]
		if !ok {
			n = len(list)
			at[k] = n
			list = append(list, nil)
		}
		list[n] = append(list[n], i)
	}
	return list
}

// FromController are the ports of an endpoint on which the ingress controller hands on
// connections from outside.
func (e *Engine) FromController(endpoint int) Ports {
	var ports Ports
	for _, b := range e.behind(endpoint) {
		ports = ports.Union(b.ports.Intersect(e.Ports(len(e.Endpoints)-1, endpoint)))
	}
	return ports
}

// behind are the backends that an endpoint is.
func (e *Engine) behind(endpoint int) []backend {
	first := sort.Search(len(e.ofBackends), func(i int) bool { return e.backends[e.ofBackends[i]].endpoint >= endpoint })
	var list []backend
	for _, n := range e.ofBackends[first:] {
		if b := e.backends[n]; b.endpoint == endpoint {
			list = append(list, b)
			continue
		}
		break
	}
	return list
}

// orderBackends makes ofBackends.
func (e *Engine) orderBackends() {
	e.ofBackends = make([]int32, len(e.backends))
	for i := range e.ofBackends {
		e.ofBackends[i] = int32(i)
	}
	slices.SortStableFunc(e.ofBackends, func(a, b int32) int { return e.backends[a].endpoint - e.backends[b].endpoint })
}
