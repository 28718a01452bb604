package watch

import (
	"cmp"
	"encoding/json"

	"bulwark"
)

// documented adds to a finding what the event's document tells of its subject: that of no two requests to an API server is the
// same unless who asked what is, and what an engine does it does to a container.
func documented(f *bulwark.Finding, e *bulwark.Event) {
	switch e.Kind {
	case bulwark.KindK8sAudit:
		if f.Subject == "" {
			if v, ok := readAudited(e.Doc); ok {
				f.Subject = v.requested()
			}
		}
	case bulwark.KindEngine:
		contained(f, e.Doc)
	}
}

func nonempty(list ...string) []string {
	kept := list[:0]
	for _, s := range list {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// contained gives a finding the container that an engine's event is about. What is known of images is their name alone.
func contained(f *bulwark.Finding, doc []byte) {
	var v struct {
		Type, ID, From, Name, Image string // older Podmans have these at the top
		Actor                       struct {
			ID         string
			Attributes struct{ Name, Image string }
		}
	}
	if json.Unmarshal(doc, &v) != nil {
		return
	}
	id, name := cmp.Or(v.Actor.ID, v.ID), cmp.Or(v.Actor.Attributes.Name, v.Name)
	f.Subject = cmp.Or(f.Subject, name, id)
	if id != "" && f.Container == nil && (v.Type == "" || v.Type == "container") {
		f.Container = &bulwark.ContainerRef{ID: id, Name: name, Image: cmp.Or(v.Actor.Attributes.Image, v.From, v.Image)}
	}
}
