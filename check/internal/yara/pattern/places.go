package pattern

import "math/bits"

const words = Window/64 + 1

// places is a set of distances from the anchor, 0 to Window. lo and hi are its least and
// greatest; it is empty when hi is below lo.
type places struct {
	lo, hi int
	bit    [words]uint64
}

func (p *places) reset() {
	if p.hi >= p.lo && p.hi >= 0 {
		clear(p.bit[p.lo>>6 : p.hi>>6+1])
	}
	p.lo, p.hi = Window+1, -1
}

func (p *places) empty() bool { return p.hi < 0 }

func (p *places) add(k int) {
	p.bit[k>>6] |= 1 << (k & 63)
	p.lo, p.hi = min(p.lo, k), max(p.hi, k)
}

func (p *places) has(k int) bool { return p.bit[k>>6]>>(k&63)&1 != 0 }

// fill adds from to to, both included.
func (p *places) fill(from, to int) {
	if to < from {
		return
	}
	p.lo, p.hi = min(p.lo, from), max(p.hi, to)
	a, b := from>>6, to>>6
	first, last := ^uint64(0)<<(from&63), ^uint64(0)>>(63-to&63)
	if a == b {
		p.bit[a] |= first & last
		return
	}
	p.bit[a] |= first
	for i := a + 1; i < b; i++ {
		p.bit[i] = ^uint64(0)
	}
	p.bit[b] |= last
}

func (p *places) or(q *places) {
	if q.empty() {
		return
	}
	for i := q.lo >> 6; i <= q.hi>>6; i++ {
		p.bit[i] |= q.bit[i]
	}
	p.lo, p.hi = min(p.lo, q.lo), max(p.hi, q.hi)
}

// minus takes out what q has.
func (p *places) minus(q *places) {
	if p.empty() || q.empty() {
		return
	}
	for i := p.lo >> 6; i <= p.hi>>6; i++ {
		p.bit[i] &^= q.bit[i]
	}
	lo, hi := p.next(p.lo), p.hi
	for hi >= 0 && !p.has(hi) {
		hi--
	}
	if hi < 0 || lo < 0 {
		p.lo, p.hi = Window+1, -1
		return
	}
	p.lo, p.hi = lo, hi
}

func (p *places) equal(q *places) bool {
	return p.lo == q.lo && p.hi == q.hi && p.bit == q.bit
}

// next is the least member from k on, or -1.
func (p *places) next(k int) int {
	if k > p.hi || p.hi < 0 {
		return -1
	}
	i := k >> 6
	w := p.bit[i] >> (k & 63) << (k & 63)
	for w == 0 {
		i++
		if i > p.hi>>6 {
			return -1
		}
		w = p.bit[i]
	}
	return i<<6 + bits.TrailingZeros64(w)
}
