package kube

import (
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
)

// shape is what a type of the Kubernetes API looks like, pointers to it too. Those of the
// types within are made when they are met first.
type shape struct {
	kind   reflect.Kind
	own    bool                    // it reads itself, in ways of its own
	bytes  bool                    // a list of bytes, which JSON has in base 64
	fields map[string]*structField // of a struct
	elem   *structField            // of a map or list
}

// structField is where a field stands in its struct, and of what type it is.
type structField struct {
	index []int
	of    reflect.Type
	known atomic.Pointer[shape]
}

func (f *structField) shape() *shape {
	s := f.known.Load()
	if s == nil {
		s = shapeOf(f.of)
		f.known.Store(s)
	}
	return s
}

var shapes sync.Map // reflect.Type -> *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := newShape(t)
	shapes.Store(t, s)
	return s
}

func newShape(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &shape{kind: t.Kind()}
	s.own = s.kind != reflect.Map && reflect.PointerTo(t).Implements(unmarshaler)
	switch s.kind {
	case reflect.Struct:
		s.fields = make(map[string]*structField, t.NumField())
		collect(s.fields, t, nil)
	case reflect.Slice:
		s.elem = &structField{of: t.Elem()}
		s.bytes = t.Elem().Kind() == reflect.Uint8
	case reflect.Map:
		s.elem = &structField{of: t.Elem()}
	}
	return s
}

// collect gives the fields of a struct by their names in JSON, those of inlined structs
// among them.
func collect(m map[string]*structField, t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		index := append(append([]int(nil), at...), i)
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case tag == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			collect(m, f.Type, index)
		case tag != "":
			m[tag] = &structField{index: index, of: f.Type}
		}
	}
}
