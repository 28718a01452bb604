package manifest

import (
	"bytes"
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/source/manifest/internal/overlay"
)

// patches reads the patches of kustomizations, those of the bases first.
func (v *overlays) patches(uses []*overlay.Kustomization) []patch {
	var list []patch
	for _, k := range slices.Backward(uses) {
		for _, p := range k.Patches {
			for _, d := range kube.ParseYAML([]byte(p.Text)) {
				if d.Root != nil {
					list = append(list, patch{file: v.name(p.File), shift: p.Line - 1, root: d.Root, kind: p.Kind, name: p.Name})
				}
			}
		}
	}
	return list
}

// patch is one document of a patch.
type patch struct {
	file       string
	shift      int // of its lines in the file
	root       *kube.Node
	kind, name string // of the target that the kustomization names
}

// fits tells whether a patch may be one of the object's.
func (p *patch) fits(o *kube.Object) bool {
	kind, name := p.kind, p.name
	if kind == "" && name == "" && p.root.Form() == kube.Map {
		kind, name = p.root.Get("kind").Text(), p.root.Get("metadata", "name").Text()
	}
	if kind != "" && kind != o.Kind {
		return false
	}
	return name == "" || strings.Contains(o.Name, name) || strings.ContainsAny(name, "*.|^$[(")
}

// origins finds the fields of an object that was built in the files that say so.
type origins struct {
	file    string
	root    *kube.Node // as it was built
	base    *kube.Node // as the file has it; nil when it was generated
	patches []*patch   // the later win
}

// locate is Origin.Locate: the last patch that says what the object has, else the base.
func (l *origins) locate(at []any) (kube.Location, bool) {
	if l.base == nil {
		return kube.Location{File: l.file, Line: 1}, true
	}
	built := l.root.At(at...)
	for _, p := range slices.Backward(l.patches) {
		if line := p.says(l.root, built, at); line > 0 {
			return kube.Location{File: p.file, Line: line + p.shift}, true
		}
	}
	line, _ := follow(l.root, l.base, at)
	return kube.Location{File: l.file, Line: max(line, l.base.Line(), 1)}, true
}

// says is the line of a patch that sets the field so; 0 for none.
func (p *patch) says(root, built *kube.Node, at []any) int {
	if built == nil || len(at) == 0 {
		return 0
	}
	if p.root.Form() == kube.List {
		return p.operation(built, at)
	}
	line, n := follow(root, p.root, at)
	if n == nil || !bytes.Equal(n.JSON(), built.JSON()) {
		return 0
	}
	return line
}

// operation looks in the operations of a JSON patch.
func (p *patch) operation(built *kube.Node, at []any) int {
	line := 0
	for _, op := range p.root.Items() {
		steps := strings.Split(strings.TrimPrefix(op.Get("path").Text(), "/"), "/")
		if len(steps) > len(at) || op.Get("op").Text() == "remove" {
			continue
		}
		same := true
		for i, s := range steps {
			s = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
			same = same && (s == "-" || s == kube.PathText(at[i]) || "["+s+"]" == kube.PathText(at[i]))
		}
		if v := op.Get("value").At(at[len(steps):]...); same && v != nil && bytes.Equal(v.JSON(), built.JSON()) {
			line = op.Get("value").LineOf(at[len(steps):]...)
			if len(at) == len(steps) {
				line = op.LineOf("path")
			}
		}
	}
	return line
}

// follow goes down a path of one object in another, where elements of lists with a name are
// the ones of that name. It gives the line of the last field that is there, and the node if
// all are.
func follow(in, n *kube.Node, at []any) (int, *kube.Node) {
	line := n.Line()
	for _, step := range at {
		next := n.At(step)
		switch s := step.(type) {
		case int:
			if name := in.Item(s).Get("name"); name.Exists() {
				next = named(n, name.Text())
			}
			if next != nil {
				line = next.Line()
			}
		case string:
			if next != nil {
				line = n.LineOf(s)
			}
		}
		if next == nil {
			return line, nil
		}
		in, n = in.At(step), next
	}
	return line, n
}

func named(list *kube.Node, name string) *kube.Node {
	for _, item := range list.Items() {
		if item.Get("name").Text() == name {
			return item
		}
	}
	return nil
}
