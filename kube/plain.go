package kube

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// plainYAML reads the YAML that nearly all manifests are written in many times faster than a
// reader of the whole language: blocks of keys and dashes, values on one line, literal texts.
// Of anything else, and of whatever looks wrong, it says that it cannot (ok is false), and
// the document is read by the other one; what it reads it reads as that one does.
func plainYAML(data []byte, line int) (root *Node, problems []Problem, ok bool) {
	p := plainReader{text: string(data), next: int32(line), names: map[string]string{}}
	if !p.simple() || !p.advance() {
		return nil, nil, false
	}
	if strings.HasPrefix(p.text[p.cur:p.end], "---") && p.indent == 0 && strings.TrimRight(p.text[p.cur+3:p.end], " ") == "" && !p.advance() {
		return nil, nil, false
	}
	root = p.block(0)
	return root, p.problems, !p.failed && p.done
}

// plainReader stands at a line of the text that has content.
type plainReader struct {
	text  string
	ascii bool
	at    int   // where the line after the current one begins
	next  int32 // its number

	no       int32 // of the current line
	start    int   // where it begins
	cur, end int   // its content, or what is left of it
	indent   int
	done     bool // there are no more lines
	failed   bool // this is more than is understood here

	count    int
	names    map[string]string
	slab     []Node
	problems []Problem
	// fields and items are those of the maps and lists around the current line: they get as
	// much room as they need when they are complete.
	fields []Field
	items  []*Node
}

// simple tells whether the text has no bytes with a meaning that is not known here.
func (p *plainReader) simple() bool {
	p.ascii = true
	for i := 0; i < len(p.text); i++ {
		c := p.text[i]
		if c < ' ' && c != '\n' || c == 0x7f {
			return false
		}
		if c >= utf8.RuneSelf {
			p.ascii = false
		}
	}
	if p.ascii {
		return true
	}
	if !utf8.ValidString(p.text) {
		return false
	}
	for _, r := range p.text {
		if r >= utf8.RuneSelf && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func (p *plainReader) fail() *Node {
	p.failed, p.done = true, true
	return nil
}

// advance goes to the next line with content.
func (p *plainReader) advance() bool {
	for !p.failed && p.at < len(p.text) {
		p.start, p.no = p.at, p.next
		p.end = len(p.text)
		if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
			p.end = p.at + i
		}
		p.at, p.next = p.end+1, p.next+1
		p.cur = p.start
		for p.cur < p.end && p.text[p.cur] == ' ' {
			p.cur++
		}
		p.indent = p.cur - p.start
		if p.cur == p.end || p.text[p.cur] == '#' {
			continue
		}
		if p.indent == 0 && strings.HasPrefix(p.text[p.cur:p.end], "...") || p.text[p.cur] == '%' {
			p.fail()
			return false
		}
		return true
	}
	p.done = true
	return false
}

// node makes a node that begins at a byte of the current line.
func (p *plainReader) node(form Form, at int) *Node {
	if p.count++; p.count > maxNodes {
		return p.failNode()
	}
	if len(p.slab) == 0 {
		p.slab = make([]Node, min(64, max(8, p.count))) // small documents come by the ten thousand
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	column := at - p.start
	if !p.ascii {
		column = utf8.RuneCountInString(p.text[p.start:at])
	}
	*n = Node{form: form, line: p.no, column: int32(column) + 1}
	return n
}

func (p *plainReader) failNode() *Node {
	p.fail()
	return &Node{}
}

// dash tells whether an element of a list begins at a byte of the current line.
func (p *plainReader) dash(at int) bool {
	return p.text[at] == '-' && (at+1 == p.end || p.text[at+1] == ' ')
}

// blank tells whether nothing but a comment follows, behind a space.
func (p *plainReader) blank(at int) bool {
	i := at
	for i < p.end && p.text[i] == ' ' {
		i++
	}
	return i == p.end || p.text[i] == '#' && i > at
}

func (p *plainReader) spaces(at int) int {
	for at < p.end && p.text[at] == ' ' {
		at++
	}
	return at
}

// block reads the map or list that begins at the current line.
func (p *plainReader) block(depth int) *Node {
	if depth > maxDepth {
		return p.fail()
	}
	if p.dash(p.cur) {
		return p.list(p.indent, depth)
	}
	return p.mapping(p.indent, depth)
}

func (p *plainReader) mapping(indent, depth int) *Node {
	n, first := p.node(Map, p.cur), len(p.fields)
	for {
		name, rest, ok := p.key(p.cur)
		if !ok || name == "<<" || depth > maxDepth {
			return p.fail()
		}
		line := p.no
		v := p.value(rest, indent, depth, true)
		if p.failed {
			return nil
		}
		if given(p.fields[first:], name) {
			p.problems = append(p.problems, givenTwice(name, line))
		}
		if p.fields = append(p.fields, Field{name, line, v}); len(p.fields)-first >= 256 {
			return p.fail()
		}
		if p.done || p.indent < indent {
			n.mapping(slices.Clone(p.fields[first:]))
			p.fields = p.fields[:first]
			return n
		}
		if p.indent > indent || p.dash(p.cur) {
			return p.fail()
		}
	}
}

func givenTwice(name string, line int32) Problem {
	return Problem{Path: name, Line: int(line), Text: fmt.Sprintf("the key %q is given twice; the last one counts", name)}
}

// key reads a key at a byte of the current line; rest is what follows its colon.
func (p *plainReader) key(at int) (name string, rest int, ok bool) {
	var colon int
	switch c := p.text[at]; c {
	case '"', '\'':
		text, end, good := p.quoted(at)
		if !good || end >= p.end || p.text[end] != ':' {
			return "", 0, false
		}
		name, colon = text, end
	default:
		if strings.IndexByte("-?:,[]{}#&*!|>%@`", c) >= 0 {
			return "", 0, false
		}
		for colon = at; ; colon++ {
			i := strings.IndexByte(p.text[colon:p.end], ':')
			if i < 0 {
				return "", 0, false
			}
			if colon += i; colon+1 == p.end || p.text[colon+1] == ' ' {
				break
			}
		}
		name = p.text[at:colon]
		if name[len(name)-1] == ' ' || strings.Contains(name, " #") {
			return "", 0, false
		}
	}
	if colon-at > 900 || colon+1 < p.end && p.text[colon+1] != ' ' {
		return "", 0, false
	}
	return p.name(name), colon + 1, true
}

// name keeps names of fields, which repeat, once.
func (p *plainReader) name(s string) string {
	if kept, ok := p.names[s]; ok {
		return kept
	}
	if len(p.names) < 4096 {
		p.names[s] = s
	}
	return s
}

// value reads what follows a colon or a dash, on the line or below it, and goes to the line
// after it. Indent is that of the map or list around it.
func (p *plainReader) value(at, indent, depth int, inMap bool) *Node {
	if !p.blank(at) {
		return p.scalar(p.spaces(at), indent, depth)
	}
	null := p.node(Null, at)
	null.plain = true
	switch {
	case !p.advance() || p.indent < indent:
		return null
	case p.indent > indent:
		return p.block(depth + 1)
	case inMap && p.dash(p.cur):
		return p.list(indent, depth+1)
	}
	return null
}

func (p *plainReader) list(indent, depth int) *Node {
	n, first := p.node(List, p.cur), len(p.items)
	for {
		if depth > maxDepth {
			return p.fail()
		}
		item := p.item(indent, depth)
		if p.failed {
			return nil
		}
		p.items = append(p.items, item)
		if p.done || p.indent < indent || p.indent == indent && !p.dash(p.cur) {
			n.sequence(slices.Clone(p.items[first:]))
			p.items = p.items[:first]
			return n
		}
		if p.indent > indent {
			return p.fail()
		}
	}
}

func (p *plainReader) item(indent, depth int) *Node {
	at := p.cur + 1
	if p.blank(at) {
		return p.value(at, indent, depth, false)
	}
	at = p.spaces(at)
	if p.dash(at) {
		p.cur, p.indent = at, at-p.start
		return p.list(p.indent, depth+1)
	}
	if _, _, ok := p.key(at); ok {
		p.cur, p.indent = at, at-p.start
		return p.mapping(p.indent, depth+1)
	}
	return p.scalar(at, indent, depth)
}

// scalar reads a value on the current line, or a literal text below it.
func (p *plainReader) scalar(at, indent, depth int) *Node {
	var n *Node
	switch c := p.text[at]; c {
	case '"', '\'':
		text, end, ok := p.quoted(at)
		if !ok || !p.blank(end) {
			return p.fail()
		}
		n = p.node(String, at)
		n.scalar(String, text)
	case '|':
		return p.literal(at, indent)
	case '[', '{':
		var end int
		if n, end = p.flow(at, depth+1); p.failed || !p.blank(end) {
			return p.fail()
		}
	default:
		if strings.IndexByte("?:,]}#&*!>%@`", c) >= 0 || p.dash(at) {
			return p.fail()
		}
		text := p.text[at:p.end]
		if i := strings.Index(text, " #"); i >= 0 {
			text = text[:i]
		}
		if text = strings.TrimRight(text, " "); strings.Contains(text, ": ") || text[len(text)-1] == ':' {
			return p.fail()
		}
		n = p.plain(text, at)
	}
	if p.advance() && p.indent > indent {
		return p.fail() // the text goes on
	}
	return n
}

// plain makes a node of a text without quotes.
func (p *plainReader) plain(text string, at int) *Node {
	n := p.node(String, at)
	n.scalar(String, text)
	n.plain = true
	switch c := text[0]; {
	case strings.IndexByte("yYnNtTfFoO", c) >= 0:
		if len(text) > 5 {
			return n
		}
	case strings.IndexByte("+-.~<0123456789", c) < 0:
		return n
	}
	n.form = formOf(&yaml.Node{Kind: yaml.ScalarNode, Value: text})
	return n
}

// quoted reads a text in quotes that ends on the current line; end is behind them.
func (p *plainReader) quoted(at int) (text string, end int, ok bool) {
	quote := p.text[at]
	simple := true
	for end = at + 1; end < p.end; end++ {
		switch c := p.text[end]; {
		case c == '\\' && quote == '"':
			simple = false
			end++
		case c == quote && quote == '\'' && end+1 < p.end && p.text[end+1] == quote:
			simple = false
			end++
		case c == quote:
			text = p.text[at+1 : end]
			if !simple {
				text, ok = unescape(text, quote)
				return text, end + 1, ok
			}
			return text, end + 1, true
		}
	}
	return "", 0, false
}

func unescape(s string, quote byte) (string, bool) {
	if quote == '\'' {
		return strings.ReplaceAll(s, "''", "'"), true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++
			switch s[i] {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			case '"', '\\', '/':
				c = s[i]
			default:
				return "", false
			}
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// literal reads a text below a bar, and goes to the line after it.
func (p *plainReader) literal(at, indent int) *Node {
	n := p.node(String, at)
	header := p.text[at+1 : p.end]
	if i := strings.Index(header, " #"); i >= 0 {
		header = header[:i]
	}
	header = strings.TrimRight(header, " ")
	if header != "" && header != "-" && header != "+" {
		return p.fail()
	}
	var b strings.Builder
	depth, blank := -1, 0 // how far the text is indented; empty lines that are held back
	for p.at < len(p.text) {
		end := strings.IndexByte(p.text[p.at:], '\n')
		if end < 0 {
			return p.fail() // a text without a last line break
		}
		line := p.text[p.at : p.at+end]
		lead := len(line) - len(strings.TrimLeft(line, " "))
		if lead == len(line) && (depth < 0 || lead <= depth) {
			if depth < 0 && lead > 0 {
				return p.fail()
			}
			blank++
		} else {
			if depth < 0 && lead > indent {
				depth = lead
			}
			if depth < 0 || lead < depth {
				break
			}
			for ; blank > 0; blank-- {
				b.WriteByte('\n')
			}
			b.WriteString(line[depth:])
			b.WriteByte('\n')
		}
		p.at += end + 1
		p.next++
	}
	if depth < 0 {
		return p.fail()
	}
	text := b.String()
	switch header {
	case "-":
		text = strings.TrimSuffix(text, "\n")
	case "+":
		text += strings.Repeat("\n", blank)
	}
	n.scalar(String, text)
	if p.advance() && p.indent > indent {
		return p.fail()
	}
	return n
}

// flow reads a list or map in brackets that ends on the current line.
func (p *plainReader) flow(at, depth int) (n *Node, end int) {
	closes, form := byte(']'), List
	if p.text[at] == '{' {
		closes, form = '}', Map
	}
	n = p.node(form, at)
	var fields []Field
	var items []*Node
	if at = p.spaces(at + 1); at < p.end && p.text[at] == closes {
		return n, at + 1
	}
	for !p.failed && depth < 50 {
		name, line := "", p.no
		if form == Map {
			if name, at = p.flowKey(at); p.failed {
				break
			}
		}
		v, after := p.flowValue(at, depth)
		if p.failed {
			break
		}
		if form == Map {
			if given(fields, name) || len(fields) > 200 {
				break
			}
			fields = append(fields, Field{name, line, v})
		} else {
			items = append(items, v)
		}
		if at = p.spaces(after); at == p.end {
			break
		}
		if p.text[at] == closes {
			if form == Map {
				n.mapping(slices.Clip(fields))
			} else {
				n.sequence(slices.Clip(items))
			}
			return n, at + 1
		}
		if p.text[at] != ',' {
			break
		}
		if at = p.spaces(at + 1); at == p.end {
			break
		}
	}
	return p.fail(), 0
}

func (p *plainReader) flowKey(at int) (string, int) {
	var name string
	end := at
	if at < p.end && p.text[at] == '"' {
		text, after, ok := p.quoted(at)
		if !ok {
			p.fail()
			return "", 0
		}
		name, end = text, after
	} else {
		for end < p.end && wordly(p.text[end]) {
			end++
		}
		name = p.text[at:end]
	}
	if end == at || name == "<<" || end+1 >= p.end || p.text[end] != ':' || p.text[end+1] != ' ' {
		p.fail()
		return "", 0
	}
	return p.name(name), p.spaces(end + 1)
}

// wordly tells whether a letter means nothing but itself anywhere in a text in brackets.
func wordly(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '/' || c == '-' || c == '*' || c == '(' || c == ')' || c == '='
}

func (p *plainReader) flowValue(at, depth int) (*Node, int) {
	if at >= p.end {
		return p.fail(), 0
	}
	switch p.text[at] {
	case '[', '{':
		return p.flow(at, depth+1)
	case '"', '\'':
		text, end, ok := p.quoted(at)
		if !ok {
			return p.fail(), 0
		}
		n := p.node(String, at)
		n.scalar(String, text)
		return n, end
	case '*', '-':
		return p.fail(), 0
	}
	end := at
	for end < p.end && (wordly(p.text[end]) || p.text[end] == ' ' && end+1 < p.end && wordly(p.text[end+1])) {
		end++
	}
	if end == at {
		return p.fail(), 0
	}
	if end < p.end && strings.IndexByte(",]} ", p.text[end]) < 0 {
		return p.fail(), 0
	}
	return p.plain(p.text[at:end], at), end
}
