package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"bulwark"
)

// document is what an event's JSON holds, read once for an event and only where a field asks.
type document struct {
	serve uint64
	root  any
}

const maxDocument = 1 << 20

func (v *event) json() any {
	if v.doc.serve == v.serve {
		return v.doc.root
	}
	v.doc = document{serve: v.serve}
	if len(v.Doc) == 0 || len(v.Doc) > maxDocument {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(v.Doc))
	d.UseNumber()
	if err := d.Decode(&v.doc.root); err != nil {
		v.doc.root = nil
	}
	return v.doc.root
}

// at is what the keys lead to; nil where there is no such thing.
func at(x any, keys ...string) any {
	for _, k := range keys {
		m, ok := x.(map[string]any)
		if !ok {
			return nil
		}
		x = m[k]
	}
	return x
}

// items is a list, or nothing where x is none.
func items(x any) []any {
	list, _ := x.([]any)
	return list
}

// scalar is x as rules compare it: text as it is, everything else as JSON.
func scalar(x any) (string, bool) {
	switch x := x.(type) {
	case nil:
		return "", false
	case string:
		return x, true
	case bool:
		return truth(x), true
	case json.Number:
		return x.String(), true
	}
	b, err := json.Marshal(x)
	return string(b), err == nil
}

// pointer is what a JSON pointer leads to.
func pointer(x any, path string) any {
	for path != "" {
		var key string
		key, path, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if path != "" {
			path = "/" + path
		}
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		switch y := x.(type) {
		case map[string]any:
			x = y[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(y) {
				return nil
			}
			x = y[i]
		default:
			return nil
		}
	}
	return x
}

// documentFields are those of any event that is a document.
func documentFields() []Field {
	valueOf := func(arg string) (getter, error) {
		if !strings.HasPrefix(arg, "/") {
			return getter{}, fmt.Errorf("%q is no JSON pointer: it begins with a stroke", arg)
		}
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
