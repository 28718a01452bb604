package apiview

import (
	"sync"

	"github.com/google/cel-go/common/types/ref"
)

const (
	mapsAtOnce  = 16
	listsAtOnce = 16
	valsAtOnce  = 64
	slotsAtOnce = 128
	mostChunks  = 16 // that are kept for another view
)

// store is what the parts of a view are taken from, many at a time, and what the next view
// takes its parts from when nobody needs this one any more.
type store struct {
	maps   []*[mapsAtOnce]Map
	slots  []*[slotsAtOnce]entry
	nMaps  int // taken
	chunk  int // of slots in use
	nSlots int // taken of it

	lists  []*[listsAtOnce]List
	nLists int
	vals   []*[valsAtOnce]ref.Val
	row    int // of vals in use
	nVals  int // taken of it
}

var stores = sync.Pool{New: func() any { return &store{} }}

// take gives a map to be set.
func (s *store) take() *Map {
	i := s.nMaps / mapsAtOnce
	if i == len(s.maps) {
		s.maps = append(s.maps, new([mapsAtOnce]Map))
	}
	s.nMaps++
	return &s.maps[i][(s.nMaps-1)%mapsAtOnce]
}

// room gives space for n entries.
func (s *store) room(n int) []entry {
	if n > slotsAtOnce/4 {
		return make([]entry, 0, n)
	}
	if s.nSlots+n > slotsAtOnce {
		s.chunk, s.nSlots = s.chunk+1, 0
	}
	if s.chunk == len(s.slots) {
		s.slots = append(s.slots, new([slotsAtOnce]entry))
	}
	s.nSlots += n
	return s.slots[s.chunk][s.nSlots-n : s.nSlots-n : s.nSlots]
}

// list gives a list of n values to be set.
func (s *store) list(n int) *List {
	i := s.nLists / listsAtOnce
	if i == len(s.lists) {
		s.lists = append(s.lists, new([listsAtOnce]List))
	}
	s.nLists++
	l := &s.lists[i][(s.nLists-1)%listsAtOnce]
	*l = List{items: s.values(n)}
	return l
}

// values gives space for n values.
func (s *store) values(n int) []ref.Val {
	if n > valsAtOnce/4 {
		return make([]ref.Val, 0, n)
	}
	if s.nVals+n > valsAtOnce {
		s.row, s.nVals = s.row+1, 0
	}
	if s.row == len(s.vals) {
		s.vals = append(s.vals, new([valsAtOnce]ref.Val))
	}
	s.nVals += n
	return s.vals[s.row][s.nVals-n : s.nVals-n : s.nVals]
}

// Recycle gives a view's parts to views that are made later. Nothing of the view may be used
// after that.
func (m *Map) Recycle() {
	s := m.top.store
	if m.up != nil || s == nil {
		return
	}
	m.top.store = nil
	s.maps, s.slots = s.maps[:min(len(s.maps), mostChunks)], s.slots[:min(len(s.slots), mostChunks)]
	s.nMaps, s.chunk, s.nSlots = 0, 0, 0
	s.lists, s.vals = s.lists[:min(len(s.lists), mostChunks)], s.vals[:min(len(s.vals), mostChunks)]
	s.nLists, s.row, s.nVals = 0, 0, 0
	stores.Put(s)
}
