package lang

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a map of a file.
type object struct {
	src  *source
	node *yaml.Node
	what string // for errors: `rule "X"`
	keys map[string]*yaml.Node
	at   map[string]Pos
	dup  []*yaml.Node // keys that are there already
}

func newObject(src *source, n *yaml.Node) *object {
	o := &object{src: src, node: n, keys: map[string]*yaml.Node{}, at: map[string]Pos{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := deref(n.Content[i])
		if o.keys[key.Value] != nil {
			o.dup = append(o.dup, n.Content[i])
			continue
		}
		o.keys[key.Value], o.at[key.Value] = deref(n.Content[i+1]), src.pos(n.Content[i])
	}
	return o
}

func (o *object) has(key string) bool { return o.keys[key] != nil }

// unknown gives the keys that are not in known.
func (o *object) unknown(known []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, key := range slices.Sorted(maps.Keys(o.keys)) {
			if !slices.Contains(known, key) && !yield(key) {
				return
			}
		}
	}
}

// fail is an error at the value of a key, or where the object begins.
func (o *object) fail(key, format string, args ...any) error {
	at := o.src.pos(o.node)
	if n := o.keys[key]; n != nil {
		at = o.src.pos(n)
	}
	return &syntaxError{pos: at, text: fmt.Sprintf(format, args...), code: CodeForm}
}

// unfit is an error of what fits to nothing else that was read.
func (o *object) unfit(key, format string, args ...any) error {
	return &syntaxError{pos: o.src.pos(o.keys[key]), text: fmt.Sprintf(format, args...)}
}

// scalar is the value of a key as text, which has to be there and not empty.
func (o *object) scalar(key string) (*yaml.Node, error) {
	n := o.keys[key]
	switch {
	case n == nil:
		return nil, o.fail("", "%s has no %s", o.what, key)
	case n.Kind != yaml.ScalarNode:
		return nil, o.fail(key, "%s of %s has to be a text", key, o.what)
	case (null(n) || n.Value == "") && key == o.what:
		return nil, &syntaxError{pos: o.at[key], text: fmt.Sprintf("the %s has no name", key), code: CodeForm}
	case null(n) || n.Value == "":
		return nil, &syntaxError{pos: o.at[key], text: fmt.Sprintf("%s of %s is empty", key, o.what), code: CodeForm}
	}
	return n, nil
}

func (o *object) string(key string) (string, error) {
	n, err := o.scalar(key)
	if err != nil {
		return "", err
	}
	return n.Value, nil
}

// text is the value of a key with the places of its bytes.
func (o *object) text(key string) (text, error) {
	n, err := o.scalar(key)
	if err != nil {
		return text{}, err
	}
	if len(n.Value) > maxText {
		return text{}, o.fail(key, "%s of %s has %d bytes; at most %d are read", key, o.what, len(n.Value), maxText)
	}
	return o.src.text(n), nil
}

var bools = map[string]bool{"true": true, "yes": true, "on": true, "y": true, "false": false, "no": false, "off": false, "n": false}

// bool is the value of a key, or unless where it is not there.
func (o *object) bool(key string, unless bool) (bool, error) {
	if !o.has(key) {
		return unless, nil
	}
	n, err := o.scalar(key)
	if err != nil {
		return unless, err
	}
	b, ok := bools[strings.ToLower(n.Value)]
	if !ok {
		return unless, o.fail(key, "%s of %s has to be true or false, not %s", key, o.what, quoteOf(n.Value))
	}
	return b, nil
}

// int is the value of a key as a number from 0 up, 0 where it is not there.
func (o *object) int(key string) (int64, error) {
	if !o.has(key) {
		return 0, nil
	}
	n, err := o.scalar(key)
	if err != nil {
		return 0, err
	}
	i, e := strconv.ParseUint(n.Value, 10, 32)
	if e != nil {
		return 0, o.fail(key, "%s of %s has to be a number, not %s", key, o.what, quoteOf(n.Value))
	}
	return int64(i), nil
}

// scalars are the items of a list of texts, nil where it is not there.
func (o *object) scalars(key string) ([]*yaml.Node, error) {
	n := o.keys[key]
	if n == nil {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, o.fail(key, "%s of %s has to be a list", key, o.what)
	}
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, c := range n.Content {
		if c = deref(c); null(c) {
			return nil, &syntaxError{pos: o.src.pos(c), text: fmt.Sprintf("%s of %s has an item that is nothing", key, o.what), code: CodeForm}
		}
		if c.Kind != yaml.ScalarNode {
			return nil, &syntaxError{pos: o.src.pos(c), text: fmt.Sprintf("%s of %s has to be a list of texts; this is a list or map", key, o.what), code: CodeForm}
		}
		out = append(out, c)
	}
	return out, nil
}
