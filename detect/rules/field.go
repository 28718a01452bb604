package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/internal/near"
)

// Type is what values of a field are.
type Type string

// The types of fields.
const (
	Text    Type = "text"
	Bytes   Type = "bytes"   // text that may hold anything
	Number  Type = "number"  // a whole one
	Bool    Type = "bool"    // true or false
	Address Type = "address" // of IP; compared with addresses and with networks
	Time    Type = "time"    // nanoseconds since 1970
	Span    Type = "span"    // nanoseconds
)

// Arg says what stands in the brackets behind a field.
type Arg string

// The arguments of fields.
const (
	NoArg     Arg = ""
	MayIndex  Arg = "[n]?"    // a number, or nothing
	MayKey    Arg = "[key]?"  // a text, or nothing
	NeedIndex Arg = "[n]"     // a number
	NeedKey   Arg = "[key]"   // a text
	DotOrKey  Arg = ".key"    // a text, behind a dot or in brackets
	DotOrNot  Arg = ".key?"   // the same, or nothing
	DotOnly   Arg = ".suffix" // a text behind a dot
)

// Field is a field of events, as rules name it.
type Field struct {
	Name   string `json:"name"`
	Type   Type   `json:"type"`
	Arg    Arg    `json:"arg,omitempty"`
	List   bool   `json:"list,omitempty"`   // has any number of values
	Filter bool   `json:"filter,omitempty"` // in conditions only
	Source string `json:"source"`           // of the events that have it; "": all
	Doc    string `json:"doc"`

	// bind makes what reads it, with its argument; "" is none.
	bind func(arg string) (getter, error)
}

// getter reads a field. One of text, num, addr, list and any is set, by the field's type; each says whether
// the event has it.
type getter struct {
	text func(*event) (string, bool)
	num  func(*event) (int64, bool)
	addr func(*event) (netip.Addr, bool)
	list func(*event) ([]string, bool)
	any  *several
	has  func(bulwark.Kind) bool // which kinds can have it; nil: all
	// also is another way to say the same value: the number behind a name. Texts that are equal to it match as well.
	also func(*event) (int64, bool)
	cost int // how long it takes, about; see the costs
}

// several reads a field that has more than one value at a time, each compared on its own.
type several struct {
	text func(*event, func(string) bool) bool
	num  func(*event, func(int64) bool) bool
	addr func(*event, func(netip.Addr) bool) bool
	// unequal says that != wants all to differ and not only one.
	unequal bool
}

// How long reading takes: fields that are at hand, that are put together, that are looked for.
const (
	cheap  = 0
	medium = 4
	dear   = 16
)

func text(f func(*event) (string, bool)) func(string) (getter, error) {
	return func(string) (getter, error) { return getter{text: f}, nil }
}

func built(f func(*event) (string, bool)) func(string) (getter, error) {
	return func(string) (getter, error) { return getter{text: f, cost: medium}, nil }
}

func num(f func(*event) (int64, bool)) func(string) (getter, error) {
	return func(string) (getter, error) { return getter{num: f}, nil }
}

func flag(f func(*event) (bool, bool)) func(string) (getter, error) {
	return func(string) (getter, error) {
		return getter{num: func(v *event) (int64, bool) {
			b, ok := f(v)
			if b {
				return 1, ok
			}
			return 0, ok
		}}, nil
	}
}

func addr(f func(*event) (netip.Addr, bool)) func(string) (getter, error) {
	return func(string) (getter, error) { return getter{addr: f}, nil }
}

// absent is a field that events of this engine never have.
func absent(t Type) func(string) (getter, error) {
	none := func(bulwark.Kind) bool { return false }
	return func(string) (getter, error) {
		switch t {
		case Text, Bytes:
			return getter{text: func(*event) (string, bool) { return "", false }, has: none}, nil
		case Address:
			return getter{addr: func(*event) (netip.Addr, bool) { return netip.Addr{}, false }, has: none}, nil
		}
		return getter{num: func(*event) (int64, bool) { return 0, false }, has: none}, nil
	}
}

var allFields = makeFields()

type fieldTable struct {
	list   []*Field
	byName map[string]*Field
}

func makeFields() *fieldTable {
	t := &fieldTable{byName: map[string]*Field{}}
	for _, part := range [][]Field{
		eventFields(), listFields(), openFields(), argFields(), processFields(), ancestorFields(), groupFields(), programFields(), threadFields(),
		fdFields(), socketFields(), userFields(), containerFields(), mountFields(), podFields(), pathFields(), documentFields(), auditFields(), podAuditFields(), roleAuditFields(),
	} {
		for _, f := range part {
			t.list = append(t.list, &f)
			t.byName[f.Name] = &f
		}
	}
	slices.SortFunc(t.list, func(a, b *Field) int { return strings.Compare(a.Name, b.Name) })
	return t
}

// Fields are those that events of the source have, or all where it is "", by name.
func Fields(source string) []Field {
	var list []Field
	for _, f := range allFields.list {
		if source == "" || f.Source == "" || f.Source == source {
			list = append(list, *f)
		}
	}
	return list
}

// lookup finds the field of that name, which may have an argument behind a dot.
func lookup(name string) (f *Field, arg string, ok bool) {
	if f := allFields.byName[name]; f != nil {
		return f, "", true
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '.' {
			continue
		}
		if f := allFields.byName[name[:i]]; f != nil && (f.Arg == DotOrKey || f.Arg == DotOrNot || f.Arg == DotOnly) {
			return f, name[i+1:], name[i+1:] != ""
		}
	}
	return nil, "", false
}

// bindField is what reads the field of that name with what stands in brackets behind it.
func bindField(name, arg string, hasArg bool) (*Field, getter, error) {
	f, dotted, ok := lookup(name)
	if !ok {
		return nil, getter{}, fmt.Errorf("there is no field %s%s", name, nearest(name))
	}
	if dotted != "" && hasArg {
		return nil, getter{}, fmt.Errorf("%s has an argument behind a dot and one in brackets", name)
	}
	if dotted != "" {
		arg = dotted
	}
	if err := f.takes(arg, hasArg || dotted != ""); err != nil {
		return nil, getter{}, err
	}
	g, err := f.bind(arg)
	if err != nil {
		return nil, getter{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return f, g, nil
}

func (f *Field) takes(arg string, given bool) error {
	switch f.Arg {
	case NoArg:
		if given {
			return fmt.Errorf("%s takes no argument", f.Name)
		}
	case NeedIndex, NeedKey, DotOrKey, DotOnly:
		if !given || arg == "" {
			return fmt.Errorf("%s needs an argument", f.Name)
		}
	}
	if given && (f.Arg == MayIndex || f.Arg == NeedIndex) {
		if _, err := strconv.ParseUint(arg, 10, 63); err != nil {
			return fmt.Errorf("%s takes a number in brackets, not %q", f.Name, arg)
		}
	}
	return nil
}

// ends are fields that are named as if connections had a destination: here they have a server, and a remote end.
var ends = map[string]string{"fd.dip": "fd.sip or fd.rip", "fd.dport": "fd.sport or fd.rport", "fd.dnet": "fd.snet or fd.rnet", "fd.sname": "fd.sip.name"}

// nearest hints at a field that is called almost so: with other letters, of another class, or with the same beginning.
func nearest(name string) string {
	if is := ends[name]; is != "" {
		return "; did you mean " + is + "?"
	}
	class, rest, _ := strings.Cut(name, ".")
	best, most := "", 0
	var names []string
	for _, f := range allFields.list {
		if _, other, _ := strings.Cut(f.Name, "."); other == rest {
			return "; did you mean " + f.Name + "?"
		}
		if !strings.HasPrefix(f.Name, class+".") {
			continue
		}
		names = append(names, f.Name)
		same := 0
		for same < min(len(name), len(f.Name)) && name[same] == f.Name[same] {
			same++
		}
		if same > most {
			best, most = f.Name, same
		}
	}
	if n := near.Nearest(name, slices.Values(names)); n != "" {
		best, most = n, len(n)
	}
	if most <= len(class)+1 {
		return ""
	}
	return "; did you mean " + best + "?"
}
