package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
	"bulwark/internal/telling"
)

// format is an output that was made ready.
type format struct {
	parts []part
}

type part struct {
	text  string // literal
	name  string // of a field, as it is written
	width int
	typ   Type
	read  func(*event) (string, bool)
	num   func(*event) (int64, bool)
	list  func(*event) ([]string, bool)
	stamp bool // a time: to programs it is told in nanoseconds since 1970
}

// stamps are the fields that are a time of day or date in texts.
var stamps = []string{"evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s", "evt.outputtime"}

// missing is what outputs say where the event has no such field.
const missing = "<NA>"

const (
	maxValue  = 8 << 10 // bytes of a field in an output
	maxOutput = 64 << 10
)

func (c *compiler) output(o *lang.Output) (*format, error) {
	f := &format{}
	for _, p := range o.Pieces {
		if p.Term == nil {
			f.parts = append(f.parts, part{text: p.Text})
			continue
		}
		c.lookGone(p.Term)
		t, rest, err := c.shown(&p)
		if err != nil {
			return nil, placedAt(p.Pos, err)
		}
		p.Text = strings.TrimSuffix(p.Text, rest)
		if t.any != nil || t.field != nil && t.field.Filter {
			return nil, &placed{pos: p.Pos, err: &onlyFilter{t.name()}}
		}
		f.parts = append(f.parts, part{name: p.Text, width: p.Width, typ: t.typ, read: t.read(), num: t.num, list: t.list, stamp: t.field != nil && slices.Contains(stamps, t.field.Name)})
		if rest != "" {
			f.parts = append(f.parts, part{text: rest})
		}
	}
	return f, nil
}

// shown is what a field or transformer of an output reads. Where there is no field of the name, it is the one with the longest
// name that the text begins with, and rest is what stands behind that.
func (c *compiler) shown(p *lang.Piece) (t *term, rest string, err error) {
	f, ok := p.Term.(*lang.Field)
	if !ok {
		t, err = c.term(p.Term)
		return t, "", err
	}
	if t, err = c.term(c.self(f)); err == nil {
		return t, "", nil
	}
	for n := len(f.Name); n > 0; n-- {
		name := f.Name[:n]
		if strings.HasSuffix(name, ".") || n == len(f.Name) && !f.HasArg {
			continue
		}
		t, wrong := c.term(c.self(&lang.Field{Pos: f.Pos, Name: name}))
		if wrong != nil {
			continue
		}
		rest = p.Text[n:]
		c.note(p.Pos, "", "there is no field %s: taken for %s, with %s behind it", visible(p.Text), name, visible(rest))
		return t, rest, nil
	}
	return nil, "", err
}

// self is the field, of the process itself where it is of any ancestor.
func (c *compiler) self(f *lang.Field) *lang.Field {
	of, _, _ := lookup(f.Name)
	if of == nil || of.Arg != MayIndex || f.HasArg {
		return f
	}
	if _, g, err := bindField(f.Name, "", false); err != nil || g.any == nil {
		return f
	}
	return &lang.Field{Pos: f.Pos, Name: f.Name, Arg: "0", HasArg: true, ArgPos: f.ArgPos}
}

type onlyFilter struct{ field string }

func (e *onlyFilter) Error() string {
	return e.field + " has no one value: it goes in conditions, not in outputs"
}

// write is the text for the event, and the fields that are in it.
func (f *format) write(v *event) (string, []bulwark.AlertField) {
	var b strings.Builder
	var fields []bulwark.AlertField
	for i := range f.parts {
		p := &f.parts[i]
		if p.read == nil {
			b.WriteString(p.text)
			continue
		}
		s, value := p.value(v)
		if b.Len() < maxOutput {
			b.WriteString(s)
			for n := utf8.RuneCountInString(s); n < p.width; n++ {
				b.WriteByte(' ')
			}
		}
		if !hasField(fields, p.name) {
			fields = append(fields, bulwark.AlertField{Name: p.name, Value: value})
		}
	}
	return b.String(), fields
}

func hasField(fields []bulwark.AlertField, name string) bool {
	for i := range fields {
		if fields[i].Name == name {
			return true
		}
	}
	return false
}

// value is the field as text and as what it is.
func (p *part) value(v *event) (string, any) {
	if p.list != nil {
		return p.values(v)
	}
	s, ok := p.read(v)
	if !ok {
		return missing, nil
	}
	if p.stamp {
		return s, v.Time
	}
	if p.num != nil {
		n, _ := p.num(v)
		if p.typ == Bool {
			return s, n != 0
		}
		return strconv.FormatInt(n, 10), n
	}
	s = shown(s)
	return s, s
}

// values are those of a field that has many: in parentheses as text, else a list.
func (p *part) values(v *event) (string, any) {
	list, ok := p.list(v)
	if !ok {
		return missing, nil
	}
	all := shownList(list)
	return "(" + strings.Join(all, ",") + ")", all
}

// shownList is each text of a list as [shown] has it, as far as there is room.
func shownList(list []string) []string {
	all, room := make([]string, 0, len(list)), maxValue
	for _, s := range list {
		if room < 0 {
			return append(all, "...")
		}
		s = shown(s)
		all, room = append(all, s), room-len(s)-1
	}
	return all
}

// shown is text of an event as people and files may see it: secrets masked, and nothing that steers a terminal.
func shown(s string) string {
	if masked, ok := telling.MaskJSON(s, maxValue); ok {
		return visibleJSON(masked)
	}
	if len(s) > maxValue {
		s = s[:maxValue] + "..."
	}
	return visible(telling.Mask(s))
}

const digitsHex = "0123456789abcdef"

// visible writes bytes that are no text, and signs that are not to be seen, as \x1b and \u202e. It is a copy.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1, r < 0x80 && !unicode.IsPrint(r):
			b.WriteString(`\x`)
			b.WriteByte(digitsHex[s[i]>>4])
			b.WriteByte(digitsHex[s[i]&15])
		case !unicode.IsPrint(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// visibleJSON writes signs in a document that are not to be seen as JSON has them, and keeps its lines.
func visibleJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\t' || r == '\r': // of texts they are written as escapes
			b.WriteByte(' ')
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
