package lockfile

import (
	"bytes"
	"errors"

	"bulwark/extract/internal/lang"
)

// yamlScanner gives the nodes of a YAML document one after the other. It knows block
// mappings and lists, with texts and flow collections as values, and judges them by their
// structure: indentation fits, quotes and brackets are closed.
//
// A YAML parser would not do: it compares every key of a mapping with every other, which
// takes minutes for a file of some megabytes.
type yamlScanner struct {
	b      []byte
	pos    int
	from   int         // where the node starts
	line   int         // of from
	levels []yamlLevel // the document, and what is open in it
}

func newYAML(content []byte) *yamlScanner {
	return &yamlScanner{b: bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), line: 1, levels: []yamlLevel{{indent: -1}}}
}

// yamlLevel is an open mapping or list.
type yamlLevel struct {
	indent int
	list   bool
	last   yamlKind // of its last value
}

// yamlKind is how a value is written.
type yamlKind byte

const (
	yamlNone   yamlKind = iota // null, or on the lines below
	yamlPlain                  // a text that may go on below
	yamlQuoted                 // a text that has ended
	yamlFlow                   // a list or table in brackets
	yamlBlock                  // lines below, of any content
	yamlDone                   // on the lines below, which have been met
)

// yamlNode is a member of a mapping, an element of a list or a lone text.
type yamlNode struct {
	depth int  // 1 in the document's own mapping or list, 2 in what that holds
	item  bool // it starts an element of a list, whose depth it has
	key   string
	value string // unquoted when it is a text, else as it is written
	kind  yamlKind
}

// empty tells whether the value is nothing, or is on the lines below.
func (n *yamlNode) empty() bool {
	return n.kind == yamlNone || n.kind == yamlPlain && (n.value == "~" || n.value == "null") ||
		n.kind == yamlFlow && (n.value == "{}" || n.value == "[]")
}

// next gives the next node, nil behind the last.
func (y *yamlScanner) next() (*yamlNode, error) {
	for y.pos < len(y.b) {
		y.line += bytes.Count(y.b[y.from:y.pos], []byte("\n"))
		y.from = y.pos
		if n, err := y.node(); n != nil || err != nil {
			return n, y.malformed(err)
		}
	}
	return nil, nil
}

// malformed adds to an error the line of the node.
func (y *yamlScanner) malformed(err error) error {
	if err == nil {
		return nil
	}
	return lang.Malformed("line %d: %w", y.line, err)
}

// node reads a line, and those that its value goes on over; nil when no node starts there.
func (y *yamlScanner) node() (*yamlNode, error) {
	line := y.rest()
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	text = bytes.TrimRight(text, " \t\r")
	switch {
	case len(bytes.TrimLeft(text, "\t")) == 0, text[0] == '#', indent == 0 && text[0] == '%':
		y.skipLine()
		return nil, nil
	case indent == 0 && (string(text) == "---" || string(text) == "..."):
		y.levels = append(y.levels[:0], yamlLevel{indent: -1})
		y.skipLine()
		return nil, nil
	case indent > y.top().indent && (y.top().last == yamlBlock || y.top().last == yamlPlain):
		return nil, y.more(text)
	case text[0] == '\t':
		return nil, errors.New("a tab indents")
	}
	y.pos += indent
	n := &yamlNode{}
	for y.mark('-') {
		if err := y.enter(indent, true); err != nil {
			return nil, err
		}
		if !n.item {
			n.item, n.depth = true, len(y.levels)-1
		}
		if y.top().last, indent = yamlNone, y.inner(indent); y.atEnd() {
			y.skipLine()
			return n, nil
		}
	}
	return n, y.member(n, indent)
}

func (y *yamlScanner) top() *yamlLevel { return &y.levels[len(y.levels)-1] }

// rest is what is left of the line.
func (y *yamlScanner) rest() []byte {
	line, _, _ := bytes.Cut(y.b[y.pos:], []byte("\n"))
	return line
}

func (y *yamlScanner) skipLine() { y.pos = min(y.pos+len(y.rest())+1, len(y.b)) }

// mark tells whether such an indicator stands here.
func (y *yamlScanner) mark(c byte) bool {
	return y.pos < len(y.b) && y.b[y.pos] == c && (y.pos+1 == len(y.b) || space(y.b[y.pos+1]))
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// inner passes over an indicator and the blanks behind it, and gives what they indent to.
func (y *yamlScanner) inner(indent int) int {
	rest := y.rest()[1:]
	n := 1 + len(rest) - len(bytes.TrimLeft(rest, " \t"))
	y.pos += n
	return indent + n
}

// atEnd tells whether nothing but blanks and a comment is left of the line.
func (y *yamlScanner) atEnd() bool {
	rest := bytes.TrimLeft(y.rest(), " \t\r")
	return len(rest) == 0 || rest[0] == '#'
}

// more takes a line of a value that goes on.
func (y *yamlScanner) more(text []byte) error {
	if y.skipLine(); y.top().last == yamlPlain && keyEnd(text) >= 0 {
		return errors.New("a key inside a text")
	}
	return nil
}

// leave goes back to what holds nodes of that indentation, or less than it.
func (y *yamlScanner) leave(indent int) {
	for y.top().indent > indent {
		y.levels = y.levels[:len(y.levels)-1]
	}
}

// enter goes to the mapping or list of that indentation, maybe a new one.
func (y *yamlScanner) enter(indent int, list bool) error {
	y.leave(indent)
	if y.top().indent == indent && y.top().list && !list { // a list may stand as far left as its key
		y.levels = y.levels[:len(y.levels)-1]
	}
	if y.top().indent == indent && y.top().list == list {
		return nil
	}
	switch {
	case y.top().last != yamlNone:
		return errors.New("the indentation fits nothing")
	case len(y.levels) > maxNesting:
		return errors.New("nested too deep")
	}
	y.top().last = yamlDone
	y.levels = append(y.levels, yamlLevel{indent: indent, list: list})
	return nil
}

// member reads "key: value", or the text that stands alone.
func (y *yamlScanner) member(n *yamlNode, indent int) error {
	if y.mark(':') { // the value of a key behind "?"
		y.leave(indent)
		if y.top().indent != indent || y.top().last != yamlNone {
			return errors.New("a value without a key")
		}
		if indent = y.inner(indent); y.atEnd() {
			y.skipLine()
			n.depth = len(y.levels)
			return nil
		}
		return y.member(n, indent)
	}
	key, asked := y.key()
	if key == "" {
		if !n.item {
			y.leave(indent - 1)
			n.depth = len(y.levels)
		}
		if y.top().last != yamlNone {
			return errors.New("neither a key nor an element")
		}
		return y.value(n)
	}
	if err := y.enter(indent, false); err != nil {
		return err
	}
	if n.key = key; !n.item {
		n.depth = len(y.levels) - 1
	}
	if y.top().last = yamlNone; asked {
		return nil
	}
	return y.value(n)
}

// key reads the key of the line, when it has one, and passes over it. A long key stands
// behind a question mark, its value on the next line.
func (y *yamlScanner) key() (key string, asked bool) {
	if y.mark('?') {
		y.inner(0)
		key := bytes.TrimSpace(y.rest())
		if len(key) > 0 && (key[0] == '"' || key[0] == '\'') && quoteEnd(key) != len(key) {
			return "", false
		}
		y.skipLine()
		return unquoteYAML(key), true
	}
	rest := y.rest()
	end := -1
	switch c := rest[0]; c {
	case '"', '\'':
		if end = quoteEnd(rest); end < 0 || end < len(rest) && rest[end] != ':' || keyEnd(rest[end:]) != 0 {
			return "", false
		}
	case '{', '[', '|', '>':
		return "", false
	default:
		if end = keyEnd(rest); end < 0 {
			return "", false
		}
	}
	y.pos += end + 1
	return unquoteYAML(bytes.TrimSpace(rest[:end])), false
}

// value reads the value that stands on the line and passes over it.
func (y *yamlScanner) value(n *yamlNode) (err error) {
	y.pos += len(y.rest()) - len(bytes.TrimLeft(y.rest(), " \t"))
	start := y.pos
	rest := y.rest()
	switch {
	case y.atEnd():
	case rest[0] == '"' || rest[0] == '\'':
		n.kind = yamlQuoted
		end := quoteEnd(y.b[start:])
		if end < 0 {
			return errors.New("a text does not end")
		}
		y.pos += end
		n.value = unquoteYAML(y.b[start:y.pos])
	case rest[0] == '{' || rest[0] == '[':
		n.kind = yamlFlow
		end := flowEnd(y.b[start:])
		if end < 0 {
			return errors.New("a list or table does not end")
		}
		y.pos += end
		n.value = string(y.b[start:y.pos])
	case rest[0] == '|' || rest[0] == '>':
		n.kind = yamlBlock
		y.pos += len(rest)
	case rest[0] == '&' || rest[0] == '!': // marks what is on the lines below
		if bytes.ContainsRune(bytes.TrimSpace(rest), ' ') {
			return errors.New("a mark before a text")
		}
		y.pos += len(rest)
	default:
		rest, _, _ = bytes.Cut(rest, []byte(" #"))
		if n.kind = yamlPlain; keyEnd(rest) >= 0 {
			return errors.New("a key inside a text")
		}
		n.value = string(bytes.TrimSpace(rest))
		y.pos += len(y.rest())
	}
	if !y.atEnd() {
		return errors.New("more on the line than belongs there")
	}
	y.top().last = n.kind
	y.skipLine()
	return nil
}
