package rules

import (
	"fmt"
	"strconv"
	"strings"

	"bulwark/detect/rules/internal/lang"
)

// term is a field or transformer that can be read.
type term struct {
	getter
	field *Field // nil: a transformer
	typ   Type
	arg   string
}

// term binds the fields of an expression's side. Source is that of the rule.
func (c *compiler) term(t lang.Term) (*term, error) {
	switch t := t.(type) {
	case *lang.Field:
		return c.field(t)
	case *lang.Call:
		return c.call(t)
	case *lang.Value:
		return &term{typ: Text, getter: getter{text: func(*event) (string, bool) { return t.Text, true }}}, nil
	}
	return nil, fmt.Errorf("a list stands where a value should")
}

func (c *compiler) field(t *lang.Field) (*term, error) {
	f, g, err := bindField(t.Name, t.Arg, t.HasArg)
	if err != nil {
		return nil, &unknownField{pos: t.Pos, err: err, unknown: f == nil}
	}
	if f.Source != "" && f.Source != c.source {
		return nil, &unknownField{pos: t.Pos, err: fmt.Errorf("events of source %s have no field %s: those of %s do", c.source, f.Name, f.Source), unknown: true}
	}
	_, dotted, _ := lookup(t.Name)
	return &term{getter: g, field: f, typ: f.Type, arg: t.Arg + dotted}, nil
}

// unknownField is an error about a field, with its place.
type unknownField struct {
	pos     lang.Pos
	err     error
	unknown bool // there is no such field, as against one that is used wrongly
}

func (e *unknownField) Error() string { return e.err.Error() }

func (c *compiler) call(t *lang.Call) (*term, error) {
	switch t.Name {
	case "join", "concat", "getopt":
		return c.gather(t)
	}
	if len(t.Args) != 1 {
		return nil, fmt.Errorf("%s takes one argument", t.Name)
	}
	in, err := c.term(t.Args[0])
	if err != nil {
		return nil, err
	}
	switch t.Name {
	case "tolower":
		return in.through(mapped(lower))
	case "toupper":
		return in.through(mapped(upper))
	case "b64":
		return in.through(decoded())
	case "basename":
		return in.through(lastPart)
	case "len":
		return in.length()
	}
	return nil, fmt.Errorf("there is no transformer %s", t.Name)
}

// through is the text as of makes it.
func (t *term) through(of func(string) (string, bool)) (*term, error) {
	out := &term{typ: Text, getter: getter{has: t.has, cost: t.cost + medium}}
	switch {
	case t.text != nil && t.addr == nil:
		out.text = func(v *event) (string, bool) {
			s, ok := t.text(v)
			if !ok {
				return "", false
			}
			return of(s)
		}
	case t.list != nil:
		var list []string
		out.list = func(v *event) ([]string, bool) {
			in, ok := t.list(v)
			list = list[:0]
			for _, s := range in {
				if s, ok := of(s); ok {
					list = append(list, strings.Clone(s))
				}
			}
			return list, ok
		}
	case t.any != nil && t.any.text != nil:
		var match func(string) bool
		each := func(s string) bool {
			s, ok := of(s)
			return ok && match(s)
		}
		out.any = &several{text: func(v *event, m func(string) bool) bool {
			match = m
			return t.any.text(v, each)
		}}
	default:
		return nil, fmt.Errorf("the transformer wants text, and %s is none", t.name())
	}
	return out, nil
}

func (t *term) name() string {
	if t.field == nil {
		return "the value"
	}
	return t.field.Name
}

// sort is what the values are, as far as it matters to what they are compared with.
func (t *term) sort() string {
	switch t.typ {
	case Number, Time, Span:
		return "a number"
	case Bool:
		return "true or false"
	case Address:
		return "an address"
	case Bytes:
		return "bytes"
	}
	return "a text"
}

func (t *term) length() (*term, error) {
	out := &term{typ: Number, getter: getter{has: t.has, cost: t.cost}}
	switch {
	case t.list != nil:
		out.num = func(v *event) (int64, bool) {
			list, ok := t.list(v)
			return int64(len(list)), ok
		}
	case t.text != nil && t.addr == nil:
		out.num = func(v *event) (int64, bool) {
			s, ok := t.text(v)
			return int64(len(s)), ok
		}
	default:
		return nil, fmt.Errorf("len wants text or a list, and %s is none", t.name())
	}
	return out, nil
}

// read is the value as text; of a list all of them, with commas between.
func (t *term) read() func(*event) (string, bool) {
	switch {
	case t.num != nil && t.typ == Bool:
		return func(v *event) (string, bool) {
			n, ok := t.num(v)
			return truth(n != 0), ok
		}
	case t.num != nil:
		numbers := newMemo(func(n int64) string { return strconv.FormatInt(n, 10) })
		return func(v *event) (string, bool) {
			n, ok := t.num(v)
			return numbers.text(n), ok
		}
	case t.text != nil:
		return t.text
	case t.addr != nil:
		var buf []byte
		return func(v *event) (string, bool) {
			a, ok := t.addr(v)
			if !ok {
				return "", false
			}
			buf = a.AppendTo(buf[:0])
			return str(buf), true
		}
	case t.list != nil:
		return func(v *event) (string, bool) {
			list, ok := t.list(v)
			return "(" + strings.Join(list, ",") + ")", ok
		}
	}
	return nil
}

// gather makes one text of several: join(separator, list), concat(texts), getopt(arguments, option).
func (c *compiler) gather(t *lang.Call) (*term, error) {
	var parts []func(*event, []string) ([]string, bool)
	for _, a := range t.Args {
		p, err := c.texts(a)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	switch {
	case t.Name == "concat":
		return gathered(parts, func(list []string, b []byte) ([]byte, bool) {
			for _, s := range list {
				b = append(b, s...)
			}
			return b, true
		}), nil
	case len(parts) < 2:
		return nil, fmt.Errorf("%s takes two arguments", t.Name)
	case t.Name == "join":
		return gathered(parts, joinList), nil
	}
	return gathered(parts, option), nil
}

// texts adds the values of an argument to a list.
func (c *compiler) texts(t lang.Term) (func(*event, []string) ([]string, bool), error) {
	if l, ok := t.(*lang.List); ok {
		var all []func(*event, []string) ([]string, bool)
		for _, item := range l.Items {
			f, err := c.texts(item)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
		return func(v *event, list []string) ([]string, bool) { return collect(v, all, list) }, nil
	}
	x, err := c.term(t)
	if err != nil {
		return nil, err
	}
	if x.list != nil {
		return func(v *event, list []string) ([]string, bool) {
			more, ok := x.list(v)
			return append(list, more...), ok
		}, nil
	}
	read := x.read()
	if read == nil {
		return nil, fmt.Errorf("%s has no one value", x.name())
	}
	return func(v *event, list []string) ([]string, bool) {
		s, ok := read(v)
		return append(list, s), ok
	}, nil
}

func collect(v *event, parts []func(*event, []string) ([]string, bool), list []string) ([]string, bool) {
	for _, p := range parts {
		var ok bool
		if list, ok = p(v, list); !ok {
			return list, false
		}
	}
	return list, true
}

func gathered(parts []func(*event, []string) ([]string, bool), put func([]string, []byte) ([]byte, bool)) *term {
	var list []string
	var buf []byte
	return &term{typ: Text, getter: getter{cost: dear, text: func(v *event) (string, bool) {
		var ok bool
		if list, ok = collect(v, parts, list[:0]); !ok {
			return "", false
		}
		buf, ok = put(list, buf[:0])
		return str(buf), ok
	}}}
}

// joinList has the separator first.
func joinList(list []string, b []byte) ([]byte, bool) {
	for i, s := range list[1:] {
		if i > 0 {
			b = append(b, list[0]...)
		}
		b = append(b, s...)
	}
	return b, true
}

// option is the value that the option, the last of the list, has among the arguments before it: -o value, -ovalue,
// --option value, --option=value. One that has none is there with an empty text.
func option(list []string, b []byte) ([]byte, bool) {
	want := strings.TrimLeft(list[len(list)-1], "-")
	var words []string
	for _, s := range list[:len(list)-1] {
		words = append(words, strings.Fields(s)...)
	}
	for i, w := range words {
		if w == "--" || want == "" {
			break
		}
		name := strings.TrimLeft(w, "-")
		if len(name) == len(w) {
			continue
		}
		name, value, has := strings.Cut(name, "=")
		switch {
		case name == want && has:
			return append(b, value...), true
		case name == want && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-"):
			return append(b, words[i+1]...), true
		case name == want:
			return b, true
		case len(want) == 1 && !strings.HasPrefix(w, "--") && strings.HasPrefix(name, want):
			return append(b, w[2:]...), true
		}
	}
	return b, false
}
