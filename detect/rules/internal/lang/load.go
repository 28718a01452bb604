package lang

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a file of rules.
type File struct {
	Name string
	Data []byte // not changed, and not kept
}

// loader puts together what files say.
type loader struct {
	set    *Set
	rules  map[string]*ruleDef
	macros map[string]*macroDef
	lists  map[string]*listDef
	order  struct {
		rules  []*ruleDef
		macros []*macroDef
		lists  []*listDef
	}
	file   int32
	full   bool
	count  int // items
	values int // in lists and checks
	checks int // of conditions, with macros in place of their names
	nested int // macros that are being made, one in the other
}

// Load reads files in their order: what a later one says of a name overrides what earlier ones say. Whatever is wrong
// is a Problem of the set, and keeps only the rule from it that it is about.
func Load(files []File) *Set {
	l := &loader{set: &Set{}, rules: map[string]*ruleDef{}, macros: map[string]*macroDef{}, lists: map[string]*listDef{}}
	for i, f := range files {
		l.file = int32(i)
		l.set.Files = append(l.set.Files, f.Name)
		l.read(f)
	}
	l.resolve()
	slices.SortStableFunc(l.set.Problems, func(a, b Problem) int { return before(a.Pos, b.Pos) })
	return l.set
}

func before(a, b Pos) int {
	if a.File != b.File {
		return int(a.File - b.File)
	}
	if a.Line != b.Line {
		return int(a.Line - b.Line)
	}
	return int(a.Column - b.Column)
}

// Place is where a position is: file:line:column.
func (s *Set) Place(p Pos) string {
	if p.Line == 0 || int(p.File) >= len(s.Files) {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", s.Files[p.File], p.Line, p.Column)
}

// named is a rule, macro or list by its name; the zero value is none.
type named struct{ kind, name string }

func (l *loader) problem(at Pos, code, format string, args ...any) {
	l.tell(Problem{Pos: at, Text: fmt.Sprintf(format, args...), Code: code})
}

func (l *loader) warn(at Pos, of named, code, format string, args ...any) {
	l.tell(Problem{Pos: at, Kind: of.kind, Rule: of.name, Text: fmt.Sprintf(format, args...), Warning: true, Code: code})
}

// tell keeps a problem: of very many the first, errors rather than warnings.
func (l *loader) tell(p Problem) {
	switch n := len(l.set.Problems); {
	case n < maxProblems/2 || n < maxProblems && !p.Warning:
		l.set.Problems = append(l.set.Problems, p)
	case n == maxProblems:
		l.set.Problems = append(l.set.Problems, Problem{Pos: p.Pos, Text: "more is wrong than is told"})
	}
}

// wrong keeps an error as problem, or each of several.
func (l *loader) wrong(err error, of named) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			l.wrong(e, of)
		}
		return
	}
	p := Problem{Pos: Pos{File: l.file}, Kind: of.kind, Rule: of.name, Text: err.Error(), Code: CodeInvalid}
	if e, ok := err.(*syntaxError); ok {
		p.Pos, p.Code = e.pos, cmp.Or(e.code, CodeInvalid)
	}
	l.tell(p)
}

func (l *loader) read(f File) {
	if len(f.Data) > MaxFile {
		l.problem(Pos{l.file, 1, 1}, CodeForm, "the file has %d MB; at most %d MB are read", len(f.Data)>>20, MaxFile>>20)
		return
	}
	src := newSource(l.file, strings.TrimPrefix(string(f.Data), "\ufeff"), 0)
	if err := required(src); err != nil {
		l.wrong(err, named{})
		return
	}
	l.items(src, l.item)
}

// required looks for what a file requires of the engine, before anything of it is taken.
func required(src *source) error {
	for _, part := range parts(src) {
		if !strings.Contains(part.data, "required_engine_version") || begins(part.data) > maxNodes {
			continue
		}
		docs, _ := documents(part.data) // what is no YAML is told when the items are read
		for _, d := range docs {
			for _, n := range deref(d).Content {
				if n = deref(n); n.Kind != yaml.MappingNode {
					continue
				}
				o := newObject(part, n)
				o.what = "the item"
				if !o.has("required_engine_version") {
					continue
				}
				if err := engine(o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// kinds are the kinds of items, each by the key that tells it, and what else they may have.
var kinds = []struct {
	key   string
	known []string
	read  func(*loader, *object) error
}{
	{"required_engine_version", nil, func(*loader, *object) error { return nil }},
	{"required_plugin_versions", nil, (*loader).plugins},
	{"list", []string{"items", "append", "override"}, (*loader).list},
	{"macro", []string{"condition", "append", "override"}, (*loader).macro},
	{"rule", []string{
		"desc", "condition", "output", "priority", "source", "enabled", "tags", "exceptions", "append", "override",
		"warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration", "action",
	}, (*loader).rule},
}

func (l *loader) item(src *source, n *yaml.Node) {
	if l.full {
		return
	}
	if l.count++; l.count > maxItems {
		l.full = true
		l.problem(src.pos(n), CodeForm, "more than %d rules, macros and lists; from here nothing is read", maxItems)
		return
	}
	if n.Kind != yaml.MappingNode {
		l.problem(src.pos(n), CodeForm, "expected a rule, macro or list: keys with values")
		return
	}
	o := newObject(src, n)
	for _, k := range kinds {
		if !o.has(k.key) {
			continue
		}
		o.what = k.key
		of := named{kind: k.key}
		if k.known != nil {
			var err error
			if of.name, err = o.string(k.key); err != nil {
				l.wrong(err, of)
				return
			}
			o.what = k.key + " " + quoteOf(of.name)
			l.keys(o, of, append(k.known, k.key))
		}
		if err := k.read(l, o); err != nil {
			l.wrong(err, of)
		}
		return
	}
	l.noKind(o)
}

// noKind says that an item is none that is known.
func (l *loader) noKind(o *object) {
	names := func(yield func(string) bool) {
		for _, k := range kinds {
			if !yield(k.key) {
				return
			}
		}
	}
	hint := ""
	for _, key := range slices.Sorted(maps.Keys(o.keys)) {
		if hint = meant(key, names); hint != "" {
			break
		}
	}
	l.warn(o.src.pos(o.node), named{}, "LOAD_UNKNOWN_ITEM", "neither rule nor macro nor list: left out%s", hint)
}

// keys warns of keys that are not known or given twice.
func (l *loader) keys(o *object, of named, known []string) {
	for key := range o.unknown(known) {
		l.warn(o.at[key], of, "LOAD_UNKNOWN_KEY", "%s is no key of a %s%s", quoteOf(key), of.kind, meant(key, slices.Values(known)))
	}
	for _, key := range o.dup {
		l.warn(o.src.pos(key), of, "", "%s is given twice; the first counts", quoteOf(deref(key).Value))
	}
}
