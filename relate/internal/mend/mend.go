// Package mend tells of remedies that are no finding's fix, with patches where edits of an
// object make them.
package mend

import (
	"bulwark"
	"bulwark/kube"
	"bulwark/kube/remedy"
)

// most patches are made: each takes a look at its file.
const most = 2000

// Maker tells of remedies, each once.
type Maker struct {
	to      bulwark.Relations
	make    *remedy.Maker
	told    map[string]bool
	patches int
}

// New makes one for the objects of a set.
func New(s *kube.Set, to bulwark.Relations) *Maker {
	return &Maker{to: to, make: &remedy.Maker{Set: s}, told: map[string]bool{}}
}

// Remedy tells of one, and gives its id. Its patch makes the edits of the object; there is none
// where there are no edits, or none that the object's file lets be made safely.
func (m *Maker) Remedy(id, text string, o *kube.Object, edits ...kube.Edit) string {
	if m.told[id] {
		return id
	}
	m.told[id] = true
	fix := &bulwark.Fix{Text: text}
	if len(edits) > 0 && m.patches < most {
		m.patches++
		if p, err := m.make.Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits}); err == nil {
			fix.Patch = p
		}
	}
	m.to.Remedy(bulwark.Remedy{ID: id, Text: text, Fix: fix})
	return id
}
