package pattern

import "bytes"

// Match verifies an atom of p that was found at index at, or, for a pattern without
// atoms, tries p there. It calls found with the begin and the end of every match, both
// as indexes.
func (p *Pattern) Match(r *Runner, d Data, a *Atom, at int, found func(start, end int)) {
	if p.Plain() {
		start := at - a.Off
		end := start + len(p.Value)
		if start < 0 || end > len(d.Bytes) {
			return
		}
		if p.fits(d.Bytes[start:end], a.Key) {
			found(start, end)
		}
		return
	}
	least, most, ok := r.Forward(p.Front, d, at)
	if !ok {
		return
	}
	end := at + least
	if p.Greedy {
		end = at + most
	}
	if p.Back.Op == OpEmpty {
		if end > at {
			found(at, end)
		}
		return
	}
	r.Backward(p.Back, d, at, func(k int) bool {
		if at-k < end {
			found(at-k, end)
		}
		return true
	})
}

func (p *Pattern) fits(b []byte, key byte) bool {
	switch {
	case p.Mask == nil && key == 0:
		return bytes.Equal(b, p.Value)
	case p.Mask == nil:
		for i, c := range b {
			if c^key != p.Value[i] {
				return false
			}
		}
		return true
	}
	for i, c := range b {
		if c&p.Mask[i] != p.Value[i] {
			return false
		}
	}
	return true
}

// Reach gives how far before and after the place of its atom the pattern may look.
func (p *Pattern) Reach() (back, front int) {
	if !p.Plain() {
		return Window + 2, Window + 2
	}
	for _, a := range p.Atoms {
		back, front = max(back, a.Off), max(front, len(p.Value)-a.Off)
	}
	return back + 2, max(front, len(p.Value)) + 2
}
