package scan

import "iter"

// holders tell which layers may have a name, for many layers that have something in the same
// folders. Names with the same first bits share a list.
type holders struct {
	from   []uint32 // where the list of each first bits begins, and the next one's
	layers []uint16 // the lists, rising
	shift  int
}

const (
	// manyLooks is how many times layers are asked before holders are made, and there is
	// a time for each manyNames that the layers have: making them takes as long.
	manyLooks = 20_000
	manyNames = 8
	mostLists = 20 // as bits
)

// index makes holders when they pay.
type index struct {
	*effort
	all   []*facts
	names int // of all layers, about
	asked int // times that a layer was asked about a name
	made  *holders
}

func newIndex(e *effort, layers []*facts) *index {
	x := &index{effort: e, all: layers}
	for _, f := range layers {
		if f != nil {
			x.names += len(f.names) + len(f.passed) + len(f.gone) + len(f.opaque)
		}
	}
	return x
}

// holding gives the layers that may have a name, the lowest first, or tells that it is
// not known, so that each has to be asked.
func (x *index) holding(n *name) ([]uint16, bool) {
	if x.made == nil {
		if x.asked < max(manyLooks, x.names/manyNames) || len(x.all) > 1<<16 {
			return nil, false
		}
		x.made = newHolders(x.all, x.names)
	}
	i := n.head() >> x.made.shift
	return x.made.layers[x.made.from[i]:x.made.from[i+1]], true
}

// newHolders is given how many names the layers have about.
func newHolders(layers []*facts, names int) *holders {
	width := 0
	for width < mostLists && 1<<width < names {
		width++
	}
	h := &holders{from: make([]uint32, 1<<width+2), shift: 64 - width}
	// The lists are counted, laid one behind the other, and filled.
	for n := range eachName(layers) {
		h.from[n.head()>>h.shift+2]++
	}
	for i := range h.from[1:] {
		h.from[i+1] += h.from[i]
	}
	h.layers = make([]uint16, h.from[len(h.from)-1])
	for n, layer := range eachName(layers) {
		at := &h.from[n.head()>>h.shift+1]
		h.layers[*at] = uint16(layer)
		*at++
	}
	return h
}

// eachName gives what every layer has or removes, the lowest layer first.
func eachName(layers []*facts) iter.Seq2[*name, int] {
	return func(yield func(*name, int) bool) {
		for i, f := range layers {
			if f == nil {
				continue
			}
			for _, set := range []nameSet{f.names, f.passed} {
				for j := range set {
					if !yield(&set[j], i) {
						return
					}
				}
			}
			for _, set := range []map[string]bool{f.gone, f.opaque} {
				for p := range set {
					if n := nameOf(p, false); !yield(&n, i) {
						return
					}
				}
			}
		}
	}
}
