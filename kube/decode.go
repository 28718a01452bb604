package kube

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

const mostProblems = 50 // of one object

// Decode sets into, a pointer to a struct of the Kubernetes API, from the node: by the names
// that the fields have in JSON. A field whose value does not fit is left as it is and told
// of; so is one that the type does not have. Path is where the node stands, for what is told.
func (n *Node) Decode(into any, path string) []Problem {
	d := decoder{base: path}
	v := reflect.ValueOf(into).Elem()
	d.value(n, v, shapeOf(v.Type()))
	return d.problems
}

// decoder knows where it is, so that it can tell of what does not fit.
type decoder struct {
	problems []Problem
	base     string
	steps    []step   // below base
	except   []string // fields of the root that are not gone into
}

// step is the name of a field, or the position in a list.
type step struct {
	name string
	at   int
}

func (d *decoder) into(name string) { d.steps = append(d.steps, step{name, -1}) }
func (d *decoder) item(at int)      { d.steps = append(d.steps, step{at: at}) }
func (d *decoder) out()             { d.steps = d.steps[:len(d.steps)-1] }

// path is where the decoder is, in words.
func (d *decoder) path() string {
	steps := make([]any, len(d.steps))
	for i, s := range d.steps {
		if steps[i] = s.at; s.at < 0 {
			steps[i] = s.name
		}
	}
	rest := PathText(steps...)
	if d.base == "" || rest == "" || rest[0] == '[' {
		return d.base + rest
	}
	return d.base + "." + rest
}

func (d *decoder) wrong(n *Node, format string, args ...any) {
	if len(d.problems) < mostProblems {
		d.problems = append(d.problems, Problem{Path: d.path(), Line: n.Line(), Text: fmt.Sprintf(format, args...)})
	}
}

// unknown tells of a field that there is not.
func (d *decoder) unknown(f *Field, fields map[string]*structField) {
	if len(d.problems) == mostProblems {
		return
	}
	p := Problem{Line: int(f.Line), Text: "there is no such field", Meant: meant(f.Name, fields)}
	d.into(f.Name)
	p.Path = d.path()
	d.out()
	if p.Meant != "" {
		p.Text += ", " + strconv.Quote(p.Meant) + " is meant"
	}
	d.problems = append(d.problems, p)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// value sets v, whose shape s is.
func (d *decoder) value(n *Node, v reflect.Value, s *shape) {
	if !n.Exists() {
		return
	}
	for v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if s.own {
		if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(n.JSON()); err != nil {
			d.wrong(n, "%s does not fit: %v", n.short(), err)
			v.SetZero()
		}
		return
	}
	switch s.kind {
	case reflect.Struct:
		d.structure(n, v, s)
	case reflect.Map:
		d.mapping(n, v, s)
	case reflect.Slice:
		d.list(n, v, s)
	default:
		d.scalar(n, v)
	}
}

func (d *decoder) structure(n *Node, v reflect.Value, s *shape) {
	if n.form != Map {
		d.wrong(n, "%s stands where an object belongs", n.short())
		return
	}
	fields := n.fields()
	for i := range fields {
		f := &fields[i]
		known, ok := s.fields[f.Name]
		if !ok {
			d.unknown(f, s.fields)
			continue
		}
		d.into(f.Name)
		d.value(f.Value, v.FieldByIndex(known.index), known.shape())
		d.out()
	}
}

func (d *decoder) mapping(n *Node, v reflect.Value, s *shape) {
	if n.form != Map {
		d.wrong(n, "%s stands where an object belongs", n.short())
		return
	}
	t := v.Type()
	m := reflect.MakeMapWithSize(t, len(n.fields()))
	fields := n.fields()
	for i := range fields {
		f := &fields[i]
		e := reflect.New(t.Elem()).Elem()
		d.into(f.Name)
		d.value(f.Value, e, s.elem.shape())
		d.out()
		m.SetMapIndex(reflect.ValueOf(f.Name).Convert(t.Key()), e)
	}
	v.Set(m)
}

func (d *decoder) list(n *Node, v reflect.Value, s *shape) {
	if s.bytes {
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Text()), ""))
		if err != nil || n.form == Map || n.form == List {
			d.wrong(n, "this is no base64")
			return
		}
		v.SetBytes(b)
		return
	}
	if n.form != List {
		d.wrong(n, "%s stands where a list belongs", n.short())
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items()), len(n.items()))
	for i, item := range n.items() {
		d.item(i)
		d.value(item, list.Index(i), s.elem.shape())
		d.out()
	}
	v.Set(list)
}

func (d *decoder) scalar(n *Node, v reflect.Value) {
	if n.form == Map || n.form == List {
		d.wrong(n, "%s stands where a single value belongs", n.short())
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Text())
		if n.form != String {
			d.wrong(n, "%s stands where a text belongs: put it in quotes", n.short())
		}
	case reflect.Bool:
		b, ok := n.bool()
		if !ok {
			d.wrong(n, "%s stands where true or false belongs", n.short())
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Int16, reflect.Int8:
		i, ok := n.Int()
		if !ok || v.OverflowInt(i) {
			d.wrong(n, "%s stands where a whole number belongs", n.short())
			return
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint32, reflect.Uint64, reflect.Uint16:
		i, ok := n.Int()
		if !ok || i < 0 || v.OverflowUint(uint64(i)) {
			d.wrong(n, "%s stands where a whole number belongs", n.short())
			return
		}
		v.SetUint(uint64(i))
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(n.Text(), 64)
		if err != nil {
			d.wrong(n, "%s stands where a number belongs", n.short())
			return
		}
		v.SetFloat(f)
	}
}

// short is the value for a message: never the text of a string, which may be a secret.
func (n *Node) short() string {
	switch n.form {
	case Map:
		return "an object"
	case List:
		return "a list"
	case String:
		return "a text"
	case Bool:
		return n.Text()
	}
	return "a number"
}

// JSON is the node as JSON.
func (n *Node) JSON() []byte { return n.AppendJSON(nil) }

// AppendJSON appends the node as JSON, the fields in the order in which they were written.
// A field that is given twice is written once, as it was last.
func (n *Node) AppendJSON(b []byte) []byte {
	switch n.Form() {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, n.True())
	case Number:
		return n.number(b)
	case String:
		return quote(b, n.Text())
	case List:
		b = append(b, '[')
		for i, item := range n.items() {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.AppendJSON(b)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	first := true
	fields := n.fields()
	for i := range fields {
		f := &fields[i]
		if n.field(f.Name) != f {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(quote(b, f.Name), ':')
		b = f.Value.AppendJSON(b)
	}
	return append(b, '}')
}

// number writes what YAML calls a number as JSON does.
func (n *Node) number(b []byte) []byte {
	if json.Valid([]byte(n.Text())) {
		return append(b, n.Text()...)
	}
	if i, ok := n.Int(); ok {
		return strconv.AppendInt(b, i, 10)
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.Text(), "_", ""), 64)
	if err != nil || f != f || f > 1e308 || f < -1e308 { // .nan and .inf are none of JSON's
		return quote(b, n.Text())
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

func quote(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, q...)
}
