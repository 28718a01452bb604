package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"bulwark"
)

// Edit is one change to an object.
type Edit struct {
	Path []any // of names (string) and positions in lists (int)
	// Value is set at Path, where it takes the place of what is there; objects and lists on
	// the way are made. It is made of map[string]any, []any, string, bool, int and nil.
	Value any
	// Append adds Value to the list at Path, which is made when there is none.
	Append bool
	// Remove takes the field or element at Path out instead.
	Remove bool
}

// Put is the edit that sets a value.
func Put(value any, path ...any) Edit { return Edit{Path: path, Value: value} }

// Drop is the edit that takes a field or an element of a list out.
func Drop(path ...any) Edit { return Edit{Path: path, Remove: true} }

// Apply gives the object with the edits made, one after the other; root stays as it is, and
// what no edit touches is shared with it. Positions in lists are those before any edit: an
// element that is taken out moves none. The error wraps ErrMalformed: an edit leads through
// what is no object or list, or past the end of a list.
func Apply(root *Node, edits []Edit) (*Node, error) {
	e := editor{own: map[*Node]bool{}}
	for i := range edits {
		made, err := e.set(root, edits[i].Path, &edits[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", PathText(edits[i].Path...), err)
		}
		root = made
	}
	for n := range e.own {
		if n.form == List {
			n.sequence(slices.DeleteFunc(n.items(), func(item *Node) bool { return item == gone }))
		}
	}
	if root == gone {
		root = nil
	}
	return root, nil
}

// gone takes the place of an element that was taken out until all edits are made.
var gone = &Node{}

// editor copies what it changes, once.
type editor struct{ own map[*Node]bool }

func (e *editor) mine(n *Node, form Form) *Node {
	if e.own[n] {
		return n
	}
	c := &Node{form: form}
	if n != nil {
		c.line, c.column = n.line, n.column
	}
	if form == Map {
		c.mapping(slices.Clone(n.fields()))
	} else {
		c.sequence(slices.Clone(n.items()))
	}
	e.own[c] = true
	return c
}

func (e *editor) set(n *Node, path []any, edit *Edit) (*Node, error) {
	if len(path) == 0 {
		return e.end(n, edit)
	}
	switch step := path[0].(type) {
	case string:
		return e.field(n, step, path[1:], edit)
	case int:
		return e.item(n, step, path[1:], edit)
	}
	return nil, fmt.Errorf("%w: a step that is neither name nor position", bulwark.ErrMalformed)
}

// end makes the edit where its path ends.
func (e *editor) end(n *Node, edit *Edit) (*Node, error) {
	switch {
	case edit.Remove:
		return gone, nil
	case !edit.Append:
		return nodeOf(edit.Value)
	case n.Exists() && n.form != List:
		return nil, fmt.Errorf("%w: nothing can be added to what is no list", bulwark.ErrMalformed)
	}
	item, err := nodeOf(edit.Value)
	list := e.mine(n, List)
	list.sequence(append(list.items(), item))
	return list, err
}

func (e *editor) field(n *Node, name string, rest []any, edit *Edit) (*Node, error) {
	if n.Exists() && n.form != Map {
		return nil, fmt.Errorf("%w: %q leads into what is no object", bulwark.ErrMalformed, name)
	}
	f := n.field(name)
	if f == nil && edit.Remove {
		return n, nil
	}
	var value *Node
	if f != nil {
		value = f.Value
	}
	value, err := e.set(value, rest, edit)
	if err != nil {
		return nil, err
	}
	m := e.mine(n, Map)
	switch old := m.field(name); {
	case value == gone:
		m.mapping(slices.DeleteFunc(m.fields(), func(f Field) bool { return f.Name == name }))
	case old != nil:
		old.Value = value
	default:
		m.mapping(append(m.fields(), Field{Name: name, Value: value}))
	}
	return m, nil
}

func (e *editor) item(n *Node, i int, rest []any, edit *Edit) (*Node, error) {
	switch {
	case n.Exists() && n.form != List, i < 0, i > n.Len():
		return nil, fmt.Errorf("%w: there is no element %d", bulwark.ErrMalformed, i)
	case edit.Remove && (i == n.Len() || n.Item(i) == gone):
		return n, nil
	}
	var value *Node
	if i < n.Len() && n.Item(i) != gone {
		value = n.Item(i)
	}
	value, err := e.set(value, rest, edit)
	if err != nil {
		return nil, err
	}
	list := e.mine(n, List)
	if i == list.Len() {
		list.sequence(append(list.items(), nil))
	}
	list.items()[i] = value
	return list, nil
}

// nodeOf makes a node of a value of Go.
func nodeOf(v any) (*Node, error) {
	switch v := v.(type) {
	case nil:
		return &Node{form: Null}, nil
	case *Node:
		return v, nil
	case bool:
		return scalarNode(Bool, strconv.FormatBool(v), true), nil
	case string:
		return scalarNode(String, v, false), nil
	case int, int32, int64:
		return scalarNode(Number, fmt.Sprint(v), true), nil
	case []string:
		items := make([]*Node, len(v))
		for i, s := range v {
			items[i] = scalarNode(String, s, false)
		}
		return sequenceNode(items), nil
	case []any:
		var items []*Node
		for _, item := range v {
			made, err := nodeOf(item)
			if err != nil {
				return nil, err
			}
			items = append(items, made)
		}
		return sequenceNode(items), nil
	case map[string]any:
		var fields []Field
		for _, name := range slices.SortedFunc(maps.Keys(v), first) {
			made, err := nodeOf(v[name])
			if err != nil {
				return nil, err
			}
			fields = append(fields, Field{Name: name, Value: made})
		}
		return mappingNode(fields), nil
	}
	return nil, fmt.Errorf("%w: a value of type %T", bulwark.ErrMalformed, v)
}

// first orders the fields of a new object as people write them: what names it, then the rest.
func first(a, b string) int {
	rank := func(s string) int {
		return (slices.Index([]string{"podSelector", "metadata", "type", "kind", "name", "apiVersion"}, s) + 1) * -1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// Equal tells whether two nodes say the same: their fields in any order, wherever and however
// they are written. What is not there equals null.
func (n *Node) Equal(m *Node) bool {
	if n == m {
		return true
	}
	if n.Form() != m.Form() {
		return false
	}
	switch n.Form() {
	case Null:
		return true
	case List:
		return slices.EqualFunc(n.items(), m.items(), (*Node).Equal)
	case Map:
		return n.sameFields(m)
	case Bool:
		return n.True() == m.True()
	}
	return n.Text() == m.Text()
}

// sameFields compares what the fields of two maps say; of a key that is given twice the last.
func (n *Node) sameFields(m *Node) bool {
	if same, ok := n.inOrder(m); ok {
		return same
	}
	a, b := n.effective(), m.effective()
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		if w, ok := b[name]; !ok || !v.Equal(w) {
			return false
		}
	}
	return true
}

// inOrder compares the fields of two maps whose names stand in the same order, as they mostly
// do; ok is false where they do not.
func (n *Node) inOrder(m *Node) (same, ok bool) {
	a, b := n.fields(), m.fields()
	if !slices.EqualFunc(a, b, func(f, g Field) bool { return f.Name == g.Name }) {
		return false, false
	}
	for i := range a {
		f := &a[i]
		if !f.Value.Equal(b[i].Value) && n.field(f.Name) == f {
			return false, true
		}
	}
	return true, true
}

func (n *Node) effective() map[string]*Node {
	all := make(map[string]*Node, n.Len())
	for _, f := range n.fields() {
		all[f.Name] = f.Value
	}
	return all
}
