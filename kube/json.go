package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"bulwark"
)

// ParseJSON reads one JSON value. The error wraps ErrMalformed or ErrLimit.
func ParseJSON(data []byte) (*Node, error) { return parseJSON(data, 1) }

// looksJSON tells whether a document is worth trying as JSON, which is read many times
// faster than YAML.
func looksJSON(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

func parseJSON(data []byte, line int) (*Node, error) {
	p := jsonReader{data: data, line: int32(line), names: map[string]string{}}
	return p.document()
}

// Parser reads many JSON values that are alike, as the objects of a cluster are: what repeats
// in them is kept once, and equal values share their nodes, which say nothing of columns
// then. The zero value works; it is used by one goroutine at a time.
type Parser struct {
	names   map[string]string
	scalars map[string]*Node
	known   alike
	slab    []Node // is left of the one that the last value took nodes from
	fields  []Field
	items   []*Node
}

// Parse reads one JSON value, as [ParseJSON] does.
func (p *Parser) Parse(data []byte) (*Node, error) {
	if p.names == nil {
		p.names, p.scalars = map[string]string{}, map[string]*Node{}
	}
	r := jsonReader{data: data, line: 1, names: p.names, scalars: p.scalars, known: &p.known, slab: p.slab, fields: p.fields[:0], items: p.items[:0]}
	n, err := r.document()
	p.slab, p.fields, p.items = r.slab, r.fields, r.items
	return n, err
}

func (p *jsonReader) document() (*Node, error) {
	n := p.value(0)
	p.space()
	if p.err == nil && p.at < len(p.data) {
		p.fail("text after the value")
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

// jsonReader reads JSON into nodes that know their lines, which encoding/json's do not.
type jsonReader struct {
	data  []byte
	at    int
	line  int32
	begun int // where the line begins
	count int
	names map[string]string // names of fields, which repeat, are kept once
	// scalars are short ones as they are written, and known longer values; nil: they are not kept.
	scalars map[string]*Node
	known   *alike
	slab    []Node
	// fields and items are those of the maps and lists around the value that is read: they
	// get as much room as they need when they are complete.
	fields []Field
	items  []*Node
	err    error
}

func (p *jsonReader) fail(text string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: line %d: %s", bulwark.ErrMalformed, p.line, text)
	}
}

func (p *jsonReader) space() {
	for ; p.at < len(p.data); p.at++ {
		switch p.data[p.at] {
		case '\n':
			p.line++
			p.begun = p.at + 1
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// next is the next byte that is no space; 0 at the end.
func (p *jsonReader) next() byte {
	p.space()
	if p.at == len(p.data) {
		return 0
	}
	return p.data[p.at]
}

// node is one for what begins at that place of the line.
func (p *jsonReader) node(form Form, at int) *Node {
	if len(p.slab) == 0 {
		size := 64
		if p.known == nil {
			size = min(size, 4+(len(p.data)-p.at)/20) // a small value needs few
		}
		p.slab = make([]Node, size)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	*n = Node{form: form, line: p.line, column: int32(at-p.begun) + 1}
	return n
}

func (p *jsonReader) value(depth int) *Node {
	c := p.next()
	if p.count++; p.count > maxNodes || depth > maxDepth {
		p.err = fmt.Errorf("more than %d values, or nested deeper than %d: %w", maxNodes, maxDepth, bulwark.ErrLimit)
	}
	if p.err != nil {
		return nil
	}
	switch c {
	case '{', '[':
		if p.known != nil {
			return p.shared(depth)
		}
		return p.collection(depth)
	}
	return p.scalar(c == '"')
}

// scalar is the node of a text in quotes, or of a value without them.
func (p *jsonReader) scalar(quoted bool) *Node {
	at, raw := p.at, []byte(nil)
	if quoted {
		raw = p.raw()
	} else {
		raw = p.bare()
	}
	share := p.scalars != nil && p.line == 1 && len(raw) <= longestRepeated
	if share {
		if n, ok := p.scalars[string(raw)]; ok {
			return n
		}
	}
	n := p.node(Null, at)
	if quoted {
		n.scalar(String, p.unquote(raw))
	} else {
		p.word(n, raw)
	}
	if share && p.err == nil {
		if len(p.scalars) >= mostRepeated { // what repeats stands close together
			clear(p.scalars)
		}
		p.scalars[string(raw)] = n
	}
	return n
}

func (p *jsonReader) collection(depth int) *Node {
	if p.data[p.at] == '{' {
		return p.object(depth)
	}
	return p.list(depth)
}

func (p *jsonReader) object(depth int) *Node {
	n := p.node(Map, p.at)
	p.at++
	if p.next() == '}' {
		p.at++
		return n
	}
	first := len(p.fields)
	for p.err == nil {
		if p.next() != '"' {
			p.fail("a name in quotes is missing")
			break
		}
		line := p.line
		name := p.name()
		if p.next() != ':' {
			p.fail("a colon is missing")
			break
		}
		p.at++
		v := p.value(depth + 1)
		p.fields = append(p.fields, Field{name, line, v})
		if p.ends('}') {
			break
		}
	}
	n.mapping(append(make([]Field, 0, len(p.fields)-first), p.fields[first:]...))
	p.fields = p.fields[:first]
	return n
}

func (p *jsonReader) list(depth int) *Node {
	n := p.node(List, p.at)
	p.at++
	if p.next() == ']' {
		p.at++
		return n
	}
	first := len(p.items)
	for p.err == nil {
		v := p.value(depth + 1)
		p.items = append(p.items, v)
		if p.ends(']') {
			break
		}
	}
	n.sequence(append(make([]*Node, 0, len(p.items)-first), p.items[first:]...))
	p.items = p.items[:first]
	return n
}

// ends reads what stands behind an element: true for the bracket that closes.
func (p *jsonReader) ends(bracket byte) bool {
	switch p.next() {
	case bracket:
		p.at++
		return true
	case ',':
		p.at++
	default:
		p.fail("a comma or " + string(bracket) + " is missing")
	}
	return false
}

// name is a text that is likely to come again.
func (p *jsonReader) name() string {
	raw := p.raw()
	if s, ok := p.names[string(raw)]; ok {
		return s
	}
	s := p.unquote(raw)
	if p.err == nil && len(p.names) < 4096 {
		p.names[string(raw)] = s
	}
	return s
}

// Of scalars that are likely to come again.
const (
	longestRepeated = 24 // bytes
	mostRepeated    = 16384
)

// raw is a text with its quotes.
func (p *jsonReader) raw() []byte {
	start := p.at
	for p.at++; p.at < len(p.data); p.at++ {
		switch c := p.data[p.at]; {
		case c == '\\':
			p.at++
		case c == '"':
			p.at++
			return p.data[start:p.at]
		case c < ' ':
			p.fail("a text does not end, or has a control character")
			return nil
		}
	}
	p.at = len(p.data)
	p.fail("a text does not end")
	return nil
}

func (p *jsonReader) unquote(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		p.fail(err.Error())
	}
	return s
}

// bare is a value without quotes.
func (p *jsonReader) bare() []byte {
	start := p.at
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n,]}:\"", p.data[p.at]) < 0 {
		p.at++
	}
	return p.data[start:p.at]
}

// word gives a node what a value without quotes is.
func (p *jsonReader) word(n *Node, text []byte) {
	switch string(text) {
	case "true":
		n.scalar(Bool, "true")
	case "false":
		n.scalar(Bool, "false")
	case "null":
	default:
		n.scalar(Number, string(text))
		var f json.Number
		if err := json.Unmarshal(text, &f); err != nil || f == "" {
			p.fail(fmt.Sprintf("%.20q is no value", text))
		}
	}
}
