package git

// seen is a set of objects: a bit for each that is in a pack, so that a history of ten
// million objects takes little more than a megabyte.
type seen struct {
	store *store
	bits  [][]uint64 // by pack
	loose map[id]bool
	// latest are objects that were asked about, each at a place that its id gives: most of
	// a tree was in the tree before.
	latest []id
}

func newSeen(s *store) *seen {
	return &seen{store: s, bits: make([][]uint64, len(s.packs)), loose: map[id]bool{}, latest: make([]id, 1<<17)}
}

// add adds an object and tells whether it was there already.
func (s *seen) add(o id) (bool, error) {
	slot := &s.latest[int(o[0])<<9|int(o[1])<<1|int(o[2])>>7]
	if *slot == o {
		return true, nil
	}
	*slot = o
	if s.loose[o] {
		return true, nil
	}
	at, ok, err := s.store.locate(o)
	if err != nil {
		return false, err
	}
	if !ok {
		s.loose[o] = true
		return false, nil
	}
	bits := &s.bits[at.pack.number]
	if *bits == nil {
		*bits = make([]uint64, (at.pack.count()+63)/64)
	}
	word, bit := &(*bits)[at.number/64], uint64(1)<<(at.number%64)
	was := *word&bit != 0
	*word |= bit
	return was, nil
}
