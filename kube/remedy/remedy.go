// Package remedy turns edits of Kubernetes objects into patches: a unified diff of the file
// that says so, which keeps its comments and order, or a strategic-merge or JSON patch for an
// object of a cluster.
//
// It writes no patch that it is not sure of: what a diff makes of a file is read again, and
// has to be the object with the edits made, and all else as it was.
package remedy

import (
	"bytes"

	"bulwark"
	"bulwark/kube"
)

// Maker makes patches for the objects of one set. It keeps the file that it was asked for last.
type Maker struct {
	Set *kube.Set

	name    string
	last    *opened
	renders int
}

// Patch is the patch that makes edits to objects, of which all are to be patched by one. The
// error says why there is none.
func (m *Maker) Patch(objects []*kube.Object, edits map[*kube.Object][]kube.Edit) (*bulwark.Patch, error) {
	for _, o := range objects {
		if m.Set.Cluster != nil || !asWritten(o) || o.Origin.File != objects[0].Origin.File {
			return m.same(objects, edits)
		}
	}
	return m.inFile(objects, edits)
}

// asWritten tells whether an object is as its file has it.
func asWritten(o *kube.Object) bool {
	return o.Origin.File != "" && o.Origin.Chart == "" && o.Origin.Overlay == ""
}

// inFile is the patch of the file that all of the objects stand in.
func (m *Maker) inFile(objects []*kube.Object, edits map[*kube.Object][]kube.Edit) (*bulwark.Patch, error) {
	var hunks []hunk
	var in *file
	for _, o := range objects {
		f, err := m.file(o.Origin.File)
		if err != nil {
			return nil, err
		}
		more, err := f.edit(o.Root, edits[o])
		if err != nil {
			return nil, err
		}
		in, hunks = f, append(hunks, more...)
	}
	if len(hunks) == 0 {
		return nil, unsure("nothing would change")
	}
	return in.diff(objects[0].Origin.File, hunks)
}

// same is the patch of objects that are made in several ways, where it is the same one for
// all: of a template or base that makes several.
func (m *Maker) same(objects []*kube.Object, edits map[*kube.Object][]kube.Edit) (*bulwark.Patch, error) {
	var patch *bulwark.Patch
	for _, o := range objects {
		p, err := m.made(o, edits[o])
		if err != nil {
			return nil, err
		}
		if patch != nil && *p != *patch {
			return nil, unsure("it is made in several ways, and each needs a change of its own")
		}
		patch = p
	}
	return patch, nil
}

func (m *Maker) made(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	switch {
	case o.Origin.File == "" || m.Set.Cluster != nil:
		return live(o, edits)
	case o.Origin.Chart != "":
		return m.chart(o, edits)
	case o.Origin.Overlay != "":
		return m.overlay(o, edits)
	}
	return m.inFile([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
}

// edit gives the lines to change for edits of an object that is written in the file.
func (f *file) edit(root *kube.Node, edits []kube.Edit) ([]hunk, error) {
	with, err := kube.Apply(root, edits)
	if err != nil {
		return nil, err
	}
	if root.Line() < 1 || root.Line() > f.count() {
		return nil, unsure("the object is not in its file")
	}
	from, to := f.document(root.Line() - 1)
	text := f.data[f.starts[from]:f.starts[to]]
	w := f.writtenAs(root, text)
	if w.tabs {
		return nil, unsure("lines begin with tabs")
	}
	c := &change{file: f, style: w.style, json: w.json}
	if err := c.value(root, with, spot{column: -1, after: f.starts[from]}); err != nil {
		return nil, err
	}
	changed, err := c.result(f.starts[from], f.starts[to])
	if err != nil {
		return nil, err
	}
	if err := verify(text, changed, root, with, root.Line()-from); err != nil {
		return nil, err
	}
	return c.hunks(), nil
}

// written is how an object is written, which all of its patches ask for.
type written struct {
	style
	json bool // in brackets
	tabs bool // that indent lines, where brackets do not say how deep they are
}

func (f *file) writtenAs(root *kube.Node, text []byte) written {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := [2]int{root.Line(), root.Column()}
	w, ok := f.roots[at]
	if !ok {
		w = written{style: f.styleOf(root), json: f.isJSON(root)}
		w.tabs = !w.json && tabs(text)
		f.roots[at] = w
	}
	return w
}

// isJSON tells whether the object is written in brackets from its start, as JSON is.
func (f *file) isJSON(root *kube.Node) bool {
	at := f.begin(root)
	if f.byteAt(at) != '{' {
		return false
	}
	next := f.byteAt(f.spaces(at + 1))
	return next == '"' || next == '}'
}

// tabs tells whether a line is indented with tabs.
func tabs(text []byte) bool {
	if bytes.IndexByte(text, '\t') < 0 {
		return false
	}
	for line := range bytes.Lines(text) {
		if margin := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.IndexByte(margin, '\t') >= 0 && len(bytes.TrimSpace(line)) > 0 {
			return true
		}
	}
	return false
}

// verify reads a document before and after a change, and tells whether the object that begins
// in a line of it is what it has to be, and all else as it was.
func verify(before, after []byte, old, with *kube.Node, line int) error {
	made := kube.ParseYAML(after)
	if len(made) != 1 || made[0].Err != nil {
		return unsure("the document could not be read any more")
	}
	if made[0].Root.Equal(with) {
		return nil
	}
	was := kube.ParseYAML(before)
	if len(was) != 1 || was[0].Err != nil {
		return unsure("the document is not what was read")
	}
	found := 0
	if !same(was[0].Root, made[0].Root, old, with, line, &found) || found != 1 {
		return unsure("something else would change")
	}
	return nil
}

// same tells whether two lists of objects are the same but for the one that old is, and which
// stands in a line of the first.
func same(a, b, old, with *kube.Node, line int, found *int) bool {
	if a.Line() == line && a.Column() == old.Column() && a.Equal(old) && b.Equal(with) {
		*found++
		return true
	}
	if a.Form() != kube.Map || !a.Has("items") || a.Len() != b.Len() {
		return a.Equal(b)
	}
	for f := range a.Keys() {
		if f.Name != "items" && !f.Value.Equal(b.Get(f.Name)) {
			return false
		}
	}
	list, other := a.Get("items"), b.Get("items")
	if list.Len() != other.Len() {
		return false
	}
	for i, item := range list.Items() {
		if !same(item, other.Item(i), old, with, line, found) {
			return false
		}
	}
	return true
}
