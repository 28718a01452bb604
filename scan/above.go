package scan

import (
	"path"
	"strings"
)

// above is a layer that lies over others: it tells which of their paths it hides.
// Paths are asked about mostly in order, so the folders of the last one are remembered.
type above struct {
	*facts
	trail []step // folders of the last path, each within the one before
}

type step struct {
	dir string
	state
}

// state is what a layer makes of a folder of the layers below.
type state uint8

const (
	absent  state = iota // it has nothing in there
	present              // it has something in there, too
	hidden               // nothing of the layers below is seen in there
)

// hides tells whether the layer makes the path p of a lower layer invisible: removed or
// replaced, itself or a folder on its way.
func (a *above) hides(p string) bool {
	switch a.folder(path.Dir(p)) {
	case hidden:
		return true
	case absent:
		return false
	}
	n := nameOf(p, false)
	return a.gone[p] || a.names.has(n) || a.names.has(n.folder())
}

// folder is the state of a folder; "." is the root.
func (a *above) folder(dir string) state {
	for len(a.trail) > 0 && !within(dir, a.trail[len(a.trail)-1].dir) {
		a.trail = a.trail[:len(a.trail)-1]
	}
	at, now := 0, present
	if a.opaque["."] {
		now = hidden
	}
	if n := len(a.trail); n > 0 {
		at, now = len(a.trail[n-1].dir)+1, a.trail[n-1].state
	}
	for dir != "." && at <= len(dir) && now == present {
		end := len(dir)
		if i := strings.IndexByte(dir[at:], '/'); i >= 0 {
			end = at + i
		}
		now = a.enter(dir[:end])
		a.trail = append(a.trail, step{dir[:end], now})
		at = end + 1
	}
	return now
}

// within tells whether p is dir or lies in it.
func within(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// enter is the state of a folder whose parent is present.
func (a *above) enter(dir string) state {
	n := nameOf(dir, false)
	switch {
	case a.gone[dir] || a.opaque[dir] || a.names.has(n):
		return hidden
	case a.names.has(n.folder()) || a.passed.has(n.folder()):
		return present
	}
	return absent
}
