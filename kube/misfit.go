package kube

import (
	"reflect"
	"slices"
	"strings"

	"bulwark/internal/near"
)

// Misfits tells what of a node does not fit a type of the Kubernetes API, as Decode does,
// but makes nothing of it: fields that the type does not have, and lists, maps and single
// values that stand in each other's place. Its own fields of the names in except are not gone into.
func (n *Node) Misfits(t reflect.Type, except ...string) []Problem {
	d := decoder{except: except}
	d.check(n, shapeOf(t))
	return d.problems
}

func (d *decoder) check(n *Node, s *shape) {
	if !n.Exists() || len(d.steps) > maxDepth || s.own {
		return
	}
	switch s.kind {
	case reflect.Struct:
		d.checkFields(n, s)
	case reflect.Map:
		if n.form != Map {
			d.wrong(n, "%s stands where an object belongs", n.short())
			return
		}
		for i := range n.fields() {
			d.into(n.fields()[i].Name)
			d.check(n.fields()[i].Value, s.elem.shape())
			d.out()
		}
	case reflect.Slice:
		if s.bytes {
			return
		}
		if n.form != List {
			d.wrong(n, "%s stands where a list belongs", n.short())
			return
		}
		for i, item := range n.items() {
			d.item(i)
			d.check(item, s.elem.shape())
			d.out()
		}
	case reflect.Interface:
	default:
		d.checkScalar(n, s.kind)
	}
}

func (d *decoder) checkFields(n *Node, s *shape) {
	if n.form != Map {
		d.wrong(n, "%s stands where an object belongs", n.short())
		return
	}
	fields := n.fields()
	for i := range fields {
		f := &fields[i]
		known, ok := s.fields[f.Name]
		switch {
		case !ok:
			d.unknown(f, s.fields)
		case len(d.steps) > 0 || !slices.Contains(d.except, f.Name):
			d.into(f.Name)
			d.check(f.Value, known.shape())
			d.out()
		}
	}
}

func (d *decoder) checkScalar(n *Node, kind reflect.Kind) {
	if n.form == Map || n.form == List {
		d.wrong(n, "%s stands where a single value belongs", n.short())
		return
	}
	switch kind {
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
		d := near.Distance(strings.ToLower(name), strings.ToLower(known), 3)
		if d*3 <= len(known) && (d < least || d == least && d < 3 && known < best) {
			best, least = known, d
		}
	}
	return best
}
