package remedy

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"bulwark/kube"
)

// splice puts a text in the place of another.
type splice struct {
	from, to int
	text     string
}

// change turns the difference between two states of an object into splices of the file in
// which the old one is written.
type change struct {
	*file
	style
	json    bool
	splices []splice
}

// spot is where a value stands.
type spot struct {
	column int  // of the key or dash before it, from 0; -1 for a document's root
	after  int  // the offset behind the colon or dash
	item   bool // it is an element of a list
	// inside is where it stands within brackets; nil elsewhere.
	inside *span
}

func (c *change) put(from, to int, text string) {
	s := splice{from, to, text}
	if !slices.Contains(c.splices, s) {
		c.splices = append(c.splices, s)
	}
}

// value changes a value into another.
func (c *change) value(old, with *kube.Node, at spot) error {
	if old.Equal(with) {
		return nil
	}
	alike := old.Form() == with.Form() && with.Len() > 0 && old.Len() > 0
	switch {
	case alike && with.Form() == kube.Map:
		return c.fields(old, with, at)
	case alike && with.Form() == kube.List:
		return c.items(old, with, at)
	}
	return c.replace(old, with, at)
}

// brackets is where the value's bracket opens, if it stands in brackets.
func (c *change) bracket(old *kube.Node, at spot) (int, bool) {
	open := -1
	if at.inside != nil {
		open = at.inside.value
		for b := c.byteAt(open); b == '&' || b == '!'; b = c.byteAt(open) {
			open = c.spaces(c.word(open))
		}
	} else if open = c.begin(old); open < 0 {
		return 0, false
	}
	b := c.byteAt(open)
	return open, b == '{' || b == '['
}

func (c *change) fields(old, with *kube.Node, at spot) error {
	kept, added := 0, []kube.Field(nil)
	for f := range with.Keys() {
		if old.Has(f.Name) {
			kept++
		} else {
			added = append(added, f)
		}
	}
	if kept == 0 {
		return c.replace(old, with, at)
	}
	if open, ok := c.bracket(old, at); ok {
		fl, err := c.flow(open)
		if err != nil {
			return err
		}
		return c.flowFields(fl, old, with, added)
	}
	b, err := c.block(old)
	if err != nil {
		return err
	}
	for i, e := range b.entries {
		var err error
		switch {
		case slices.ContainsFunc(b.entries[i+1:], func(later entry) bool { return later.name == e.name }):
		case with.Has(e.name):
			err = c.value(e.value, with.Get(e.name), spot{column: b.column, after: e.after})
		default:
			err = c.drop(b, i)
		}
		if err != nil {
			return err
		}
	}
	return c.add(b, added, with.Has)
}

// add writes new fields behind the last one that stays.
func (c *change) add(b *block, added []kube.Field, stays func(string) bool) error {
	if len(added) == 0 {
		return nil
	}
	end, err := c.room(b, stays)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, f := range added {
		for _, line := range c.field(f, b.column) {
			text.WriteString(c.ending + line)
		}
	}
	c.put(end, end, text.String())
	return nil
}

// room is the end of a line behind which fields can be put: the last where no secret follows,
// which would then be shown by a diff.
func (c *change) room(b *block, stays func(string) bool) (int, error) {
	last := -1
	for _, e := range slices.Backward(b.entries) {
		if !stays(e.name) {
			continue
		}
		end, err := c.end(e.value, e.after, b.column)
		if err != nil {
			return 0, err
		}
		end = c.eol(end)
		if next := c.lineOf(end) + 1; next >= c.count() || !c.secret(next) {
			return end, nil
		}
		last = max(last, end)
	}
	if last < 0 {
		return 0, unsure("there is no line behind which to write")
	}
	return last, nil
}

// drop takes an entry of a block out, on all its lines.
func (c *change) drop(b *block, i int) error {
	e := b.entries[i]
	end, err := c.end(e.value, e.after, b.column)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(c.data[c.bol(e.at):e.at])) == "" {
		from, to := c.bol(e.at), min(len(c.data), c.starts[c.lineOf(c.eol(end))+1])
		c.put(from, to, "")
		return nil
	}
	// The first key stands behind a dash: the next one takes its place.
	if i+1 == len(b.entries) {
		return unsure("line %d: what stands behind the dash cannot be taken out", c.lineOf(e.at)+1)
	}
	next := b.entries[i+1].at
	if bytes.IndexByte(c.data[end:next], '#') >= 0 {
		return unsure("line %d: there are comments on what is to be taken out", c.lineOf(e.at)+1)
	}
	c.put(e.at, next, "")
	return nil
}

// replace writes a value in the place of another, whatever the two are.
func (c *change) replace(old, with *kube.Node, at spot) error {
	if at.inside != nil {
		c.put(at.inside.value, at.inside.to, c.inline(with, c.json || at.inside.quoted, old))
		return nil
	}
	if at.column < 0 {
		return unsure("the whole document would change")
	}
	end, err := c.end(old, at.after, at.column)
	if err != nil {
		return err
	}
	collection := with.Len() > 0 && (with.Form() == kube.Map || with.Form() == kube.List)
	first := c.spaces(at.after)
	sameLine := first < end && c.lineOf(first) == c.lineOf(at.after)
	switch {
	case collection && at.item:
		lines := c.item(with, at.column)
		c.put(at.after-1, end, strings.TrimLeft(strings.Join(lines, c.ending), " "))
	case collection:
		c.clear(at.after, end, sameLine)
		eol := c.eol(at.after)
		if sameLine {
			eol = c.eol(end)
		}
		c.put(eol, eol, c.ending+strings.Join(c.nested(with, at.column), c.ending))
	case end == at.after:
		c.put(end, end, " "+c.inline(with, false, old))
	case sameLine:
		c.put(first, end, c.inline(with, false, old))
	default:
		c.clear(at.after, end, false)
		c.put(at.after, at.after, " "+c.inline(with, false, old))
	}
	return nil
}

// clear takes the text of a value out: from its line, or with all its lines.
func (c *change) clear(after, end int, sameLine bool) {
	switch {
	case end == after:
	case sameLine:
		c.put(after, end, "")
	default:
		c.put(c.eol(after), c.eol(end), "")
	}
}

// result is the part of the text between two offsets with all splices made. It fails when
// they lie over each other, or outside.
func (c *change) result(from, to int) ([]byte, error) {
	slices.SortStableFunc(c.splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var b bytes.Buffer
	for _, s := range c.splices {
		if s.from < from || s.to < s.from || s.to > to {
			return nil, unsure("changes lie over each other")
		}
		b.Write(c.data[from:s.from])
		b.WriteString(s.text)
		from = s.to
	}
	b.Write(c.data[from:to])
	return b.Bytes(), nil
}
