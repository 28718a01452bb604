package lang

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

var (
	appendable  = []string{"condition", "output", "desc", "tags", "exceptions"}
	replaceable = []string{
		"condition", "output", "desc", "priority", "tags", "exceptions", "enabled", "warn_evttypes", "skip-if-unknown-filter",
		"capture", "capture_duration", "action",
	}
)

var actions = []string{"alert", "freeze", "kill", "deny"}

func (l *loader) rule(o *object) error {
	name := o.keys["rule"].Value
	defer l.notes(name)
	old, err := l.oldAppend(o, named{"rule", name})
	if err != nil {
		return err
	}
	how, err := overrides(o, appendable, replaceable)
	if err != nil {
		return err
	}
	switch def := l.rules[name]; {
	case old && len(how) > 0:
		return o.fail("append", "%s has both append and override", o.what)
	case (old || len(how) > 0) && def == nil:
		return o.unfit("rule", "no rule %s is known here that could be changed%s", quoteOf(name), meant(name, maps.Keys(l.rules)))
	case old && !o.has("condition") && !o.has("exceptions"):
		return o.unfit("rule", "%s is to be appended to, and has neither condition nor exceptions", o.what)
	case old:
		return def.change(o, map[string]string{"condition": "append", "exceptions": "append"})
	case len(how) > 0:
		return def.change(o, how)
	case !o.has("condition") && !o.has("output") && !o.has("desc") && !o.has("priority"):
		return l.enable(o, name)
	}
	return l.define(o, name)
}

// notes tells the warnings that reading a rule left.
func (l *loader) notes(name string) {
	def := l.rules[name]
	if def == nil {
		return
	}
	for _, p := range def.notes {
		l.tell(p)
	}
	def.notes = nil
}

// note keeps a warning of the rule until it is known to be taken.
func (d *ruleDef) note(at Pos, code, format string, args ...any) {
	d.notes = append(d.notes, Problem{Pos: at, Kind: "rule", Rule: d.Name, Text: fmt.Sprintf(format, args...), Warning: true, Code: code})
}

// enable reads the short form that only turns a rule on or off.
func (l *loader) enable(o *object, name string) error {
	if !o.has("enabled") {
		return o.fail("", "%s has no condition, output, desc and priority", o.what)
	}
	on, err := o.bool("enabled", true)
	if err != nil {
		return err
	}
	def := l.rules[name]
	if def == nil {
		return o.unfit("rule", "no rule %s is known here that could be enabled or disabled%s", quoteOf(name), meant(name, maps.Keys(l.rules)))
	}
	l.warn(o.at["enabled"], named{"rule", name}, CodeDeprecated, "enabled without override is deprecated; add override: {enabled: replace}")
	def.Enabled = on
	return nil
}

// define reads a whole rule.
func (l *loader) define(o *object, name string) error {
	def := &ruleDef{Rule: Rule{Name: name, Source: "syscall", Enabled: true, WarnEventTypes: true, Pos: o.src.pos(o.node)}}
	all := map[string]string{}
	for _, key := range []string{"condition", "desc", "output", "priority"} {
		if !o.has(key) {
			return o.fail("", "%s has no %s", o.what, key)
		}
	}
	for _, key := range replaceable {
		if o.has(key) {
			all[key] = "replace"
		}
	}
	if err := def.change(o, all); err != nil {
		return errors.Join(err, def.tried(o))
	}
	if o.has("source") {
		s, err := o.string("source")
		if err != nil {
			return err
		}
		def.Source = s
	}
	was := l.rules[name]
	if was == nil {
		l.rules[name] = def
		l.order.rules = append(l.order.rules, def)
		return nil
	}
	if was.Source != def.Source {
		return o.unfit("source", "%s is of source %s, and was of %s before: that cannot change", o.what, def.Source, was.Source)
	}
	l.again(named{"rule", name}, def.Pos, was.Pos)
	*was = *def
	return nil
}

// change takes over the parts of o that how names; nothing of them where any is wrong.
func (d *ruleDef) change(o *object, how map[string]string) error {
	now := *d
	now.cond, now.output = slices.Clone(d.cond), slices.Clone(d.output)
	now.Tags, now.exceptions = slices.Clone(d.Tags), cloneAll(d.exceptions)
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(how)) {
		if o.has(key) {
			wrong = append(wrong, now.part(o, key, how[key] == "append"))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	*d = now
	return nil
}

// tried is what is wrong with the form of the condition and output of a rule that is not taken for another reason.
func (d *ruleDef) tried(o *object) error {
	var wrong []error
	if t, err := o.text("condition"); err == nil {
		_, err = parseCondition(&t)
		wrong = append(wrong, err)
	}
	if t, err := o.text("output"); err == nil {
		_, err = parseOutput(&t)
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// part takes over one part.
func (d *ruleDef) part(o *object, key string, more bool) (err error) {
	switch key {
	case "condition":
		return extend(&d.cond, &d.ConditionPos, o, key, more)
	case "output":
		return extend(&d.output, &d.OutputPos, o, key, more)
	case "desc":
		s, err := o.string(key)
		if more {
			s = d.Desc + " " + s
		}
		d.Desc = s
		return err
	case "priority":
		return d.priority(o)
	case "tags":
		return d.tags(o, more)
	case "exceptions":
		return d.except(o, more)
	case "enabled":
		d.Enabled, err = o.bool(key, true)
	case "warn_evttypes":
		d.WarnEventTypes, err = o.bool(key, true)
	case "skip-if-unknown-filter":
		d.SkipUnknown, err = o.bool(key, false)
	case "capture":
		d.Capture, err = o.bool(key, false)
	case "capture_duration":
		d.CaptureFor, err = o.int(key)
	case "action":
		return d.action(o)
	}
	return err
}

// extend takes over a text, in place of what is there or behind it.
func extend(to *[]text, at *Pos, o *object, key string, more bool) error {
	t, err := o.text(key)
	if err != nil {
		return err
	}
	if !more {
		*to, *at = []text{t}, o.src.pos(o.keys[key])
		return nil
	}
	size := len(t.s)
	for _, t := range *to {
		size += len(t.s)
	}
	if size > maxText || len(*to) > 1000 {
		return o.fail(key, "%s of %s has more than %d bytes with all that is appended", key, o.what, maxText)
	}
	*to = append(*to, t)
	return nil
}

func (d *ruleDef) priority(o *object) error {
	s, err := o.string("priority")
	if err != nil {
		return err
	}
	p, ok := ParsePriority(s)
	if !ok {
		return o.fail("priority", "%s is no priority; they are emergency, alert, critical, error, warning, notice, informational and debug%s", quoteOf(s), meant(strings.ToLower(s), maps.Keys(priorities)))
	}
	d.Priority = p
	return nil
}

func (d *ruleDef) action(o *object) error {
	s, err := o.string("action")
	if err != nil {
		return err
	}
	if !slices.Contains(actions, s) {
		return o.fail("action", "%s is no action; they are %s%s", quoteOf(s), strings.Join(actions, ", "), meant(s, slices.Values(actions)))
	}
	d.Action, d.ActionPos = s, o.src.pos(o.keys["action"])
	return nil
}

func (d *ruleDef) tags(o *object, more bool) error {
	nodes, err := o.scalars("tags")
	if err != nil {
		return err
	}
	if !more {
		d.Tags = nil
	}
	if len(nodes)+len(d.Tags) > 1000 {
		return o.fail("tags", "%s has more than 1000 tags", o.what)
	}
	for _, n := range nodes {
		if !slices.Contains(d.Tags, n.Value) {
			d.Tags = append(d.Tags, n.Value)
		}
	}
	return nil
}
