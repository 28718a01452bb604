package git

import (
	"fmt"
	"slices"

	"bulwark"
)

// maxChain is how many deltas to deltas are followed; Git makes 4095 at most.
const maxChain = 5000

// link is one delta of a chain.
type link struct {
	pack *pack
	off  int64
	header
}

// whole puts together the object at an offset of a pack.
func (s *store) whole(p *pack, off int64) (kind, []byte, error) {
	var chain []link
	k, data, err := s.base(p, off, &chain)
	for _, l := range slices.Backward(chain) {
		if err != nil {
			return 0, nil, err
		}
		var delta []byte
		if delta, err = s.flate.all(l.pack.data, l.at, l.pack.size-20, l.size, s.scratch); err != nil {
			return 0, nil, err
		}
		s.scratch = delta[:0]
		if data, err = apply(data, delta); err == nil {
			s.cache.put(spot{l.pack.number, l.off}, k, data)
		}
	}
	return k, data, err
}

// base follows the deltas from an object to the first that is known or stored whole, and
// lists them.
func (s *store) base(p *pack, off int64, chain *[]link) (kind, []byte, error) {
	for {
		if k, data, ok := s.cache.get(spot{p.number, off}); ok {
			return k, data, nil
		}
		h, err := p.header(off)
		if err != nil {
			return 0, nil, err
		}
		if h.size > maxWhole {
			return 0, nil, tooLarge(h.size)
		}
		if h.kind != offsetKind && h.kind != refKind {
			data, err := s.flate.all(p.data, h.at, p.size-20, h.size, nil)
			if err == nil {
				s.cache.put(spot{p.number, off}, h.kind, data)
			}
			return h.kind, data, err
		}
		if *chain = append(*chain, link{p, off, h}); len(*chain) > maxChain {
			return 0, nil, fmt.Errorf("more than %d deltas to make one object: %w", maxChain, bulwark.ErrLimit)
		}
		if h.kind == offsetKind {
			off -= h.back
			continue
		}
		at, ok, err := s.locate(h.base)
		if err != nil {
			return 0, nil, err
		}
		if !ok {
			return s.looseBase(h.base)
		}
		if p, off, err = at.offset(); err != nil {
			return 0, nil, err
		}
	}
}

func (at place) offset() (*pack, int64, error) {
	off, err := at.pack.offset(at.number)
	return at.pack, off, err
}

// looseBase reads the base of a delta that is in no pack.
func (s *store) looseBase(o id) (kind, []byte, error) {
	x, err := s.openLoose(o)
	if err != nil {
		return 0, nil, err
	}
	data, err := x.all()
	return x.kind, data, err
}
