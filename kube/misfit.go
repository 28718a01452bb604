package kube

import (
	"reflect"
	"strings"
)

// Misfits tells what of a node does not fit a type of the Kubernetes API, as Decode does,
// but makes nothing of it: fields that the type does not have, and lists, maps and single
// values that stand in each other's place. Skip says which fields not to go into.
func (n *Node) Misfits(t reflect.Type, skip func(path []any) bool) []Problem {
	d := decoder{}
	d.check(n, t, skip)
	return d.problems
}

func (d *decoder) check(n *Node, t reflect.Type, skip func([]any) bool) {
	if !n.Exists() || len(d.steps) > maxDepth {
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Map && own(t) || skip(d.steps) {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.checkFields(n, t, skip)
	case reflect.Map:
		if n.form != Map {
			d.wrong(n, "%s stands where an object belongs", n.short())
			return
		}
		for i := range n.fields {
			d.into(n.fields[i].Name)
			d.check(n.fields[i].Value, t.Elem(), skip)
			d.out()
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return
		}
		if n.form != List {
			d.wrong(n, "%s stands where a list belongs", n.short())
			return
		}
		for i, item := range n.items {
			d.into(i)
			d.check(item, t.Elem(), skip)
			d.out()
		}
	case reflect.Interface:
	default:
		d.checkScalar(n, t)
	}
}

// own tells whether a type reads itself, in ways of its own.
func own(t reflect.Type) bool {
	if v, ok := owns.Load(t); ok {
		return v.(bool)
	}
	v := reflect.PointerTo(t).Implements(unmarshaler)
	owns.Store(t, v)
	return v
}

func (d *decoder) checkFields(n *Node, t reflect.Type, skip func([]any) bool) {
	if n.form != Map {
		d.wrong(n, "%s stands where an object belongs", n.short())
		return
	}
	fields := fieldsOf(t)
	for i := range n.fields {
		f := &n.fields[i]
		known, ok := fields[f.Name]
		if !ok {
			d.unknown(f, fields)
			continue
		}
		d.into(f.Name)
		d.check(f.Value, known.of, skip)
		d.out()
	}
}

func (d *decoder) checkScalar(n *Node, t reflect.Type) {
	if n.form == Map || n.form == List {
		d.wrong(n, "%s stands where a single value belongs", n.short())
		return
	}
	switch t.Kind() {
	case reflect.String:
		if n.form != String {
			d.wrong(n, "%s stands where a text belongs: put it in quotes", n.short())
		}
	case reflect.Bool:
		if _, ok := n.bool(); !ok {
			d.wrong(n, "%s stands where true or false belongs", n.short())
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		if _, ok := n.Int(); !ok {
			d.wrong(n, "%s stands where a whole number belongs", n.short())
		}
	}
}

// meant is the field that somebody has in mind who writes a name like it.
func meant(name string, fields map[string]*structField) string {
	best, least := "", 3
	for known := range fields {
		if strings.EqualFold(known, name) {
			return known
		}
		d := distance(strings.ToLower(name), strings.ToLower(known), 3)
		if d*3 <= len(known) && (d < least || d == least && d < 3 && known < best) {
			best, least = known, d
		}
	}
	return best
}

// distance counts the letters to change between two names, up to a limit; two letters in
// the wrong order count as one.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	var rows [3][66]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		now, up, upup := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(up[j]+1, now[j-1]+1, up[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], upup[j-2]+1)
			}
		}
	}
	return min(rows[len(a)%3][len(b)], limit)
}
