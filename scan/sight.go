package scan

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// sight tells which paths layers hide from above. Paths are asked about in order, so
// what all layers make of a folder is found once for everything that lies in it, and
// layers that have nothing in there are not asked again.
type sight struct {
	*index
	layers    []*facts // some of the index's, from the lowest
	crossings map[string][]crossing
	trail     []level // the root and the folders of the last path
	views     []view  // of those, the innermost's last
}

// level is a folder as the layers make it.
type level struct {
	dir   string // empty: the root
	top   int    // the highest layer that hides what lower ones have in there, or -1
	floor int    // the lowest layer that may be asked about
	first int    // its first view
}

// view is a layer that has something in a folder, and by which path.
type view struct {
	path  string
	layer int
}

// newSight looks at so many of the layers, of which some may be nil, through the crossings of links.
func newSight(x *index, layers int, crossings map[string][]crossing) *sight {
	s := &sight{index: x, layers: x.all[:layers], crossings: crossings}
	root := level{top: -1}
	for i, f := range s.layers {
		if f != nil && f.root() == hidden {
			root.top = i
		}
	}
	for i, f := range s.layers {
		if f != nil && i > root.top {
			s.views = append(s.views, view{"", i})
		}
	}
	s.cross(&root)
	s.trail = append(s.trail, root)
	return s
}

// hides tells whether a layer above the given one makes the real path p invisible.
func (s *sight) hides(layer int, p string) bool {
	if layer == len(s.layers)-1 || s.spent(0) {
		return false
	}
	dir := folder(p)
	at := s.folder(dir, layer)
	if at.top > layer {
		return true
	}
	for v, a := range s.aliases(s.views[at.first:], layer, dir, p) {
		if s.layers[v.layer].replaces(a.path, a.name) {
			return true
		}
	}
	return false
}

// alias is a path as a layer has it.
type alias struct {
	path string
	name name
}

// aliases gives the views of a folder that may know a path that lies in the folder, those of
// layers above the given one, and what they call it. There are no more when the effort is
// spent.
func (s *sight) aliases(views []view, layer int, dir, p string) iter.Seq2[view, alias] {
	return func(yield func(view, alias) bool) {
		var a alias
		var holding []uint16
		var known bool
		last := view{layer: len(s.layers)}
		for i, v := range views {
			if v.layer <= layer {
				continue
			}
			if v.path != last.path || v.layer <= last.layer {
				if a.path = p; v.path != dir {
					a.path = within(v.path, p[len(within(dir, "")):])
				}
				a.name = nameOf(a.path, false)
				holding, known = s.holding(&a.name)
				s.spent(len(a.path))
			}
			last = v
			for len(holding) > 0 && int(holding[0]) < v.layer {
				holding = holding[1:]
			}
			if known && (len(holding) == 0 || int(holding[0]) != v.layer) {
				if i%64 == 0 && s.spent(0) {
					return
				}
				continue
			}
			s.asked++
			if s.spent(0) || !yield(v, a) {
				return
			}
		}
	}
}

// folder is the level of a folder, or of one that it lies in when no layer has anything
// in there. It holds for files of the given layer and of those above.
func (s *sight) folder(dir string, layer int) *level {
	floor := layer
	for n := len(s.trail) - 1; n > 0 && (s.trail[n].floor > layer || !inside(dir, s.trail[n].dir)); n-- {
		if inside(dir, s.trail[n].dir) {
			floor = 0 // so that it is not left for a lower one again
		}
		s.views, s.trail = s.views[:s.trail[n].first], s.trail[:n]
	}
	last := &s.trail[len(s.trail)-1]
	for last.dir != dir && (len(s.views) > last.first || len(s.crossings) > 0) && !s.spent(len(last.dir)) {
		at := len(within(last.dir, ""))
		last = s.enter(dir[:component(dir, at)], floor)
	}
	return last
}

// enter goes on into a folder of the innermost level.
func (s *sight) enter(dir string, floor int) *level {
	outer := &s.trail[len(s.trail)-1]
	next := level{dir: dir, top: outer.top, floor: max(floor, outer.floor), first: len(s.views)}
	for v, a := range s.aliases(s.views[outer.first:], max(next.top, next.floor), outer.dir, dir) {
		s.see(&next, view{a.path, v.layer}, a.name)
	}
	s.cross(&next)
	s.trail = append(s.trail, next)
	return &s.trail[len(s.trail)-1]
}

// see adds what a layer makes of a folder to its level.
func (s *sight) see(at *level, v view, n name) {
	if v.layer <= max(at.top, at.floor) {
		return
	}
	switch s.layers[v.layer].state(v.path, n) {
	case hidden:
		at.top = v.layer
	case present:
		if v.path == at.dir || !s.written(len(v.path)) {
			s.views = append(s.views, v)
		}
	}
}

// cross adds the layers that have something in a folder by way of a link.
func (s *sight) cross(at *level) {
	own := len(s.views)
	for _, c := range s.crossings[at.dir] {
		if c.layer >= len(s.layers) {
			continue
		}
		if s.spent(len(c.link)) {
			return
		}
		s.see(at, view{c.link, c.layer}, nameOf(c.link, false))
	}
	slices.SortFunc(s.views[own:], func(a, b view) int { return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(a.layer, b.layer)) })
}
