// Package mend tells of remedies that are no finding's fix, with patches where edits of an
// object make them.
package mend

import (
	"bulwark"
	"bulwark/kube"
	"bulwark/kube/remedy"
)

// most is how much may be read for patches, in values of objects: each patch has its object made
// and read again, at some 2 us a value. It is enough for 10,000 patches of ordinary objects.
const most = 2 << 20

// Maker tells of remedies, each once.
type Maker struct {
	to    bulwark.Relations
	make  *remedy.Maker
	told  map[string]bool
	sizes map[*kube.Object]int // values
	read  int
}

// New makes one for the objects of a set.
func New(s *kube.Set, to bulwark.Relations) *Maker {
	return &Maker{to: to, make: &remedy.Maker{Set: s}, told: map[string]bool{}, sizes: map[*kube.Object]int{}}
}

// Remedy tells of one, and gives its id. Its patch makes the edits of the object; there is none
// where there are no edits, or none that the object's file lets be made safely.
func (m *Maker) Remedy(id, text string, o *kube.Object, edits ...kube.Edit) string {
	if m.told[id] {
		return id
	}
	m.told[id] = true
	fix := &bulwark.Fix{Text: text}
	if len(edits) > 0 && m.may(o) {
		if p, err := m.make.Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits}); err == nil {
			fix.Patch = p
		}
	}
	m.to.Remedy(bulwark.Remedy{ID: id, Text: text, Fix: fix})
	return id
}

// may tells whether there is budget left for a patch of the object, and takes it.
func (m *Maker) may(o *kube.Object) bool {
	size, ok := m.sizes[o]
	if !ok {
		size, _, ok = o.Root.Size(most)
		if !ok {
			size = most + 1
		}
		m.sizes[o] = size
	}
	if m.read+size > most {
		return false
	}
	m.read += size
	return true
}
