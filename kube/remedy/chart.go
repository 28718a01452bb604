package remedy

import (
	"context"
	"path"
	"slices"

	"bulwark"
	"bulwark/kube"
)

// mostRenders is how often charts of a set are rendered again to try a change of values.
const mostRenders = 100

// chart is the change of a chart's values.yaml that makes the edits to a rendered object, when
// its template takes what they set from the values. It is believed when the chart, rendered
// with it, gives the object as it has to be.
func (m *Maker) chart(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	if m.Set.Render == nil || o.Origin.Locate == nil {
		return nil, unsure("it is rendered by the template %s", o.Origin.File)
	}
	with, err := kube.Apply(o.Root, edits)
	if err != nil {
		return nil, err
	}
	changes, err := valueEdits(o, with, edits)
	if err != nil {
		return nil, err
	}
	overlay, err := kube.Apply(nil, changes)
	if err != nil {
		return nil, unsure("the values of the chart do not set it alone")
	}
	if err := m.rendered(o, with, overlay); err != nil {
		return nil, err
	}
	name := path.Join(o.Origin.Chart, "values.yaml")
	f, err := m.file(name)
	if err != nil {
		return nil, unsure("it is set by a value of the chart, which has no values.yaml")
	}
	docs := kube.ParseYAML(f.data)
	if len(docs) != 1 || docs[0].Err != nil || docs[0].Root.Form() != kube.Map {
		return nil, unsure("%s cannot be edited", name)
	}
	hunks, err := f.edit(docs[0].Root, changes)
	if err != nil {
		return nil, err
	}
	return f.diff(name, hunks)
}

// valueEdits are edits of the chart's values for those of an object.
func valueEdits(o *kube.Object, with *kube.Node, edits []kube.Edit) ([]kube.Edit, error) {
	var list []kube.Edit
	for _, e := range edits {
		made, ok := valueEdit(o, with, e.Path)
		if !ok {
			place := o.Place(e.Path...)
			return nil, unsure("%s is set by the template, %s line %d", kube.PathText(e.Path...), place.File, place.Line)
		}
		if !slices.ContainsFunc(list, func(b kube.Edit) bool { return slices.Equal(b.Path, made.Path) }) {
			list = append(list, made)
		}
	}
	return list, nil
}

// valueEdit sets the value that the field at a path, or the nearest around it, comes from.
func valueEdit(o *kube.Object, with *kube.Node, at []any) (kube.Edit, bool) {
	for n := len(at); n > 0; n-- {
		place, ok := o.Origin.Locate(at[:n])
		if !ok || place.Values == nil {
			continue
		}
		var to []any
		for _, step := range place.Values {
			to = append(to, step)
		}
		for n < len(at) { // a field of an object that the values hold as a whole
			name, ok := at[n].(string)
			if !ok || !o.Root.At(at[:n]...).Exists() && n+1 < len(at) {
				break
			}
			to, n = append(to, name), n+1
		}
		value := with.At(at[:n]...)
		return kube.Edit{Path: to, Value: goValue(value)}, true
	}
	return kube.Edit{}, false
}

// rendered tells whether the chart gives the object as it has to be when values lie over its own.
func (m *Maker) rendered(o *kube.Object, with, overlay *kube.Node) error {
	if m.renders++; m.renders > mostRenders {
		return unsure("changes of values have been tried %d times", mostRenders)
	}
	values, _ := goValue(overlay).(map[string]any)
	objects, err := m.Set.Render(context.Background(), o, values)
	if err != nil {
		return unsure("with other values the chart cannot be rendered: %v", err)
	}
	for _, made := range objects {
		if made.ID() == o.ID() && made.Origin.File == o.Origin.File && made.Root.Equal(with) {
			return nil
		}
	}
	return unsure("with other values the template does not write what is meant")
}

// goValue is a node as values of Go.
func goValue(n *kube.Node) any {
	switch n.Form() {
	case kube.Map:
		m := make(map[string]any, n.Len())
		for name, v := range n.Fields() {
			m[name] = goValue(v)
		}
		return m
	case kube.List:
		list := make([]any, 0, n.Len())
		for _, v := range n.Items() {
			list = append(list, goValue(v))
		}
		return list
	case kube.Bool:
		return n.True()
	case kube.Number:
		if i, ok := n.Int(); ok {
			return int(i)
		}
		return n.Text()
	case kube.String:
		return n.Text()
	}
	return nil
}
