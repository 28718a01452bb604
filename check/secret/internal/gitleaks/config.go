package gitleaks

import (
	"fmt"
	"slices"
	"strings"
)

// config is a file, its rules as they are written.
type config struct {
	name     string
	rules    []*entry
	byID     map[string]*entry
	allow    []*allowlist
	extended bool // the built-in rules
	disabled map[string]position
	where    positions
}

// entry is a rule as it is written, and what it adds to one of the same id that it extends.
type entry struct {
	file                  string
	at, regexAt, pathAt   position
	id, description       string
	regex, path           string
	group                 int
	entropy               float64
	keywords, tags        []string
	allow                 []*allowlist
	required, skip, wrong bool
}

// allowlist as it is written.
type allowlist struct {
	file                      string
	at                        position
	and                       bool
	target                    string
	commits                   int
	paths, regexes, stopwords []string
	rules                     []string // the only ones that it is for
}

// loader reads a file and those that it extends.
type loader struct {
	options  Options
	left     int // rules that may still be read
	sizes    int // instructions that expressions may still have
	problems []Problem
	notes    []Problem
}

func (l *loader) problem(file string, at position, rule, format string, args ...any) {
	l.problems = append(l.problems, Problem{file, at.line, at.column, shown(rule), shown(fmt.Sprintf(format, args...))})
}

func (l *loader) note(file string, at position, rule, format string, args ...any) {
	l.notes = append(l.notes, Problem{file, at.line, at.column, shown(rule), shown(fmt.Sprintf(format, args...))})
}

// config reads one file, and what it extends.
func (l *loader) config(name string, data []byte, depth int) (*config, error) {
	table, where, err := decode(name, data)
	if err != nil {
		return nil, err
	}
	c := &config{name: name, where: where, byID: map[string]*entry{}, disabled: map[string]position{}}
	list := tables(table["rules"])
	if len(list) > l.left {
		return nil, tooMany(name)
	}
	l.left -= len(list)
	if v, ok := table["rules"].([]any); table["rules"] != nil && len(list) == 0 || ok && len(v) != len(list) {
		l.problem(name, where.of("rules"), "", "rules is no list of tables")
	}
	for i, t := range list {
		l.entry(c, t, fmt.Sprintf("rules/%d", i))
	}
	l.global(c, table)
	return c, l.extend(c, table, depth)
}

// entry reads one rule.
func (l *loader) entry(c *config, t map[string]any, path string) {
	r := reader{l: l, t: t, file: c.name, path: path, where: c.where}
	e := &entry{file: c.name, at: c.where.of(path), regexAt: c.where.of(path + "/regex"), pathAt: c.where.of(path + "/path")}
	e.id = r.text("id")
	r.rule = e.id
	e.description, e.regex, e.path = r.text("description"), r.text("regex"), r.text("path")
	e.group, e.entropy = int(r.number("secretgroup")), r.number("entropy")
	e.keywords, e.tags = r.texts("keywords"), r.texts("tags")
	e.skip, e.required = r.flag("skipreport"), len(tables(t["required"])) > 0
	old, lists := tables(t["allowlist"]), tables(t["allowlists"])
	if len(old) > 0 && len(lists) > 0 {
		r.wrong("allowlist", "has both [rules.allowlist] and [[rules.allowlists]]")
	}
	for i, a := range old {
		e.allow = append(e.allow, l.allowlist(c, a, e.id, fmt.Sprintf("%s/allowlist/%d", path, i)))
	}
	for i, a := range lists {
		e.allow = append(e.allow, l.allowlist(c, a, e.id, fmt.Sprintf("%s/allowlists/%d", path, i)))
	}
	e.wrong = r.failed || slices.Contains(e.allow, nil)
	if strings.TrimSpace(e.id) == "" {
		l.problem(c.name, e.at, "", "the rule has no id")
		return
	}
	if other := c.byID[e.id]; other != nil {
		l.problem(c.name, other.at, e.id, "another rule of this id follows in line %d, which counts instead", e.at.line)
		c.rules = slices.DeleteFunc(c.rules, func(x *entry) bool { return x == other })
	}
	c.byID[e.id] = e
	c.rules = append(c.rules, e)
}

// global reads the allowlists that are for every rule.
func (l *loader) global(c *config, t map[string]any) {
	old, lists := tables(t["allowlist"]), tables(t["allowlists"])
	if len(old) > 0 && len(lists) > 0 {
		l.problem(c.name, c.where.of("allowlist"), "", "the file has both [allowlist] and [[allowlists]]; the first is left out")
		old = nil
	}
	for i, a := range old {
		c.addGlobal(l.allowlist(c, a, "", fmt.Sprintf("allowlist/%d", i)))
	}
	for i, a := range lists {
		c.addGlobal(l.allowlist(c, a, "", fmt.Sprintf("allowlists/%d", i)))
	}
}

func (c *config) addGlobal(a *allowlist) {
	if a != nil {
		c.allow = append(c.allow, a)
	}
}

// allowlist reads a list; nil when something is wrong with it.
func (l *loader) allowlist(c *config, t map[string]any, id, path string) *allowlist {
	r := reader{l: l, t: t, file: c.name, path: path, rule: id, where: c.where}
	a := &allowlist{file: c.name, at: c.where.of(path), target: r.text("regextarget"), paths: r.texts("paths"), regexes: r.texts("regexes"),
		stopwords: r.texts("stopwords"), rules: r.texts("targetrules"), commits: len(r.texts("commits"))}
	switch condition := r.text("condition"); strings.ToUpper(condition) {
	case "", "OR", "||":
	case "AND", "&&":
		a.and = true
	default:
		r.wrong("condition", "the condition of its allowlist is %q, not AND or OR", condition)
	}
	switch a.target {
	case "", "match", "line":
	case "secret":
		a.target = ""
	default:
		r.wrong("regextarget", "the regexTarget of its allowlist is %q, not secret, match or line", a.target)
	}
	if len(a.paths)+len(a.regexes)+len(a.stopwords)+a.commits == 0 {
		r.wrong("", "its allowlist lists no commits, paths, regexes or stopwords")
	}
	if r.failed {
		return nil
	}
	return a
}
