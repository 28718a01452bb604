// Package yamldoc reads foreign YAML into nodes that know where they stand, at a bounded
// cost. Aliases and merge keys (<<) are followed when somebody looks, never expanded, and
// all looking at one document together has a budget, so that a bomb of aliases ends as
// an error wrapping ErrLimit.
package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"go.yaml.in/yaml/v3"

	"bulwark"
)

const (
	maxSize  = 1 << 20 // bytes
	maxNodes = 1 << 18 // by what may begin one
	maxDocs  = 32
	maxLooks = 1 << 20 // nodes that are looked at
	maxChain = 16      // merge keys in merge keys
)

// Doc is one document of a stream.
type Doc struct {
	Root Node
	left int
	// Exhausted is true when looking at the document has cost too much, so that not all
	// of it was seen.
	Exhausted bool
}

// Node is a place in a document. The zero Node is what is not there; it can be asked
// like any other.
type Node struct {
	n   *yaml.Node
	doc *Doc
	// at is where the node stands, should that be an alias.
	at *yaml.Node
}

// Parse reads all documents of a stream; empty ones are left out. The error wraps
// ErrMalformed or ErrLimit; documents before the one with the error are given.
func Parse(data []byte) ([]*Doc, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("YAML of %d bytes, at most %d are read: %w", len(data), maxSize, bulwark.ErrLimit)
	}
	if n := begins(data); n > maxNodes {
		return nil, fmt.Errorf("YAML of about %d values, at most %d are read: %w", n, maxNodes, bulwark.ErrLimit)
	}
	var docs []*Doc
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for range maxDocs {
		root := &yaml.Node{}
		err := dec.Decode(root)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
		}
		if len(root.Content) == 1 {
			d := &Doc{left: maxLooks}
			d.Root = d.node(root.Content[0])
			docs = append(docs, d)
		}
	}
	return docs, fmt.Errorf("more than %d documents: %w", maxDocs, bulwark.ErrLimit)
}

// begins counts the bytes that may begin or separate values.
func begins(data []byte) int {
	n := 0
	for _, c := range data {
		switch c {
		case '\n', '\r', ',', '[', '{', ':', '-', '?':
			n++
		}
	}
	return n
}

// node follows an alias. Aliases never lead to aliases.
func (d *Doc) node(n *yaml.Node) Node {
	if d.left--; d.left < 0 {
		d.Exhausted = true
		return Node{}
	}
	to := n
	if n.Kind == yaml.AliasNode {
		to = n.Alias
	}
	return Node{to, d, n}
}

// Exists tells whether there is such a node.
func (n Node) Exists() bool { return n.n != nil }

// Line is where the node stands, from 1; 0 for what is not there. What an alias names
// stands where it is written.
func (n Node) Line() int {
	if n.n == nil {
		return 0
	}
	return n.n.Line
}

// Column is where in its line the node stands, from 1.
func (n Node) Column() int {
	if n.n == nil {
		return 0
	}
	return n.n.Column
}

// Aliased tells whether an alias led here.
func (n Node) Aliased() bool { return n.n != n.at }

// Comment is the comment that ends the node's line, with its mark.
func (n Node) Comment() string {
	if n.at == nil {
		return ""
	}
	return n.at.LineComment
}

// IsMap tells whether it is a mapping.
func (n Node) IsMap() bool { return n.n != nil && n.n.Kind == yaml.MappingNode }

// IsList tells whether it is a sequence.
func (n Node) IsList() bool { return n.n != nil && n.n.Kind == yaml.SequenceNode }

// IsFlow tells whether it is written in brackets or braces.
func (n Node) IsFlow() bool { return n.n != nil && n.n.Style&yaml.FlowStyle != 0 }

// IsScalar tells whether it is a single value other than null.
func (n Node) IsScalar() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.Tag != "!!null"
}

// IsNull tells whether it is an empty value.
func (n Node) IsNull() bool { return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.Tag == "!!null" }

// IsPlain tells whether it is a scalar on one line; quote is what it is quoted with,
// 0 for nothing.
func (n Node) IsPlain() (quote byte, ok bool) {
	if !n.IsScalar() {
		return 0, false
	}
	switch n.n.Style {
	case 0:
		return 0, true
	case yaml.DoubleQuotedStyle:
		return '"', true
	case yaml.SingleQuotedStyle:
		return '\'', true
	}
	return 0, false
}

// IsBlock tells whether it is a text of several lines (| or >): it then begins on the
// line after its own.
func (n Node) IsBlock() bool {
	return n.n != nil && n.n.Kind == yaml.ScalarNode && n.n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// Tag is the node's tag as YAML resolves it: "!!str", "!!bool", "!reference".
func (n Node) Tag() string {
	if n.n == nil {
		return ""
	}
	return n.n.Tag
}

// Text is the value of a scalar; "" of anything else.
func (n Node) Text() string {
	if !n.IsScalar() {
		return ""
	}
	return n.n.Value
}

// True tells whether it is a scalar that says yes.
func (n Node) True() bool {
	switch n.Text() {
	case "true", "True", "TRUE", "yes", "Yes", "on", "On":
		return true
	}
	return false
}

// Items gives the elements of a sequence.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if !n.IsList() {
			return
		}
		for _, c := range n.n.Content {
			if item := n.doc.node(c); !item.Exists() || !yield(item) {
				return
			}
		}
	}
}

// Pairs gives keys and values of a mapping: its own, then those that merge keys bring.
func (n Node) Pairs() iter.Seq2[Node, Node] {
	return func(yield func(Node, Node) bool) { n.pairs(maxChain, yield) }
}

func (n Node) pairs(chain int, yield func(Node, Node) bool) bool {
	if !n.IsMap() || chain == 0 {
		return true
	}
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		if isMerge(n.n.Content[i]) {
			continue
		}
		key, value := n.doc.node(n.n.Content[i]), n.doc.node(n.n.Content[i+1])
		if !value.Exists() || !yield(key, value) {
			return false
		}
	}
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		if isMerge(n.n.Content[i]) && !n.merged(n.n.Content[i+1], chain, yield) {
			return false
		}
	}
	return true
}

// merged gives the pairs of what a merge key names: a mapping or a list of them.
func (n Node) merged(value *yaml.Node, chain int, yield func(Node, Node) bool) bool {
	m := n.doc.node(value)
	if !m.IsList() {
		return m.pairs(chain-1, yield)
	}
	for item := range m.Items() {
		if !item.pairs(chain-1, yield) {
			return false
		}
	}
	return true
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Tag == "!!merge" || key.Tag == "")
}

// Find gives key and value of the first pair with that key; a merge key never
// overrides what stands beside it.
func (n Node) Find(name string) (key, value Node) {
	for k, v := range n.Pairs() {
		if k.Text() == name {
			return k, v
		}
	}
	return Node{}, Node{}
}

// Get is the value of a key; keys lead from mapping to mapping.
func (n Node) Get(keys ...string) Node {
	for _, k := range keys {
		_, n = n.Find(k)
	}
	return n
}

// Texts are the scalars of a sequence, or the one that stands in its place.
func (n Node) Texts() []Node {
	if n.IsScalar() {
		return []Node{n}
	}
	var out []Node
	for item := range n.Items() {
		if item.IsScalar() {
			out = append(out, item)
		}
	}
	return out
}
