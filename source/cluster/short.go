package cluster

import (
	"encoding/json"

	"bulwark/kube"
)

// podStatus is what of a pod's state matters: whether it runs, and which images it has.
func podStatus(b []byte, n *kube.Node) []byte {
	b = append(appendName(b, "status"), ':', '{')
	start := len(b)
	if v := n.Get("phase"); v.Exists() {
		b = v.AppendJSON(append(appendField(b, start, "phase"), ':'))
	}
	for _, name := range []string{"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"} {
		if v := n.Get(name); v.Len() > 0 {
			b = each(append(appendField(b, start, name), ':'), v, "name", "image", "imageID")
		}
	}
	return append(b, '}')
}

// each writes a list of objects with the fields that are named.
func each(b []byte, list *kube.Node, names ...string) []byte {
	b = append(b, '[')
	for i, item := range list.Items() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		start := len(b)
		for _, name := range names {
			if v := item.Get(name); v.Exists() {
				b = v.AppendJSON(append(appendField(b, start, name), ':'))
			}
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// ownedPod is a pod whose workload says how it looks: where it runs, as whom, with which images.
func (l *lean) ownedPod(r *resource, n *kube.Node) []byte {
	b := l.owned(r, n)
	b = append(appendName(b[:len(b)-1], "spec"), ':', '{')
	start, spec := len(b), n.Get("spec")
	for _, name := range []string{"nodeName", "serviceAccountName"} {
		if v := spec.Get(name); v.Exists() {
			b = v.AppendJSON(append(appendField(b, start, name), ':'))
		}
	}
	for _, name := range []string{"initContainers", "containers", "ephemeralContainers"} {
		if v := spec.Get(name); v.Len() > 0 {
			b = each(append(appendField(b, start, name), ':'), v, "name", "image")
		}
	}
	b = append(b, '}')
	return append(podStatus(b, n.Get("status")), '}')
}

// owned is an object of which only matters whose it is.
func (l *lean) owned(r *resource, n *kube.Node) []byte {
	meta := n.Get("metadata")
	b := append([]byte(nil), `{"apiVersion":`...)
	b = appendText(b, r.apiVersion())
	b = append(b, `,"kind":`...)
	b = appendText(b, r.kind)
	b = append(b, `,"metadata":{`...)
	start := len(b)
	for _, name := range []string{"name", "namespace", "uid"} {
		if v := meta.Get(name); v.Exists() {
			b = v.AppendJSON(append(appendField(b, start, name), ':'))
		}
	}
	b = owners(append(appendField(b, start, "ownerReferences"), ':'), meta.Get("ownerReferences"))
	return append(b, "}}"...)
}

// secretObject is a Secret without its values.
func (l *lean) secretObject(r *resource, n *kube.Node, kind string) []byte {
	b := l.begin(r, n)
	if v := n.Get("type"); v.Exists() {
		kind = v.Text()
	}
	if kind != "" {
		b = appendText(append(appendName(b, "type"), ':'), kind)
	}
	if v := n.Get("immutable"); v.Exists() {
		b = v.AppendJSON(append(appendName(b, "immutable"), ':'))
	}
	v := l.hasher.Values(n)
	if !l.values {
		v.Read, v.Keys = false, nil
	}
	known, err := json.Marshal(v)
	if err != nil { // a time that cannot be written
		known = []byte(`{"read":false}`)
	}
	b = append(appendName(b, "bulwark"), ':')
	return append(append(b, known...), '}')
}

// definition is that of a custom resource without its schemas.
func (l *lean) definition(b []byte, spec *kube.Node) []byte {
	b = append(appendName(b, "spec"), ':', '{')
	start := len(b)
	for name, v := range spec.Fields() {
		b = append(appendField(b, start, name), ':')
		if name == "versions" {
			b = each(b, v, "name", "served", "storage", "deprecated")
			continue
		}
		b = v.AppendJSON(b)
	}
	return append(b, '}')
}

// keysAlone writes a map with its names and no values.
func keysAlone(b []byte, field string, n *kube.Node) []byte {
	b = append(appendName(b, field), ':', '{')
	start := len(b)
	for name := range n.Fields() {
		b = append(appendField(b, start, name), `:""`...)
	}
	return append(b, '}')
}
