package remedy

import (
	"path"

	"bulwark"
	"bulwark/kube"
)

// overlay is the change of the file of a base, or of a patch, that makes the edits to an
// object which a kustomization builds; where there is no such file, the patch to add to the
// kustomization.
func (m *Maker) overlay(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	p, err := m.base(o, edits)
	if err == nil {
		return p, nil
	}
	with, bad := kube.Apply(o.Root, edits)
	if bad != nil {
		return nil, bad
	}
	body, bad := merge(o.Root, with, types[o.APIVersion+"/"+o.Kind])
	if types[o.APIVersion+"/"+o.Kind] == nil || bad != nil {
		return nil, err
	}
	name := []kube.Edit{kube.Put(o.APIVersion, "apiVersion"), kube.Put(o.Kind, "kind"), kube.Put(o.Name, "metadata", "name")}
	if n := o.Root.Get("metadata", "namespace"); n.Exists() {
		name = append(name, kube.Put(n, "metadata", "namespace"))
	}
	if body, bad = kube.Apply(body, name); bad != nil {
		return nil, err
	}
	p, bad = shown("strategic-merge", o, body)
	if bad != nil {
		return nil, bad
	}
	p.File = path.Join(o.Origin.Overlay, "kustomization.yaml")
	return p, nil
}

// base edits the file in which the object that is built is written, with what is to be
// changed in the same place and the same as in what was built.
func (m *Maker) base(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	if o.Origin.Locate == nil || len(edits) == 0 {
		return nil, unsure("it is not known where it is written")
	}
	where := o.Place(edits[0].Path...)
	for _, e := range edits {
		if p := o.Place(e.Path...); p.File != where.File || p.File == "" {
			return nil, unsure("it is written in several files")
		}
	}
	f, err := m.file(where.File)
	if err != nil {
		return nil, err
	}
	var root *kube.Node
	for _, d := range kube.ParseYAML(f.data) {
		if d.Err == nil && d.Root.Line() <= where.Line && d.Root.Get("kind").Text() == o.Kind {
			root = d.Root // the last that begins above
		}
	}
	for _, e := range edits {
		if !alike(root, o.Root, e.Path) {
			return nil, unsure("%s is not written in %s alone", kube.PathText(e.Path...), where.File)
		}
	}
	hunks, err := f.edit(root, edits)
	if err != nil {
		return nil, err
	}
	if len(hunks) == 0 {
		return nil, unsure("nothing would change")
	}
	return f.diff(where.File, hunks)
}

// alike tells whether two objects have the same at a path, and elements of the same name on
// the way.
func alike(a, b *kube.Node, at []any) bool {
	for _, step := range at {
		if _, ok := step.(int); ok && a.Len() != b.Len() {
			return false
		}
		a, b = a.At(step), b.At(step)
		if (a == nil) != (b == nil) || !a.Get("name").Equal(b.Get("name")) {
			return false
		}
	}
	return a.Equal(b)
}
