package remedy

import (
	"strings"

	"bulwark/kube"
)

// flowFields changes the fields of a map in brackets.
func (c *change) flowFields(fl *flow, old, with *kube.Node, added []kube.Field) error {
	names := make([]string, 0, old.Len())
	for f := range old.Keys() {
		names = append(names, f.Name)
	}
	if len(names) != len(fl.entries) {
		return unsure("line %d: fields that cannot be told apart", old.Line())
	}
	keep := make([]bool, len(names))
	for i, name := range names {
		if keep[i] = with.Has(name); !keep[i] {
			continue
		}
		if err := c.value(old.Get(name), with.Get(name), spot{inside: &fl.entries[i]}); err != nil {
			return err
		}
	}
	var texts []string
	for _, f := range added {
		quoted := c.json || fl.entries[0].quoted
		texts = append(texts, scalarText(f.Name, quoted)+": "+c.inside(f.Value, fl, quoted))
	}
	return c.flowEntries(fl, keep, texts)
}

// flowItems changes the elements of a list in brackets.
func (c *change) flowItems(fl *flow, old, with *kube.Node, pairs [][2]int) error {
	if len(fl.entries) != old.Len() {
		return unsure("line %d: elements that cannot be told apart", old.Line())
	}
	keep := make([]bool, old.Len())
	var texts []string
	for _, p := range pairs {
		switch {
		case p[0] < 0:
			texts = append(texts, c.inside(with.Item(p[1]), fl, c.json || fl.entries[0].quoted))
		case p[1] >= 0 && len(texts) > 0:
			return unsure("an element comes in the midst of a list")
		case p[1] >= 0:
			keep[p[0]] = true
			if err := c.value(old.Item(p[0]), with.Item(p[1]), spot{inside: &fl.entries[p[0]]}); err != nil {
				return err
			}
		}
	}
	return c.flowEntries(fl, keep, texts)
}

// flowEntries takes entries out, and adds some behind the last that stays; one does.
func (c *change) flowEntries(fl *flow, keep []bool, texts []string) error {
	last := -1
	for i := 0; i < len(keep); i++ {
		if keep[i] {
			last = i
			continue
		}
		run := i
		for i+1 < len(keep) && !keep[i+1] {
			i++
		}
		if i+1 < len(keep) {
			c.put(fl.entries[run].from, fl.entries[i+1].from, "")
		} else {
			c.put(fl.entries[last].to, fl.entries[i].to, "")
		}
	}
	if len(texts) == 0 {
		return nil
	}
	between := ", "
	if margin, ok := c.margin(fl.entries[last].from); ok && c.lineOf(fl.close) > c.lineOf(fl.entries[last].from) {
		between = "," + c.ending + margin
	}
	end := fl.entries[last].to
	c.put(end, end, between+strings.Join(texts, between))
	return nil
}

// margin is what stands before an offset in its line, if that is nothing but blanks.
func (c *change) margin(at int) (string, bool) {
	text := string(c.data[c.bol(at):at])
	return text, strings.TrimLeft(text, " \t") == ""
}

// inside is a value as it is written in brackets: over lines, where the brackets around it
// are.
func (c *change) inside(n *kube.Node, fl *flow, quoted bool) string {
	margin, ok := c.margin(fl.entries[0].from)
	if !ok || c.lineOf(fl.open) == c.lineOf(fl.close) {
		return flowText(n, quoted)
	}
	line := c.line(c.lineOf(fl.close))
	outer := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	step, ok := strings.CutPrefix(margin, outer)
	if !ok || step == "" {
		return flowText(n, quoted)
	}
	return prettyText(n, quoted, margin, step, c.ending)
}
