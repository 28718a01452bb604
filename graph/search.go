package graph

import (
	"math"
	"slices"
)

// search finds the cheapest ways from many starts at once. A start may have a side, which a
// goal may have as well (the namespace of a pod, that of a secret): a way counts only where
// the sides differ. So a vertex keeps up to two labels, the cheapest ways that come from two
// different sides: whatever side a goal has, one of them counts.
type search struct {
	g        *Graph
	backward bool // from ends to where relations begin
	labels   []label
	touched  []uint32
	queue    frontier
	looked   int // at so many vertices and relations, in all runs
}

// label says how a vertex was reached. The labels of vertex v are 2v and 2v+1.
type label struct {
	cost float32
	by   int32 // the relation; -1: it is a start; unset where the label is not
	prev uint32
	side int32 // 0: none, which differs from all
}

const unset = -2

// entry is a label that waits for its turn.
type entry struct {
	label
	vertex uint32
}

// frontier gives the cheapest entry first, and those that are alike by vertex.
type frontier interface {
	push(entry)
	pop() (entry, bool)
	clear()
}

// end is where ways begin or end.
type end struct {
	vertex uint32
	side   int32
	cost   float32
}

func (g *Graph) search(backward bool, f frontier) *search {
	g.close()
	s := &search{g: g, backward: backward, labels: make([]label, 2*len(g.names)), queue: f}
	for i := range s.labels {
		s.labels[i].by = unset
	}
	return s
}

// run settles labels over relations of which step gives the price (negative: not to be taken),
// until one counts for a goal (nil: none does), which it gives.
func (s *search) run(starts []end, step func(relation uint32) float32, goal func(vertex uint32, side int32) bool) (uint32, bool) {
	for _, v := range s.touched {
		s.labels[2*v].by, s.labels[2*v+1].by = unset, unset
	}
	s.touched = s.touched[:0]
	s.queue.clear()
	for _, e := range starts {
		s.queue.push(entry{label{e.cost, -1, 0, e.side}, e.vertex})
	}
	rows, ends := &s.g.rows, s.g.ends
	if s.backward {
		rows, ends = &s.g.back, s.g.from
	}
	for {
		e, ok := s.queue.pop()
		if !ok {
			return 0, false
		}
		at, ok := s.settle(&e)
		if !ok {
			continue
		}
		if goal != nil && goal(e.vertex, e.side) {
			return at, true
		}
		row := rows.of(e.vertex)
		s.looked += 1 + len(row)
		for _, r := range row {
			to := ends[r]
			if !s.room(to, e.side) {
				continue
			}
			if price := step(r); price >= 0 {
				s.queue.push(entry{label{e.cost + price, int32(r), at, e.side}, to})
			}
		}
	}
}

// room tells whether a vertex takes another label from a side.
func (s *search) room(v uint32, side int32) bool {
	one, two := &s.labels[2*v], &s.labels[2*v+1]
	return one.by == unset || two.by == unset && one.side != 0 && one.side != side
}

func (s *search) settle(e *entry) (uint32, bool) {
	if !s.room(e.vertex, e.side) {
		return 0, false
	}
	at := 2 * e.vertex
	if s.labels[at].by == unset {
		s.touched = append(s.touched, e.vertex)
	} else {
		at++
	}
	s.labels[at] = e.label
	return at, true
}

// best is the label of a vertex that counts for a side.
func (s *search) best(v uint32, side int32) (uint32, bool) {
	for at := 2 * v; at <= 2*v+1; at++ {
		if l := &s.labels[at]; l.by != unset && differ(l.side, side) {
			return at, true
		}
	}
	return 0, false
}

func differ(a, b int32) bool { return a == 0 || b == 0 || a != b }

// way are the relations that lead to a label, in the order in which they are gone.
func (s *search) way(at uint32) []uint32 {
	var list []uint32
	for s.labels[at].by >= 0 {
		list = append(list, uint32(s.labels[at].by))
		at = s.labels[at].prev
	}
	if !s.backward {
		slices.Reverse(list)
	}
	return list
}

// origin is the vertex at which the way to a label begins: for a search backward, at which it
// ends.
func (s *search) origin(at uint32) uint32 {
	for s.labels[at].by >= 0 {
		at = s.labels[at].prev
	}
	return at / 2
}

// heap is a frontier for any prices.
type heap struct{ list []entry }

func (h *heap) clear() { h.list = h.list[:0] }

func before(a, b *entry) bool {
	return a.cost < b.cost || a.cost == b.cost && (a.vertex < b.vertex || a.vertex == b.vertex && a.by < b.by)
}

func (h *heap) push(e entry) {
	h.list = append(h.list, e)
	i := len(h.list) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !before(&e, &h.list[up]) {
			break
		}
		h.list[i] = h.list[up]
		i = up
	}
	h.list[i] = e
}

func (h *heap) pop() (entry, bool) {
	n := len(h.list)
	if n == 0 {
		return entry{}, false
	}
	top, last := h.list[0], h.list[n-1]
	h.list = h.list[:n-1]
	if n--; n > 0 {
		h.sink(last)
	}
	return top, true
}

func (h *heap) sink(e entry) {
	i, n := 0, len(h.list)
	for {
		best := 4*i + 1
		if best >= n {
			break
		}
		for c := best + 1; c < min(4*i+5, n); c++ {
			if before(&h.list[c], &h.list[best]) {
				best = c
			}
		}
		if !before(&h.list[best], &e) {
			break
		}
		h.list[i] = h.list[best]
		i = best
	}
	h.list[i] = e
}

// levels is a frontier for prices that are small whole numbers: first come, first served.
type levels struct {
	at   int
	list [][]entry
	next int // in list[at]
}

func (l *levels) clear() {
	for i := range l.list {
		l.list[i] = l.list[i][:0]
	}
	l.at, l.next = 0, 0
}

func (l *levels) push(e entry) {
	n := int(math.Round(float64(e.cost)))
	for n >= len(l.list) {
		l.list = append(l.list, nil)
	}
	l.list[n] = append(l.list[n], e)
}

func (l *levels) pop() (entry, bool) {
	for l.at < len(l.list) {
		if l.next < len(l.list[l.at]) {
			l.next++
			return l.list[l.at][l.next-1], true
		}
		l.at, l.next = l.at+1, 0
	}
	return entry{}, false
}
