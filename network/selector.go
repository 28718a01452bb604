package network

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"bulwark/kube"
)

// requirement is one condition of a label selector.
type requirement struct {
	key    string
	op     string // In, NotIn, Exists, DoesNotExist
	values []string
}

// wrongPart is what is wrong with a selector, and where in it.
type wrongPart struct {
	at   []any
	text string
}

func (w *wrongPart) Error() string { return w.text }

// placeOf is the path of what is wrong with the selector at a path.
func placeOf(err error, path []any) []any {
	if w := (*wrongPart)(nil); errors.As(err, &w) {
		return slices.Concat(path, w.at)
	}
	return path
}

// selectorOf reads a label selector. What it does not understand is an error that [placeOf]
// knows the place of: such a selector is refused by API servers too.
func selectorOf(n *kube.Node) ([]requirement, error) {
	if n.Exists() && n.Form() != kube.Map {
		return nil, &wrongPart{nil, "no label selector"}
	}
	var list []requirement
	for key, v := range n.Get("matchLabels").Fields() {
		if v.Form() != kube.String && v.Exists() {
			return nil, &wrongPart{[]any{"matchLabels", key}, fmt.Sprintf("the value of %q is no text (is it quoted?)", key)}
		}
		list = append(list, requirement{key, "In", []string{v.Text()}})
	}
	for i, e := range n.Get("matchExpressions").Items() {
		wrong := func(field, format string, a ...any) error {
			return &wrongPart{[]any{"matchExpressions", i, field}, fmt.Sprintf(format, a...)}
		}
		r := requirement{e.Get("key").Text(), e.Get("operator").Text(), e.Get("values").Strings()}
		listed := r.op == "In" || r.op == "NotIn"
		switch {
		case r.key == "":
			return nil, wrong("key", "an expression without a key")
		case !listed && r.op != "Exists" && r.op != "DoesNotExist":
			return nil, wrong("operator", "unknown operator %q of %q", r.op, r.key)
		case listed && len(r.values) == 0:
			return nil, wrong("values", "%s of %q without values", r.op, r.key)
		case !listed && len(r.values) > 0:
			return nil, wrong("values", "%s of %q with values", r.op, r.key)
		}
		list = append(list, r)
	}
	return list, nil
}

// canonical adds to a text what is equal for selectors that say the same in another order.
func canonical(b []byte, list []requirement) []byte {
	for _, r := range list {
		slices.Sort(r.values)
	}
	slices.SortFunc(list, func(a, b requirement) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.op, b.op), slices.Compare(a.values, b.values))
	})
	first := len(b)
	for _, r := range list {
		b = append(append(append(append(b, r.key...), 0), r.op...), 0)
		for _, v := range r.values {
			b = append(append(b, v...), 1)
		}
		b = append(b, 2)
	}
	if len(b)-first > longSelector {
		sum := sha256.Sum256(b[first:])
		return append(b[:first], sum[:]...)
	}
	return b
}

// longSelector is how long a selector may be that is known by its text, not by its digest: one
// may have a million values.
const longSelector = 512

// index finds things by their labels.
type index struct {
	labels []map[string]string
	byKey  map[string]map[string][]int32 // key -> value -> things, made when first asked for
	known  map[string]group              // canonical selector -> things
}

func newIndex(labels []map[string]string) *index {
	return &index{labels, map[string]map[string][]int32{}, map[string]group{}}
}

// values are the things that have a label, by its value.
func (x *index) values(key string) map[string][]int32 {
	m, ok := x.byKey[key]
	if !ok {
		m = map[string][]int32{}
		for i, l := range x.labels {
			if v, ok := l[key]; ok {
				m[v] = append(m[v], int32(i))
			}
		}
		x.byKey[key] = m
	}
	return m
}

// match gives the things that a selector matches; shared, not to be changed.
func (x *index) match(selector []requirement) group {
	name := string(canonical(nil, selector))
	if s, ok := x.known[name]; ok {
		return s
	}
	if len(selector) == 1 && selector[0].op == "In" && len(selector[0].values) == 1 {
		if few := x.values(selector[0].key)[selector[0].values[0]]; len(few) <= len(x.labels)/128 {
			x.known[name] = group{few: few}
			return group{few: few}
		}
	}
	s := full(len(x.labels))
	for _, r := range selector {
		found := newSet(len(x.labels))
		byValue := x.values(r.key)
		add := func(list []int32) {
			for _, i := range list {
				found.add(int(i))
			}
		}
		if r.op == "In" || r.op == "NotIn" {
			for _, v := range r.values {
				add(byValue[v])
			}
		} else {
			for _, list := range byValue {
				add(list)
			}
		}
		if r.op == "In" || r.op == "Exists" {
			s.and(found)
		} else {
			s.without(found)
		}
		if s.len() == 0 {
			break // what else it asks for changes nothing
		}
	}
	g := groupOf(s)
	x.known[name] = g
	return g
}
