package kube

import "unsafe"

// A node is a text, fields or elements, never two of them, and clusters are millions of nodes:
// they keep one pointer and one length for all three, 24 bytes instead of 80. The pointer is
// what unsafe.StringData or unsafe.SliceData gave for the form that the node has, and goes
// back into a string or slice of that form here and nowhere else.

// Text is the value of a scalar as it was written; "" of anything else.
func (n *Node) Text() string {
	if n == nil || n.form == Map || n.form == List {
		return ""
	}
	return unsafe.String((*byte)(n.first), n.size)
}

// fields are those of a map; not to be appended to in place.
func (n *Node) fields() []Field {
	if n == nil || n.form != Map {
		return nil
	}
	return unsafe.Slice((*Field)(n.first), n.size)
}

// items are the elements of a list; not to be appended to in place.
func (n *Node) items() []*Node {
	if n == nil || n.form != List {
		return nil
	}
	return unsafe.Slice((**Node)(n.first), n.size)
}

// scalar makes the node a text of a form that has one.
func (n *Node) scalar(form Form, text string) {
	n.form, n.first, n.size = form, unsafe.Pointer(unsafe.StringData(text)), int32(len(text))
}

// mapping makes the node a map of those fields.
func (n *Node) mapping(fields []Field) {
	n.form, n.first, n.size = Map, unsafe.Pointer(unsafe.SliceData(fields)), int32(len(fields))
}

// sequence makes the node a list of those elements.
func (n *Node) sequence(items []*Node) {
	n.form, n.first, n.size = List, unsafe.Pointer(unsafe.SliceData(items)), int32(len(items))
}

// scalarNode is a text without a place.
func scalarNode(form Form, text string, plain bool) *Node {
	n := &Node{plain: plain}
	n.scalar(form, text)
	return n
}

// mappingNode is a map without a place.
func mappingNode(fields []Field) *Node {
	n := &Node{}
	n.mapping(fields)
	return n
}

// sequenceNode is a list without a place.
func sequenceNode(items []*Node) *Node {
	n := &Node{}
	n.sequence(items)
	return n
}
