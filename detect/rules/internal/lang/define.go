package lang

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// listDef is a list as files say it.
type listDef struct {
	name  string
	pos   Pos
	items []Value
	state state
	used  bool
	vals  []Value
}

// macroDef is a macro as files say it.
type macroDef struct {
	name   string
	pos    Pos
	cond   []text
	index  int // when it was first named
	seen   int // when it was last named: it may use what was named before
	state  state
	used   bool
	failed bool
	expr   Expr
	weight weight
}

// ruleDef is a rule as files say it.
type ruleDef struct {
	Rule
	cond, output []text
	exceptions   []*exception
	notes        []Problem // warnings that are to be told
}

// state is how far the making of something is.
type state uint8

const (
	untouched state = iota
	making
	made
)

// listName tells whether a list may be called so.
func listName(s string) bool { return s != "" && !strings.ContainsAny(s, stopsValue+" \t\r\n\b\v\f") }

// macroName tells whether a macro may be called so.
func macroName(s string) bool { return s != "" && word(s) == s }

// again warns of a name that a file gives twice.
func (l *loader) again(of named, now, then Pos) {
	if now.File == then.File {
		l.warn(now, of, "", "the file has this %s at line %d already; the later counts", of.kind, then.Line)
	}
}

// appends tells whether an item is to be appended to, by the old key or by override of the one part that it has.
func (l *loader) appends(o *object, of named, part string) (bool, error) {
	old, err := l.oldAppend(o, of)
	if err != nil {
		return false, err
	}
	how, err := overrides(o, []string{part}, []string{part})
	if err != nil {
		return false, err
	}
	if old && len(how) > 0 {
		return false, o.fail("append", "%s has both append and override", o.what)
	}
	return old || how[part] == "append", nil
}

func (l *loader) oldAppend(o *object, of named) (bool, error) {
	old, err := o.bool("append", false)
	if old {
		l.warn(o.at["append"], of, CodeDeprecated, "append is deprecated; override says of each part what becomes of it")
	}
	return old, err
}

func (l *loader) list(o *object) error {
	name := o.keys["list"].Value
	if !listName(name) {
		l.warn(o.src.pos(o.keys["list"]), named{"list", name}, "LOAD_INVALID_LIST_NAME", "%s is no name of a list that conditions can give: blanks, quotes, commas, = and parentheses cannot be in one", quoteOf(name))
	}
	if !o.has("items") {
		return o.fail("", "%s has no items", o.what)
	}
	nodes, err := o.scalars("items")
	if err != nil {
		return err
	}
	more, err := l.appends(o, named{"list", name}, "items")
	if err != nil {
		return err
	}
	if err := l.room(o.src.pos(o.node), len(nodes)); err != nil {
		return err
	}
	def := l.lists[name]
	switch {
	case more && def == nil:
		return o.unfit("list", "no list %s to append to is known here%s", quoteOf(name), meant(name, maps.Keys(l.lists)))
	case def == nil:
		def = &listDef{name: name, pos: o.src.pos(o.node)}
		l.lists[name] = def
		l.order.lists = append(l.order.lists, def)
	case !more:
		l.again(named{"list", name}, o.src.pos(o.node), def.pos)
		def.pos, def.items = o.src.pos(o.node), nil
	}
	for _, n := range nodes {
		def.items = append(def.items, item(o.src, n))
	}
	return nil
}

// room counts values.
func (l *loader) room(at Pos, n int) error {
	if l.values += n; l.values > maxValues {
		l.values -= n
		return &syntaxError{pos: at, text: "more than a million values in lists"}
	}
	return nil
}

// item is an item of a list. One that has quotes of its own is what is in them.
func item(src *source, n *yaml.Node) Value {
	v := Value{Text: n.Value, Pos: src.pos(n)}
	if s := v.Text; len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		if inner, wrong := unescape(s[1:len(s)-1]+s[:1], s[0]); wrong < 0 {
			v.Text, v.Quoted = inner[:len(inner)-1], true
		}
	}
	return v
}

func (l *loader) macro(o *object) error {
	name := o.keys["macro"].Value
	if !macroName(name) {
		l.warn(o.src.pos(o.keys["macro"]), named{"macro", name}, "LOAD_INVALID_MACRO_NAME", "%s is no name of a macro that conditions can give: a letter, then letters, digits and _", quoteOf(name))
	}
	cond, err := o.text("condition")
	if err != nil {
		return err
	}
	more, err := l.appends(o, named{"macro", name}, "condition")
	if err != nil {
		return err
	}
	def := l.macros[name]
	switch {
	case more && def == nil:
		return o.unfit("macro", "no macro %s to append to is known here%s", name, meant(name, maps.Keys(l.macros)))
	case more:
		def.cond = append(def.cond, cond)
	case def == nil:
		def = &macroDef{name: name, pos: o.src.pos(o.node), cond: []text{cond}, index: l.count}
		l.macros[name] = def
		l.order.macros = append(l.order.macros, def)
	default:
		l.again(named{"macro", name}, o.src.pos(o.node), def.pos)
		def.pos, def.cond = o.src.pos(o.node), []text{cond}
	}
	def.seen = l.count
	return nil
}

// overrides reads what becomes of each part of an item: "append" or "replace". All parts that it has need a word.
func overrides(o *object, appendable, replaceable []string) (map[string]string, error) {
	n := o.keys["override"]
	if n == nil || null(n) {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, o.fail("override", "override of %s has to be keys with append or replace", o.what)
	}
	how := newObject(o.src, n)
	how.what = "override of " + o.what
	out := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(how.keys)) {
		word, err := how.string(key)
		if err != nil {
			return nil, err
		}
		switch {
		case !slices.Contains(appendable, key) && !slices.Contains(replaceable, key):
			return nil, &syntaxError{pos: how.at[key], text: quoteOf(key) + " is nothing that is overridden" + meant(key, slices.Values(replaceable)), code: CodeForm}
		case word != "append" && word != "replace":
			return nil, how.fail(key, "%s is neither append nor replace", quoteOf(word))
		case word == "append" && !slices.Contains(appendable, key):
			return nil, how.fail(key, "%s cannot be appended to, only replaced", key)
		case !o.has(key):
			return nil, &syntaxError{pos: how.at[key], text: "override says " + word + " of " + key + ", and " + o.what + " has no " + key, code: CodeForm}
		}
		out[key] = word
	}
	for _, key := range replaceable {
		if len(out) > 0 && o.has(key) && out[key] == "" {
			return nil, &syntaxError{pos: o.at[key], text: "override says nothing of " + key + ": append or replace", code: CodeForm}
		}
	}
	return out, nil
}

// plugins reads what is required of plugins.
func (l *loader) plugins(o *object) error {
	n := o.keys["required_plugin_versions"]
	if n.Kind != yaml.SequenceNode {
		return o.fail("required_plugin_versions", "required_plugin_versions has to be a list")
	}
	for _, c := range n.Content {
		p, err := plugin(o.src, deref(c), true)
		if err != nil {
			return err
		}
		l.set.Plugins = append(l.set.Plugins, p)
	}
	return nil
}

func plugin(src *source, n *yaml.Node, whole bool) (p Plugin, err error) {
	p.Pos = src.pos(n)
	if n.Kind != yaml.MappingNode {
		return p, &syntaxError{pos: p.Pos, text: "a plugin is given by its name and version"}
	}
	o := newObject(src, n)
	o.what = "the plugin"
	if p.Name, err = o.string("name"); err != nil {
		return p, err
	}
	if p.Version, err = o.string("version"); err != nil {
		return p, err
	}
	if _, ok := parseVersion(p.Version); !ok {
		return p, o.unfit("version", "%s is no version: x.y.z", quoteOf(p.Version))
	}
	list := o.keys["alternatives"]
	if list == nil || !whole {
		return p, nil
	}
	if list.Kind != yaml.SequenceNode {
		return p, o.fail("alternatives", "alternatives have to be a list")
	}
	names := []string{p.Name}
	for _, c := range list.Content {
		a, err := plugin(src, deref(c), false)
		if err != nil {
			return p, err
		}
		if slices.Contains(names, a.Name) {
			return p, &syntaxError{pos: a.Pos, text: "the plugin " + quoteOf(a.Name) + " is given twice"}
		}
		names = append(names, a.Name)
		p.Alternatives = append(p.Alternatives, a)
	}
	return p, nil
}

var priorities = map[string]Priority{
	"emergency": Emergency, "alert": Alert, "critical": Critical, "error": Error, "warning": Warning, "notice": Notice,
	"informational": Informational, "info": Informational, "debug": Debug,
}

// String is the priority as Falco writes it.
func (p Priority) String() string {
	return [...]string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}[min(p, Debug)]
}

// ParsePriority reads the name of a priority, in any case.
func ParsePriority(s string) (Priority, bool) {
	p, ok := priorities[strings.ToLower(s)]
	return p, ok
}
