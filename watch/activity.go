package watch

import (
	"cmp"
	"slices"

	"bulwark"
)

// Activity is what was seen of a container, or of the node outside of them.
type Activity struct {
	Container *bulwark.Container // nil: the node
	Events    uint64             // that detectors saw
	Findings  int                // with repeats
}

// mostActive is how many containers are counted apart.
const mostActive = 4096

// activity counts by container. A nil one counts nothing.
type activity map[string]*Activity

func (a activity) event(p *bulwark.Process) {
	if a != nil && p != nil {
		a.of(p.Container).Events++
	}
}

func (a activity) of(c *bulwark.Container) *Activity {
	id := ""
	if c != nil {
		if id = c.ID; id == "" {
			id = "?"
		}
	}
	one := a[id]
	if one == nil {
		if len(a) >= mostActive {
			a.forget()
		}
		one = &Activity{}
		a[id] = one
	}
	if c != nil {
		one.Container = c
	}
	return one
}

// forget makes room: those that did least go.
func (a activity) forget() {
	ids := make([]string, 0, len(a))
	for id := range a {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int { return cmp.Compare(a[x].Events, a[y].Events) })
	for _, id := range ids[:len(ids)/2] {
		delete(a, id)
	}
}

// Activity is what was seen until now of the node and of each container, where Tally is set. It may be asked at any time.
func (w *Watcher) Activity() []Activity {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	list := make([]Activity, 0, len(w.core.activity))
	for _, one := range w.core.activity {
		list = append(list, *one)
	}
	return list
}

// Seen is how many events detectors saw.
func (w *Watcher) Seen() uint64 {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	return w.core.num
}
