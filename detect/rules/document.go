package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"bulwark"
)

// document is what an event's JSON holds, read once for an event and only where a field asks.
type document struct {
	serve uint64
	root  *value
}

const maxDocument = 1 << 20

func (v *event) json() *value {
	if v.doc.serve == v.serve {
		return v.doc.root
	}
	v.doc = document{serve: v.serve}
	if len(v.Doc) <= maxDocument && json.Valid(v.Doc) {
		v.doc.root = &value{raw: bytes.TrimSpace(v.Doc)}
	}
	return v.doc.root
}

// value is a value of a document. Where there is none it is nil; null is one.
type value struct {
	raw   []byte // as it stands in the document, which is valid
	read  bool
	names map[string]int // of an object: where in items
	items []value        // of an object or a list

	said  string // as rules compare it, once that was asked for
	known bool
}

// list is whether x is one, and object whether it is one.
func (x *value) list() bool   { return x != nil && x.raw[0] == '[' }
func (x *value) object() bool { return x != nil && x.raw[0] == '{' }

// nothing tells whether there is no value, or null.
func (x *value) nothing() bool { return x == nil || x.raw[0] == 'n' }

// open reads what an object or a list holds, not what is in that.
func (x *value) open() {
	if x.read || !x.list() && !x.object() {
		return
	}
	x.read = true
	for i := between(x.raw, 1); x.raw[i] != ']' && x.raw[i] != '}'; i = between(x.raw, i) {
		if x.object() {
			end := valueEnd(x.raw, i)
			key := unquoted(x.raw[i:end])
			if x.names == nil {
				x.names = map[string]int{}
			}
			x.names[key] = len(x.items)
			i = between(x.raw, end)
		}
		end := valueEnd(x.raw, i)
		x.items = append(x.items, value{raw: x.raw[i:end]})
		i = end
	}
}

// between is where something stands that is no space and no comma or colon.
func between(s []byte, i int) int {
	for s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t' || s[i] == ',' || s[i] == ':' {
		i++
	}
	return i
}

// valueEnd is where the value ends that begins at i.
func valueEnd(s []byte, i int) int {
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = textEnd(s, i) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of what a number stands in
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// textEnd is where the text in quotes ends that begins at i.
func textEnd(s []byte, i int) int {
	for i++; s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// unquoted is the text that stands in quotes.
func unquoted(raw []byte) string {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return str(inner)
	}
	var s string
	_ = json.Unmarshal(raw, &s) // it is a part of a valid document
	return s
}

// at is what the keys lead to; nil where there is no such thing.
func at(x *value, keys ...string) *value {
	for _, k := range keys {
		if !x.object() {
			return nil
		}
		x.open()
		i, ok := x.names[k]
		if !ok {
			return nil
		}
		x = &x.items[i]
	}
	return x
}

// items are those of a list, and none of what is no list.
func items(x *value) []value {
	if !x.list() {
		return nil
	}
	x.open()
	return x.items
}

// scalar is x as rules compare it: text as it is, everything else as it is written, without spaces.
func scalar(x *value) (string, bool) {
	switch {
	case x == nil:
		return "", false
	case x.known:
		return x.said, true
	}
	x.known = true
	switch x.raw[0] {
	case '"':
		x.said = unquoted(x.raw)
	case '{', '[':
		var b bytes.Buffer
		_ = json.Compact(&b, x.raw) // it is a part of a valid document
		x.said = str(b.Bytes())
	default:
		x.said = str(x.raw)
	}
	return x.said, true
}

// pointer is what a JSON pointer leads to, which need not begin with a stroke.
func pointer(x *value, path string) *value {
	path = strings.TrimPrefix(path, "/")
	for more := path != ""; more; {
		var key string
		key, path, more = strings.Cut(path, "/")
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		if !x.list() {
			x = at(x, key)
			continue
		}
		list := items(x)
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(list) {
			return nil
		}
		x = &list[i]
	}
	return x
}

// documentFields are those of any event that is a document.
func documentFields() []Field {
	valueOf := func(arg string) (getter, error) {
		return getter{cost: dear, text: func(v *event) (string, bool) { return scalar(pointer(v.json(), arg)) }}, nil
	}
	whole := func(v *event) (string, bool) { return str(v.Doc), len(v.Doc) > 0 }
	indented := func(v *event) (string, bool) {
		var b bytes.Buffer
		if len(v.Doc) == 0 || len(v.Doc) > maxDocument || json.Indent(&b, v.Doc, "", "  ") != nil {
			return "", false
		}
		return b.String(), true
	}
	var list []Field
	for _, class := range []string{"jevt", "json"} {
		list = append(list,
			Field{Name: class + ".value", Type: Text, Arg: NeedKey, Doc: "what a JSON pointer leads to in the event's document: " + class + ".value[/a/0/b]", bind: valueOf},
			Field{Name: class + ".obj", Type: Text, Doc: "the document, with line breaks", bind: built(indented)},
			Field{Name: class + ".rawtime", Type: Time, Doc: "time of the event, nanoseconds since 1970", bind: num(func(v *event) (int64, bool) { return v.Time, true })})
	}
	return append(list,
		Field{Name: "json.jsonstring", Type: Text, Doc: "the document as it came", bind: text(whole)},
		Field{Name: "jevt.time", Type: Text, Doc: "time of day of the event, with nanoseconds", bind: clock("15:04:05.000000000", func(v *event) int64 { return v.Time })},
		Field{Name: "jevt.time.iso8601", Type: Text, Doc: "date and time of the event as ISO 8601 has them", bind: clock("2006-01-02T15:04:05.000000000-0700", func(v *event) int64 { return v.Time })},
		Field{Name: "engine.action", Type: Text, Source: bulwark.SourceEngine, Doc: "what the engine did: create, start, exec_create, oom, pull, die, ...", bind: engineAction},
	)
}

func engineAction(string) (getter, error) { return argument("action") }
