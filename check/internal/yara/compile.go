package yara

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bulwark/check/internal/yara/syntax"
)

const (
	maxSource   = 32 << 20
	maxTotal    = 256 << 20
	maxInclude  = 16
	maxIncluded = 1000
	maxRules    = 100_000
	maxTexts    = 1_000_000
)

// Compile makes rules of sources. What is wrong with some of them is in the problems;
// all others work.
func Compile(sources []Source) (*Rules, []Problem) {
	c := &compiler{out: &Rules{}}
	for i := range sources {
		c.space = &space{id: i, rules: map[string]*Rule{}, modules: map[string]*typ{}, refused: map[string]string{}, seen: map[string]bool{}, source: &sources[i]}
		c.source(sources[i].Name, sources[i].Text, 0)
	}
	c.out.spaces = len(sources)
	c.out.finder = newFinder(c.out.strings)
	for _, r := range c.out.rules {
		if !r.idle {
			c.out.always = append(c.out.always, r)
		}
	}
	return c.out, c.problems
}

// compiler is the state of compiling all sources.
type compiler struct {
	out      *Rules
	problems []Problem
	space    *space
	total    int
	file     string
	within   string // the included file that is being read; empty: none
}

// space is what one source knows, and what it includes.
type space struct {
	id       int
	source   *Source
	rules    map[string]*Rule
	order    []*Rule
	modules  map[string]*typ
	refused  map[string]string // rules and modules, and why
	seen     map[string]bool   // included files
	included int
}

func (c *compiler) problem(at syntax.Pos, rule, format string, args ...any) {
	c.problems = append(c.problems, Problem{c.file, at.Line, at.Column, rule, printable(fmt.Sprintf(format, args...))})
}

// printable takes out what must not reach a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '.'
		}
		return r
	}, s)
}

func (c *compiler) source(name, text string, depth int) {
	file := c.file
	defer func() { c.file = file }()
	c.file = name
	c.total += len(text)
	if len(text) > maxSource || c.total > maxTotal {
		c.problem(syntax.Pos{}, "", "not read: more than %d MB of rules, or %d MB in one file", maxTotal>>20, maxSource>>20)
		return
	}
	f := syntax.Parse(text)
	for _, e := range f.Errors {
		c.problem(e.Pos, e.Rule, "%s", e.Text)
		if e.Rule != "" {
			c.space.refused[e.Rule] = "it has a syntax error"
		}
	}
	for i := range f.Items {
		switch it := &f.Items[i]; {
		case it.Rule != nil:
			c.rule(it.Rule)
		case it.Import != "":
			c.imports(it)
		case it.Include != "":
			c.include(it, depth)
		}
	}
}

func (c *compiler) imports(it *syntax.Item) {
	t, ok := modules[it.Import]
	if !ok {
		t = &typ{k: module, refuse: "is not known"}
	}
	c.space.modules[it.Import] = t
}

func (c *compiler) include(it *syntax.Item, depth int) {
	sp := c.space
	switch {
	case sp.source.Include == nil:
		c.problem(it.Pos, "", "include %q: there are no files to include", it.Include)
		return
	case depth >= maxInclude:
		c.problem(it.Pos, "", "include %q: files include each other more than %d deep", it.Include, maxInclude)
		return
	case sp.included >= maxIncluded:
		c.problem(it.Pos, "", "include %q: more than %d files are included", it.Include, maxIncluded)
		return
	}
	sp.included++
	name := beside(c.within, it.Include)
	text, err := sp.source.Include(name)
	if err != nil {
		c.problem(it.Pos, "", "include %q: %v", it.Include, err)
		return
	}
	within := c.within
	c.within = name
	c.source(name, text, depth+1)
	c.within = within
}

// beside is the name of an included file as its source knows it: names are relative to
// the file that includes. Absolute ones stay so, and are refused by who opens them.
func beside(within, name string) string {
	if path.IsAbs(name) || within == "" {
		return name
	}
	return path.Join(path.Dir(within), name)
}

// rule adds a rule, or says why not.
func (c *compiler) rule(r *syntax.Rule) {
	sp := c.space
	refuse := func(at syntax.Pos, format string, args ...any) {
		c.problem(at, r.Name, format, args...)
		if sp.rules[r.Name] == nil {
			sp.refused[r.Name] = "it was refused"
		}
	}
	switch {
	case sp.rules[r.Name] != nil:
		refuse(r.Pos, "there is a rule of that name already")
		return
	case sp.modules[r.Name] != nil:
		refuse(r.Pos, "its name is a module's")
		return
	case len(c.out.rules) >= maxRules || len(c.out.strings)+len(r.Strings) > maxTexts:
		refuse(r.Pos, "more than %d rules, or %d strings", maxRules, maxTexts)
		return
	}
	out := &Rule{Name: r.Name, File: c.file, Line: r.Pos.Line, Tags: r.Tags, Meta: r.Meta, Global: r.Global, Private: r.Private, space: sp.id}
	x := &expression{c: c, rule: out, base: len(c.out.strings)}
	for _, s := range r.Strings {
		x.texts = append(x.texts, newText(s, out))
	}
	cond := x.condition(r.Condition)
	for i, t := range x.texts {
		if x.err == nil && !t.used && !strings.HasPrefix(t.id, "$_") {
			x.fail(r.Strings[i].Pos, "string %s is not used in the condition", t.id)
		}
	}
	if x.err != nil {
		refuse(x.err.Pos, "%s", x.err.Text)
		return
	}
	out.index, out.condition, out.guard = len(c.out.rules), cond.run, newGuard(r.Condition)
	out.idle = cond.void && !out.Global && len(x.texts) > 0
	c.out.whole = c.out.whole || x.whole
	for i := range x.texts {
		out.strings = append(out.strings, x.base+i)
	}
	c.out.strings = append(c.out.strings, x.texts...)
	c.out.rules = append(c.out.rules, out)
	sp.rules[r.Name] = out
	sp.order = append(sp.order, out)
	delete(sp.refused, r.Name)
}

// external are the variables that the engine defines for rules.
var external = []string{"filename", "filepath", "extension", "filetype", "owner"}

func isExternal(name string) bool { return slices.Contains(external, name) }

// Included gives the texts of all files that a source includes, for what depends on
// every byte of the rules.
func Included(s Source) []string {
	if s.Include == nil {
		return nil
	}
	var out []string
	total := 0
	var follow func(within, text string, depth int)
	follow = func(within, text string, depth int) {
		for _, it := range syntax.Parse(text).Items {
			if it.Include == "" || depth >= maxInclude || len(out) >= maxIncluded || total > maxTotal {
				continue
			}
			name := beside(within, it.Include)
			if t, err := s.Include(name); err == nil {
				out = append(out, t)
				total += len(t)
				follow(name, t, depth+1)
			}
		}
	}
	follow("", s.Text, 0)
	return out
}
