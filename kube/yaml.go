package kube

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark"
)

const (
	maxDocument = 8 << 20 // bytes of one document
	maxNodes    = 1 << 18 // of one document, aliases followed once each
	maxDepth    = 200
)

// Document is one document of a file.
type Document struct {
	Root *Node // nil when Err says why it could not be read
	Line int   // where it begins
	// Problems are what is wrong with it though it can be read: keys that are given twice.
	Problems []Problem
	Err      error // wraps ErrMalformed or ErrLimit
	ErrLine  int   // where it was met; 0 when that is not known
}

// Problem is something that is wrong at one place of a document.
type Problem struct {
	Path string // of the field: "spec.containers[0].image"; may be empty
	Line int
	Text string
	// Meant is the name of the field that is meant where an unknown one is nearly called so.
	Meant string
}

// ParseYAML reads all documents of a stream of YAML or JSON. A document that cannot be
// read does not keep those around it from being read; empty ones are left out.
func ParseYAML(data []byte) []Document {
	var docs []Document
	for c := range Split(data) {
		if d, ok := c.Parse(); ok {
			docs = append(docs, d)
		}
	}
	return docs
}

// Parse reads the document; ok is false when there is none in it.
func (c *Chunk) Parse() (d Document, ok bool) {
	d = Document{Line: c.Line}
	if c.Err != nil {
		d.Err = c.Err
		return d, true
	}
	if c.Size > maxDocument {
		d.Err = fmt.Errorf("a document of %d MB, at most %d MB are read: %w", c.Size>>20, maxDocument>>20, bulwark.ErrLimit)
		return d, true
	}
	if blank(c.Text) {
		return d, false
	}
	if text, lines := undivided(c.Text); looksJSON(text) {
		if root, err := parseJSON(text, c.Line+lines); err == nil {
			d.Root = root
			return d, true
		}
	}
	text := c.Text
	if lean, ok := withoutSchemas(text); ok {
		text = lean
	}
	if root, problems, ok := plainYAML(text, c.Line); ok {
		d.Root, d.Problems = root, problems
		return d, d.Root.Exists()
	}
	return c.whole()
}

// undivided leaves out the line that divides a document from the one before it, when there is
// one and nothing else stands in it.
func undivided(text []byte) (rest []byte, lines int) {
	line, rest, ok := bytes.Cut(text, []byte("\n"))
	if !ok || string(bytes.TrimRight(line, " \r")) != "---" {
		return text, 0
	}
	return rest, 1
}

// whole reads the document as any YAML.
func (c *Chunk) whole() (d Document, ok bool) {
	d = Document{Line: c.Line}
	if n := begins(c.Text); n > maxNodes {
		d.Err = fmt.Errorf("a document of about %d values, at most %d are read: %w", n, maxNodes, bulwark.ErrLimit)
		return d, true
	}
	root, err := c.read()
	if err != nil {
		text, line := lineOf(err.Error())
		if line > 0 {
			d.ErrLine = c.Line + line - 1
		}
		d.Err = fmt.Errorf("%w: %s", bulwark.ErrMalformed, text)
		return d, true
	}
	if len(root.Content) != 1 {
		return d, false
	}
	r := reader{shift: int32(c.Line - 1), known: map[*yaml.Node]*Node{}}
	d.Root = r.node(root.Content[0], 0)
	d.Problems, d.Err = r.problems, r.err
	if d.Err != nil {
		d.Root = nil
	}
	return d, d.Err != nil || d.Root.Exists()
}

// read reads the text, that of a custom resource's definition without its schemas. One that
// cannot be read so is read whole, for the error.
func (c *Chunk) read() (root yaml.Node, err error) {
	if lean, ok := withoutSchemas(c.Text); ok && yaml.Unmarshal(lean, &root) == nil {
		return root, nil
	}
	root = yaml.Node{}
	return root, yaml.Unmarshal(c.Text, &root)
}

// lineOf takes the line out of the parser's message: "yaml: line 3: found ...".
func lineOf(text string) (rest string, line int) {
	text = strings.TrimPrefix(text, "yaml: ")
	if _, err := fmt.Sscanf(text, "line %d: ", &line); err != nil {
		return text, 0
	}
	_, rest, _ = strings.Cut(text, ": ")
	return rest, line
}

// blank tells whether there are comments and directives alone.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' && string(line) != "---" && string(line) != "..." {
			return false
		}
	}
	return true
}

// begins counts the bytes that may begin or separate values.
func begins(data []byte) int {
	n := 0
	for _, c := range data {
		switch c {
		case '\n', '\r', ',', '[', '{':
			n++
		}
	}
	return n
}

// reader makes nodes of the parser's. Each of those becomes one node, however many aliases
// lead to it: what a bomb repeats is shared.
type reader struct {
	shift    int32
	known    map[*yaml.Node]*Node // of anchored ones; nil while it is being made
	problems []Problem
	err      error
	count    int
}

func (r *reader) node(n *yaml.Node, depth int) *Node {
	if r.count++; r.err == nil && (r.count > maxNodes || depth > maxDepth) {
		r.err = fmt.Errorf("more than %d values, or nested deeper than %d: %w", maxNodes, maxDepth, bulwark.ErrLimit)
	}
	if r.err != nil {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return r.alias(n)
	}
	if n.Anchor != "" {
		r.known[n] = nil
	}
	out := &Node{line: int32(n.Line) + r.shift, column: int32(n.Column)}
	switch n.Kind {
	case yaml.MappingNode:
		out.mapping(r.fields(n, depth))
	case yaml.SequenceNode:
		items := make([]*Node, 0, len(n.Content))
		for _, c := range n.Content {
			items = append(items, r.node(c, depth+1))
		}
		out.sequence(items)
	default:
		out.scalar(formOf(n), n.Value)
		out.plain = n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	}
	if n.Anchor != "" {
		r.known[n] = out
	}
	return out
}

// alias is what an alias names. One that stands inside what it names has no end.
func (r *reader) alias(n *yaml.Node) *Node {
	to, ok := r.known[n.Alias]
	if ok && to == nil {
		r.err = fmt.Errorf("%w: line %d: the anchor %q contains itself", bulwark.ErrMalformed, int32(n.Line)+r.shift, n.Value)
	}
	return to
}

func (r *reader) fields(n *yaml.Node, depth int) []Field {
	list := make([]Field, 0, len(n.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], r.node(n.Content[i+1], depth+1)
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		line := int32(key.Line) + r.shift
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if len(n.Content) < 512 && given(list, key.Value) {
			r.problems = append(r.problems, givenTwice(key.Value, line))
		}
		list = append(list, Field{key.Value, line, value})
	}
	for _, m := range merged {
		list = r.merge(list, m)
	}
	return list
}

// given tells whether there is a field of a name.
func given(list []Field, name string) bool {
	for i := range list {
		if list[i].Name == name {
			return true
		}
	}
	return false
}

// merge takes over the fields of a merge key (<<) that are not given.
func (r *reader) merge(list []Field, from *Node) []Field {
	for _, item := range from.items() {
		if item.Form() == Map {
			list = r.merge(list, item)
		}
	}
	for _, f := range from.fields() {
		if r.count++; r.count > maxNodes {
			r.err = fmt.Errorf("more than %d values: %w", maxNodes, bulwark.ErrLimit)
			return list
		}
		if !given(list, f.Name) {
			list = append(list, f)
		}
	}
	return list
}

func formOf(n *yaml.Node) Form {
	switch n.ShortTag() {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int", "!!float":
		return Number
	}
	return String
}
