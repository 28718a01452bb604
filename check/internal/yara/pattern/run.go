package pattern

// Data is a piece of a file.
type Data struct {
	Bytes []byte
	Base  int64 // where Bytes[0] stands in the file
	// Last is true when the file ends where Bytes end.
	Last bool
}

// Runner runs expressions. It is reused, and by one goroutine.
type Runner struct {
	d     Data
	at    int // the anchor, in d.Bytes
	back  bool
	limit int // how far may be read from the anchor
	free  []*places
	// Work counts down with the effort spent; at zero nothing matches any more.
	Work int64
}

// Forward gives the least and the greatest end of a match of n that begins at index at,
// as distances, or ok false.
func (r *Runner) Forward(n *Node, d Data, at int) (least, most int, ok bool) {
	out := r.run(n, d, at, false)
	defer r.release(out)
	if out.empty() {
		return 0, 0, false
	}
	return out.lo, out.hi, true
}

// Backward calls start with the distance back to every place where a match of n begins
// that ends at index at, the nearest first, until start returns false.
func (r *Runner) Backward(n *Node, d Data, at int, start func(int) bool) {
	out := r.run(n, d, at, true)
	defer r.release(out)
	for k := out.next(0); k >= 0; k = out.next(k + 1) {
		if !start(k) {
			return
		}
	}
}

func (r *Runner) run(n *Node, d Data, at int, back bool) *places {
	r.d, r.at, r.back = d, at, back
	r.limit = min(Window, len(d.Bytes)-at)
	if back {
		r.limit = min(Window, at)
	}
	in, out := r.take(), r.take()
	in.add(0)
	r.step(n, in, out)
	r.release(in)
	return out
}

func (r *Runner) take() *places {
	if n := len(r.free); n > 0 {
		p := r.free[n-1]
		r.free = r.free[:n-1]
		return p
	}
	p := &places{lo: 0, hi: -1}
	p.reset()
	return p
}

func (r *Runner) release(p *places) {
	p.reset()
	r.free = append(r.free, p)
}

// at gives the byte that is read when going on from distance k.
func (r *Runner) byteAt(k int) byte {
	if r.back {
		return r.d.Bytes[r.at-k-1]
	}
	return r.d.Bytes[r.at+k]
}

// index is where distance k lies.
func (r *Runner) index(k int) int {
	if r.back {
		return r.at - k
	}
	return r.at + k
}

// step adds to out, which is empty, where n may end when it begins at one of in.
func (r *Runner) step(n *Node, in, out *places) {
	if in.empty() {
		return
	}
	r.Work -= 4 + int64(in.hi-in.lo)/16
	if r.Work < 0 {
		return
	}
	switch n.Op {
	case OpEmpty:
		out.or(in)
	case OpSet:
		for k := in.next(0); k >= 0 && k < r.limit; k = in.next(k + 1) {
			if n.Set.Has(r.byteAt(k)) {
				out.add(k + 1)
			}
		}
	case OpCat:
		r.cat(n, in, out)
	case OpAlt:
		tmp := r.take()
		for _, s := range n.Sub {
			r.step(s, in, tmp)
			out.or(tmp)
			tmp.reset()
		}
		r.release(tmp)
	case OpRepeat:
		if n.Sub[0].Op == OpSet {
			r.run1(n, in, out)
			return
		}
		r.repeat(n, in, out)
	default:
		for k := in.next(0); k >= 0; k = in.next(k + 1) {
			if r.holds(n, r.index(k)) {
				out.add(k)
			}
		}
	}
}

func (r *Runner) cat(n *Node, in, out *places) {
	cur, next := r.take(), r.take()
	cur.or(in)
	for i := range n.Sub {
		s := n.Sub[i]
		if r.back {
			s = n.Sub[len(n.Sub)-1-i]
		}
		r.step(s, cur, next)
		cur, next = next, cur
		next.reset()
		if cur.empty() {
			break
		}
	}
	out.or(cur)
	r.release(cur)
	r.release(next)
}

// run1 repeats one byte set: from each place, all that a run of such bytes reaches.
func (r *Runner) run1(n *Node, in, out *places) {
	most := n.Max
	if most < 0 || most > r.limit {
		most = r.limit
	}
	set := &n.Sub[0].Set
	all := *set == All
	end := 0 // bytes before it, from the current place on, are in the set
	for k := in.next(0); k >= 0; k = in.next(k + 1) {
		if end = max(end, k); all {
			end = r.limit
		}
		for far := min(r.limit, k+most); end < far && set.Has(r.byteAt(end)); end++ {
			r.Work--
		}
		out.fill(k+n.Min, min(end, k+most))
	}
}

// repeat repeats what is more than a byte set.
func (r *Runner) repeat(n *Node, in, out *places) {
	cur, next := r.take(), r.take()
	cur.or(in)
	if n.Min == 0 {
		out.or(in)
	}
	for i := 1; (n.Max < 0 || i <= n.Max) && !cur.empty() && r.Work >= 0; i++ {
		r.step(n.Sub[0], cur, next)
		if i >= n.Min {
			next.minus(out)
			out.or(next)
		} else if next.equal(cur) {
			i = n.Min - 1 // it can match nothing: more rounds change nothing
		}
		cur, next = next, cur
		next.reset()
	}
	r.release(cur)
	r.release(next)
}

// holds judges an assertion at an index.
func (r *Runner) holds(n *Node, i int) bool {
	start := i == 0 && r.d.Base == 0
	end := i == len(r.d.Bytes) && r.d.Last
	switch n.Op {
	case OpStart:
		return start
	case OpEnd:
		return end
	}
	size := 1
	if n.Wide {
		size = 2
	}
	// As in YARA, the ends of the data are boundaries, whatever stands there.
	bound := i < size || i+size > len(r.d.Bytes) || r.word(i, size) != r.word(i-size, size)
	return bound == (n.Op == OpWord)
}

func (r *Runner) word(i, size int) bool {
	b := r.d.Bytes[i]
	return (alnum(b) || b == '_') && (size == 1 || r.d.Bytes[i+1] == 0)
}

func alnum(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}
