package remedy

import (
	"path"
	"strings"

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
	name, ok := m.kustomization(o.Origin.Overlay)
	own := m.written(o)
	if !ok || own == nil {
		return nil, err
	}
	// kustomize finds what a patch is for by the name that it had before names were changed.
	id := []kube.Edit{kube.Put(o.APIVersion, "apiVersion"), kube.Put(o.Kind, "kind"), kube.Put(own.Get("metadata", "name"), "metadata", "name")}
	if n := own.Get("metadata", "namespace"); n.Exists() {
		id = append(id, kube.Put(n, "metadata", "namespace"))
	}
	if body, bad = kube.Apply(body, id); bad != nil {
		return nil, err
	}
	p, bad = shown("strategic-merge", o, body)
	if bad != nil {
		return nil, bad
	}
	p.File = name
	return p, nil
}

// kustomization is the file by which a folder is one.
func (m *Maker) kustomization(dir string) (string, bool) {
	if m.Set.Read == nil {
		return "", false
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if _, err := m.Set.Read(path.Join(dir, name)); err == nil {
			return path.Join(dir, name), true
		}
	}
	return "", false
}

// written is the object as it stands in its file, before a kustomization changes it; nil when
// it is not found there.
func (m *Maker) written(o *kube.Object) *kube.Node {
	where := o.Place("metadata")
	f, err := m.file(where.File)
	if err != nil {
		return nil
	}
	root := f.object(o.Kind, where.Line)
	if name := root.Get("metadata", "name").Text(); name == "" || !strings.Contains(o.Name, name) {
		return nil
	}
	return root
}

// object is the last one of a kind that begins at a line or above; nil when there is none.
func (f *file) object(kind string, line int) (root *kube.Node) {
	for _, d := range kube.ParseYAML(f.data) {
		if d.Err == nil && d.Root.Line() <= line && d.Root.Get("kind").Text() == kind {
			root = d.Root
		}
	}
	return root
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
	root := f.object(o.Kind, where.Line)
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
