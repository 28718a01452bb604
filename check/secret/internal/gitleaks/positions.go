package gitleaks

import (
	"bytes"
	"fmt"
	"strings"

	"bulwark"
)

// position is a place in a file; the first line and column are 1.
type position struct{ line, column int }

// positions tells where the values of a TOML file are: "rules/3/regex". The library
// that decodes TOML does not tell.
type positions map[string]position

// of is the place of a value, or of what it is in.
func (p positions) of(path string) position {
	for {
		if at, ok := p[path]; ok {
			return at
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return position{}
		}
		path = path[:i]
	}
}

// What a file may hold, ahead of decoding it: the decoder keeps a map for every table,
// and calls itself for what is nested.
const (
	mostItems = 600_000 // keys, tables and elements of arrays
	mostDepth = 16      // brackets in brackets
	mostParts = 8       // of a dotted key
)

// outline walks a file: it bounds what decoding costs and notes where keys are. What
// is no TOML is left to the decoder to complain about.
type outline struct {
	data  []byte
	at    int
	line  int
	start int // of the line
	items int
	table string         // the one that keys belong to
	count map[string]int // of tables, by array
	where positions
}

func outlineOf(data []byte) (positions, error) {
	o := &outline{data: data, line: 1, count: map[string]int{}, where: positions{}}
	for o.at < len(o.data) {
		if err := o.statement(); err != nil {
			return nil, err
		}
		if o.items > mostItems {
			return nil, o.tooMuch("holds too many keys and values")
		}
	}
	return o.where, nil
}

func (o *outline) tooMuch(what string) error {
	return fmt.Errorf("line %d: the file %s: %w", o.line, what, bulwark.ErrLimit)
}

func (o *outline) peek() byte {
	if o.at < len(o.data) {
		return o.data[o.at]
	}
	return 0
}

// next passes a byte and keeps count of lines.
func (o *outline) next() {
	if o.data[o.at] == '\n' {
		o.line++
		o.start = o.at + 1
	}
	o.at++
}

func (o *outline) here() position { return position{o.line, o.at - o.start + 1} }

// statement passes a comment, a table's header, or a key and its value.
func (o *outline) statement() error {
	switch c := o.peek(); {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		o.next()
		return nil
	case c == '#':
		o.restOfLine()
		return nil
	case c == '[':
		return o.header()
	}
	return o.assignment()
}

func (o *outline) restOfLine() {
	if i := bytes.IndexByte(o.data[o.at:], '\n'); i >= 0 {
		o.at += i
		return
	}
	o.at = len(o.data)
}

func (o *outline) header() error {
	at := o.here()
	o.items++
	array := bytes.HasPrefix(o.data[o.at:], []byte("[["))
	from := o.at
	o.restOfLine()
	text, _, _ := strings.Cut(string(bytes.TrimLeft(o.data[from:min(o.at, from+512)], "[")), "]")
	parts := partsOf(text)
	if len(parts) > mostParts {
		return o.tooMuch("has a key of too many parts")
	}
	o.table = o.resolve(parts, array)
	o.where[o.table] = at
	return nil
}

// resolve gives the path of a table; each array before its last part stands for its last table.
func (o *outline) resolve(parts []string, array bool) string {
	path := ""
	for i, part := range parts {
		path = strings.TrimPrefix(path+"/"+part, "/")
		if array && i == len(parts)-1 {
			o.count[path]++
		}
		if n := o.count[path]; n > 0 {
			path = fmt.Sprintf("%s/%d", path, n-1)
		}
	}
	return path
}

// partsOf splits a dotted key. Keys are compared in lower case, as gitleaks does.
func partsOf(key string) []string {
	parts := strings.Split(strings.ToLower(strings.TrimSpace(key)), ".")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " \t\"'")
	}
	return parts
}

func (o *outline) assignment() error {
	at := o.here()
	from := o.at
	for o.at < len(o.data) && o.peek() != '=' && o.peek() != '\n' {
		o.next()
	}
	parts := partsOf(string(o.data[from:min(o.at, from+512)]))
	if len(parts) > mostParts {
		return o.tooMuch("has a key of too many parts")
	}
	o.items++
	path := strings.TrimPrefix(o.table+"/"+strings.Join(parts, "/"), "/")
	if _, ok := o.where[path]; !ok {
		o.where[path] = at
	}
	return o.value()
}

// value passes what is assigned: to the end of the line, or of the last line of it.
func (o *outline) value() error {
	depth := 0
	for o.at < len(o.data) {
		switch c := o.peek(); c {
		case '"', '\'':
			o.quoted(c)
			continue
		case '#':
			o.restOfLine()
			continue
		case '[', '{':
			depth++
			o.items++
		case ']', '}':
			depth--
		case ',':
			o.items++
		case '\n':
			if depth <= 0 {
				return nil
			}
		}
		if depth > mostDepth {
			return o.tooMuch("is nested too deeply")
		}
		o.next()
	}
	return nil
}

// quoted passes a string, of one line or of many.
func (o *outline) quoted(quote byte) {
	three := bytes.Repeat([]byte{quote}, 3)
	long := bytes.HasPrefix(o.data[o.at:], three)
	o.at++
	if long {
		o.at += 2
	}
	for o.at < len(o.data) {
		c := o.peek()
		switch {
		case c == '\\' && quote == '"' && o.at+1 < len(o.data):
			o.next()
		case long && bytes.HasPrefix(o.data[o.at:], three):
			o.at += 3
			for n := 0; n < 2 && o.peek() == quote; n++ {
				o.at++
			}
			return
		case !long && c == quote:
			o.at++
			return
		case !long && c == '\n':
			return
		}
		o.next()
	}
}
