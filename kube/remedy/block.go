package remedy

import (
	"bytes"
	"encoding/json"
	"slices"

	"bulwark/kube"
)

// block is a map or list that is written on lines of its own.
type block struct {
	column  int // of keys or dashes, from 0
	entries []entry
}

// entry is one field or element. Those that a merge key brings are in none.
type entry struct {
	name  string
	value *kube.Node
	at    int // offset of the key or dash
	after int // behind the colon or dash
}

// block finds the keys of a map. It fails where they do not stand as they are read.
func (f *file) block(n *kube.Node) (*block, error) {
	b := &block{column: -1}
	fields := slices.Collect(n.Keys())
	for _, key := range fields {
		if key.Line < int32(n.Line()) {
			continue // brought by a merge key
		}
		if b.column < 0 {
			b.column = f.column(n, int(key.Line))
		}
		e := entry{name: key.Name, value: key.Value, at: f.offset(int(key.Line), b.column+1)}
		var ok bool
		if e.after, ok = f.colon(e.at, key.Name); !ok {
			return nil, unsure("line %d: the key %.40q is not where it should be", key.Line, key.Name)
		}
		if len(b.entries) > 0 && e.at <= b.entries[len(b.entries)-1].at {
			return nil, unsure("line %d: keys are not in order", key.Line)
		}
		b.entries = append(b.entries, e)
	}
	if len(b.entries) == 0 {
		return nil, unsure("line %d: an object without keys of its own", n.Line())
	}
	return b, nil
}

// column is that of the keys of a map whose first key is in a line.
func (f *file) column(n *kube.Node, line int) int {
	at := f.offset(n.Line(), n.Column())
	if c := f.byteAt(at); line == n.Line() && c != '&' && c != '!' {
		return n.Column() - 1
	}
	at = f.starts[line-1]
	from := at
	for at = f.blanks(at); f.byteAt(at) == '-' && f.byteAt(at+1) == ' '; {
		at = f.blanks(at + 1)
	}
	return at - from
}

// colon is the offset behind the colon of a key that begins at an offset.
func (f *file) colon(at int, name string) (int, bool) {
	if at < 0 || at >= len(f.data) {
		return 0, false
	}
	switch c := f.data[at]; c {
	case '"', '\'':
		end, err := f.quoted(at)
		if err != nil || !quotes(f.data[at:end], name) {
			return 0, false
		}
		at = end
	default:
		if !bytes.HasPrefix(f.data[at:], []byte(name)) {
			return 0, false
		}
		at += len(name)
	}
	at = f.blanks(at)
	next := f.byteAt(at + 1)
	return at + 1, f.byteAt(at) == ':' && (next == ' ' || next == '\t' || next == '\r' || next == '\n' || next == 0)
}

// quotes tells whether a text in quotes is a name that needs no escapes in it, or is JSON for it.
func quotes(text []byte, name string) bool {
	if string(text[1:len(text)-1]) == name {
		return true
	}
	var s string
	return json.Unmarshal(text, &s) == nil && s == name
}

// dashes finds the elements of a list.
func (f *file) dashes(n *kube.Node) (*block, error) {
	at := f.begin(n)
	if at < 0 || f.byteAt(at) != '-' {
		return nil, unsure("line %d: a list is not where it should be", n.Line())
	}
	first := f.lineOf(at)
	b := &block{column: at - f.starts[first]}
	for i := first; i < f.count() && len(b.entries) < n.Len(); i++ {
		if i > first {
			indent := f.indent(i)
			if indent >= 0 && indent < b.column {
				break
			}
			at = f.starts[i] + b.column
			if indent != b.column || f.byteAt(at) != '-' {
				continue
			}
		}
		if c := f.byteAt(at + 1); c != ' ' && c != '\r' && c != '\n' && c != 0 {
			return nil, unsure("line %d: an element is not where it should be", i+1)
		}
		b.entries = append(b.entries, entry{value: n.Item(len(b.entries)), at: at, after: at + 1})
	}
	if len(b.entries) != n.Len() || n.Len() == 0 {
		return nil, unsure("line %d: a list whose elements cannot be told apart", n.Line())
	}
	return b, nil
}
