package gitleaks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// extend reads what the file says it extends, and joins it.
func (l *loader) extend(c *config, table map[string]any, depth int) error {
	t, _ := table["extend"].(map[string]any)
	r := reader{l: l, t: t, file: c.name, path: "extend", where: c.where}
	path, url, useDefault := r.text("path"), r.text("url"), r.flag("usedefault")
	for _, id := range r.texts("disabledrules") {
		c.disabled[id] = c.where.of("extend/disabledrules")
	}
	if url != "" {
		r.wrong("url", "extend.url is not followed: rules come from files")
	}
	switch {
	case path != "" && useDefault:
		r.wrong("path", "extend has both path and useDefault; neither is followed")
	case useDefault:
		c.extended = true
	case path != "":
		return l.extendFile(c, path, depth)
	}
	return nil
}

// extendFile joins the rules of another file.
func (l *loader) extendFile(c *config, path string, depth int) error {
	at := c.where.of("extend/path")
	if depth >= maxDepth || l.options.Open == nil {
		l.problem(c.name, at, "", "extend.path %q is not followed", path)
		return nil
	}
	data, err := l.options.Open(path)
	if err != nil {
		l.problem(c.name, at, "", "extend.path: %v", err)
		return nil
	}
	base, err := l.config(path, data, depth+1)
	if err != nil {
		return fmt.Errorf("%s extends %w", c.name, err)
	}
	c.join(base)
	return nil
}

// join takes over the rules of another file; what this one says of a rule of the same id counts more.
func (c *config) join(base *config) {
	for _, b := range base.rules {
		if _, off := c.disabled[b.id]; off {
			delete(c.disabled, b.id)
			continue
		}
		if own := c.byID[b.id]; own != nil {
			own.extends(b)
			continue
		}
		c.byID[b.id] = b
		c.rules = append(c.rules, b)
	}
	c.allow = append(c.allow, base.allow...)
	c.extended = c.extended || base.extended
	for id, at := range base.disabled {
		c.disabled[id] = at
	}
}

// extends fills in what a rule leaves to the one that it extends.
func (e *entry) extends(b *entry) {
	if e.regex == "" {
		e.regex, e.regexAt = b.regex, b.regexAt
	}
	e.path = cmp.Or(e.path, b.path)
	e.description = cmp.Or(e.description, b.description)
	e.entropy, e.group = cmp.Or(e.entropy, b.entropy), cmp.Or(e.group, b.group)
	e.tags, e.keywords = append(b.tags, e.tags...), append(b.keywords, e.keywords...)
	e.allow = append(b.allow, e.allow...)
	e.wrong, e.skip, e.required = e.wrong || b.wrong, e.skip || b.skip, e.required || b.required
}

// aliases are the built-in rules by the ids that gitleaks has for what they find.
func (l *loader) aliases() map[string][]string {
	out := map[string][]string{}
	for _, r := range l.options.Builtin {
		out[r.ID] = append(out[r.ID], r.ID)
		for _, tag := range r.Tags {
			if id, ok := strings.CutPrefix(tag, "gitleaks:"); ok && id != r.ID {
				out[id] = append(out[id], r.ID)
			}
		}
	}
	if len(l.options.Builtin) > 0 && len(out["generic-api-key"]) == 0 {
		out["generic-api-key"] = []string{"generic-secret"}
	}
	return out
}

// builtin settles what the file says of built-in rules: those that it turns off, and those
// that it changes. A change of the expression makes the rule the file's own; else it cannot be taken.
func (l *loader) builtin(c *config, f *File) {
	if !c.extended {
		return
	}
	f.UseDefault = true
	aliases := l.aliases()
	for id, at := range c.disabled {
		if len(aliases[id]) == 0 {
			l.note(c.name, at, id, "no built-in rule stands for the rule that disabledRules turns off")
		}
		f.Disabled = append(f.Disabled, aliases[id]...)
	}
	c.rules = slices.DeleteFunc(c.rules, func(e *entry) bool {
		ids := aliases[e.id]
		if len(ids) == 0 {
			return false
		}
		if e.regex == "" && e.path == "" {
			l.adjust(c, f, e, ids)
			return true
		}
		f.Disabled = append(f.Disabled, ids...)
		return false
	})
	slices.Sort(f.Disabled)
	f.Disabled = slices.Compact(f.Disabled)
}

// adjust makes versions of built-in rules with what the file adds to them.
func (l *loader) adjust(c *config, f *File, e *entry, ids []string) {
	if e.wrong {
		return
	}
	for _, b := range l.options.Builtin {
		if !slices.Contains(ids, b.ID) {
			continue
		}
		r := clone(b)
		r.Tags = append(r.Tags, e.tags...)
		r.Title, r.Entropy, r.Group = cmp.Or(titleOf(e.description), r.Title), cmp.Or(e.entropy, r.Entropy), cmp.Or(e.group, r.Group)
		allow, err := l.allowed(e.allow, e.id)
		if err == nil {
			r.Allow = append(r.Allow, append(allow, f.Allow...)...)
			err = r.Valid()
		}
		if err != nil {
			l.problem(c.name, e.at, e.id, "%v", err)
			continue
		}
		f.Disabled = append(f.Disabled, b.ID)
		f.Rules = append(f.Rules, r)
	}
	if e.required {
		l.note(c.name, e.at, e.id, "required rules are not looked at")
	}
}
