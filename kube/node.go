package kube

import (
	"iter"
	"strconv"
	"unsafe"
)

// Form is what a node is.
type Form uint8

// The forms of a node.
const (
	Null Form = iota
	Bool
	Number
	String
	List
	Map
)

// Node is a value of a document. The nil Node is what is not there; it can be asked like
// any other. Nodes are never changed after they were read, and aliases share them.
type Node struct {
	first  unsafe.Pointer // of the text, fields or items: see cell.go
	size   int32          // how many bytes, fields or items
	line   int32
	column int32
	form   Form
	plain  bool // a scalar without quotes: its form was guessed from its text
}

// Field is one entry of a map.
type Field struct {
	Name  string
	Line  int32 // of its key
	Value *Node
}

// Form is what the node is; Null when it is not there.
func (n *Node) Form() Form {
	if n == nil {
		return Null
	}
	return n.form
}

// Exists tells whether there is a node that is not null.
func (n *Node) Exists() bool { return n != nil && n.form != Null }

// Line is where the node stands in its file, from 1; 0 when that is not known.
func (n *Node) Line() int {
	if n == nil {
		return 0
	}
	return int(n.line)
}

// Column is where in its line the node stands, from 1.
func (n *Node) Column() int {
	if n == nil {
		return 0
	}
	return int(n.column)
}

// Get follows names of fields; nil when there is no such field.
func (n *Node) Get(names ...string) *Node {
	for _, name := range names {
		f := n.field(name)
		if f == nil {
			return nil
		}
		n = f.Value
	}
	return n
}

// Has tells whether there is a field of that name, null or not.
func (n *Node) Has(name string) bool { return n.field(name) != nil }

// field is the last of that name: where a key is given twice, the later one counts.
func (n *Node) field(name string) *Field {
	fields := n.fields()
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// At follows a path of names (string) and positions in lists (int); nil when there is no
// such node.
func (n *Node) At(path ...any) *Node {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			n = n.Get(s)
		case int:
			n = n.Item(s)
		default:
			return nil
		}
	}
	return n
}

// LineOf is the line of the field at the end of path, of its key where it has one; of the
// nearest node around it that there is, when it is not there.
func (n *Node) LineOf(path ...any) int {
	line := n.Line()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			f := n.field(s)
			if f == nil {
				return line
			}
			n, line = f.Value, int(f.Line)
		case int:
			if n = n.Item(s); n == nil {
				return line
			}
			line = n.Line()
		}
	}
	return line
}

// Item is the i-th element of a list; nil when there is none.
func (n *Node) Item(i int) *Node {
	items := n.items()
	if i < 0 || i >= len(items) {
		return nil
	}
	return items[i]
}

// Len is how many elements a list or fields a map has.
func (n *Node) Len() int {
	return len(n.items()) + len(n.fields())
}

// Items gives the elements of a list.
func (n *Node) Items() iter.Seq2[int, *Node] {
	return func(yield func(int, *Node) bool) {
		for i, item := range n.items() {
			if !yield(i, item) {
				return
			}
		}
	}
}

// Fields gives the entries of a map in the order in which they were written.
func (n *Node) Fields() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		fields := n.fields()
		for i := range fields {
			if !yield(fields[i].Name, fields[i].Value) {
				return
			}
		}
	}
}

// Keys gives the entries of a map with the lines of their keys.
func (n *Node) Keys() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for _, f := range n.fields() {
			if !yield(f) {
				return
			}
		}
	}
}

// True tells whether the node says yes, as Kubernetes reads it: YAML 1.1's words count when
// they are not quoted.
func (n *Node) True() bool {
	v, ok := n.bool()
	return v && ok
}

// False tells whether the node says no; what is not there does not.
func (n *Node) False() bool {
	v, ok := n.bool()
	return !v && ok
}

func (n *Node) bool() (value, ok bool) {
	if n == nil || n.form != Bool && !(n.form == String && n.plain) {
		return false, false
	}
	switch n.Text() {
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y":
		return true, true
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N":
		return false, true
	}
	return false, false
}

// Int is the value of a whole number. A leading 0 means octal, as it does to Kubernetes
// in YAML.
func (n *Node) Int() (int64, bool) {
	if n == nil || n.form != Number {
		return 0, false
	}
	if v, err := strconv.ParseInt(n.Text(), 0, 64); err == nil {
		return v, true
	}
	f, err := strconv.ParseFloat(n.Text(), 64)
	if err != nil || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// Strings are the texts of a list's scalars.
func (n *Node) Strings() []string {
	var list []string
	for _, item := range n.Items() {
		if item.Form() != Map && item.Form() != List && item.Form() != Null {
			list = append(list, item.Text())
		}
	}
	return list
}

// maxSizeDepth is how deep a node is measured.
const maxSizeDepth = 200

// Size is how many values the node is made of, itself among them, and how many bytes their
// texts and the names of their fields have; what aliases share counts as often as it stands
// there. ok is false, and the rest not counted, where it is more than most values or nested
// too deep.
func (n *Node) Size(most int) (values, bytes int, ok bool) {
	var add func(n *Node, depth int) bool
	add = func(n *Node, depth int) bool {
		if values++; values > most || depth > maxSizeDepth {
			return false
		}
		if n == nil {
			return true
		}
		bytes += len(n.Text())
		for _, item := range n.items() {
			if !add(item, depth+1) {
				return false
			}
		}
		for _, f := range n.fields() {
			bytes += len(f.Name)
			if !add(f.Value, depth+1) {
				return false
			}
		}
		return true
	}
	ok = add(n, 0)
	return values, bytes, ok
}
