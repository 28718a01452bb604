package scan

// above is a layer that lies over others: it tells which of their links it hides.
// Paths are asked about mostly in order, so the folders of the last one are remembered.
type above struct {
	*facts // nil: it could not be read
	*effort
	trail []inner
}

type inner struct {
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
	if a.facts == nil || a.spent(0) {
		return false
	}
	switch a.folder(folder(p)) {
	case hidden:
		return true
	case absent:
		return false
	}
	return !a.spent(len(p)) && a.replaces(p, nameOf(p, false))
}

// folder is the state of a folder.
func (a *above) folder(dir string) state {
	for len(a.trail) > 0 && !inside(dir, a.trail[len(a.trail)-1].dir) {
		a.trail = a.trail[:len(a.trail)-1]
	}
	at, now := 0, a.root()
	if n := len(a.trail); n > 0 {
		at, now = len(a.trail[n-1].dir)+1, a.trail[n-1].state
	}
	for at < len(dir) && now == present && !a.spent(at) {
		end := component(dir, at)
		now = a.state(dir[:end], nameOf(dir[:end], false))
		a.trail = append(a.trail, inner{dir[:end], now})
		at = end + 1
	}
	return now
}

// root is the state of the root.
func (f *facts) root() state {
	if f.opaque["."] {
		return hidden
	}
	return present
}

// state is that of a folder whose parent is present; n is its name as a file.
func (f *facts) state(dir string, n name) state {
	file, entry := f.names.both(n)
	switch {
	case file || f.gone[dir] || f.opaque[dir]:
		return hidden
	case entry || f.passed.has(n.folder()):
		return present
	}
	return absent
}

// replaces tells whether the layer has something else at p, or nothing any more; n is
// its name as a file.
func (f *facts) replaces(p string, n name) bool {
	file, folder := f.names.both(n)
	return file || folder || f.gone[p]
}
