// Package apiview is what the API server shows of an object to the expressions of a policy:
// of a kind that it knows the fields of its type, without those that are empty and not
// written then, amounts in their canonical form, and with the defaults that it gives them
// before it asks policies. Of other kinds it is what was written.
//
// The view is lazy: what no expression asks for costs nothing. It is used by one goroutine.
package apiview

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"bulwark/kube"
)

// Trace keeps what was read last of the objects that are seen with it: of an expression that
// is not true it is what made it so.
type Trace struct {
	in      *Map
	name    string
	through *List
}

// Path is the field that was read last; nil for none.
func (t *Trace) Path() []any {
	if t.in == nil {
		return nil
	}
	return append(t.in.path(), t.name)
}

// Through is the list that was gone through to its end after that; nil for none.
func (t *Trace) Through() []any {
	if t.through == nil {
		return nil
	}
	return append(t.through.up.path(), t.through.name)
}

// Of shows an object; trace may be nil.
func Of(o *kube.Object, trace *Trace) *Map {
	return &Map{node: o.Root, kind: schemaOf(o), top: &top{object: o, trace: trace, store: stores.Get().(*store)}}
}

// Pod shows a pod template of an object as the pod that would be made of it; at is where it
// stands.
func Pod(o *kube.Object, at []any, trace *Trace) *Map {
	return &Map{node: o.Root.At(at...), kind: podSchema(), top: &top{object: o, at: at, trace: trace, store: stores.Get().(*store)}}
}

// convert shows a node; up, name and index say where it stands.
func convert(n *kube.Node, s *schema, up *Map, name string, index int) ref.Val {
	if up.top.made++; up.top.made > maxValues {
		return errTooMany
	}
	switch n.Form() {
	case kube.Null:
		return types.NullValue
	case kube.Map:
		if s != nil && s.form != object && s.form != mapping {
			s = nil
		}
		return newMap(n, s, up, name, index)
	case kube.List:
		return list(n, s, up, name)
	}
	if s == nil {
		return plain(n)
	}
	return s.scalar(n)
}

func newMap(n *kube.Node, s *schema, up *Map, name string, index int) *Map {
	m := up.top.store.take()
	*m = Map{node: n, kind: s, up: up, name: name, index: index, top: up.top}
	return m
}

func list(n *kube.Node, s *schema, up *Map, name string) ref.Val {
	var of *schema
	if s != nil && s.form == sequence {
		of = s.elem
	}
	l := up.top.store.list(n.Len())
	for i := range n.Len() {
		v := convert(n.Item(i), of, up, name, i)
		if v == errTooMany {
			return v
		}
		l.items = append(l.items, v)
	}
	if up.top.trace != nil {
		l.up, l.name = up, name
	}
	return l
}

// plain is a scalar as it was written.
func plain(n *kube.Node) ref.Val {
	switch {
	case n.True():
		return types.True
	case n.False():
		return types.False
	case n.Form() == kube.Number:
		if i, ok := n.Int(); ok {
			return types.Int(i)
		}
		return double(n.Text())
	}
	return types.String(n.Text())
}

// tagOf is the tag of an image, as the API server reads it for its pull policy.
func tagOf(image string) string {
	if strings.Contains(image, "@") {
		return ""
	}
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[i+1:]
	}
	return "latest"
}
