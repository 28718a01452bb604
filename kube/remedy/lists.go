package remedy

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// items changes the elements of a list.
func (c *change) items(old, with *kube.Node, at spot) error {
	pairs := pair(old, with)
	if !slices.ContainsFunc(pairs, func(p [2]int) bool { return p[0] >= 0 && p[1] >= 0 }) {
		return c.replace(old, with, at)
	}
	if open, ok := c.bracket(old, at); ok {
		fl, err := c.flow(open)
		if err != nil {
			return err
		}
		return c.flowItems(fl, old, with, pairs)
	}
	b, err := c.dashes(old)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		switch {
		case p[0] < 0:
		case p[1] < 0:
			if err := c.drop(b, p[0]); err != nil {
				return err
			}
		default:
			if err := c.value(old.Item(p[0]), with.Item(p[1]), spot{column: b.column, after: b.entries[p[0]].after, item: true}); err != nil {
				return err
			}
		}
	}
	return c.addItems(b, with, pairs)
}

// addItems writes the new elements behind the last that stays: only there do they come.
func (c *change) addItems(b *block, with *kube.Node, pairs [][2]int) error {
	var text strings.Builder
	last := -1
	for _, p := range pairs {
		switch {
		case p[0] >= 0 && p[1] >= 0:
			if text.Len() > 0 {
				return unsure("an element comes in the midst of a list")
			}
			last = p[0]
		case p[1] >= 0:
			for _, line := range c.item(with.Item(p[1]), b.column) {
				text.WriteString(c.ending + line)
			}
		}
	}
	if text.Len() == 0 {
		return nil
	}
	end, err := c.end(b.entries[last].value, b.entries[last].after, b.column)
	if err != nil {
		return err
	}
	end = c.eol(end)
	c.put(end, end, text.String())
	return nil
}

// pair says which element of a list becomes which of another: -1 for what goes or is new.
func pair(old, with *kube.Node) [][2]int {
	var pairs [][2]int
	i, j := 0, 0
	for i < old.Len() || j < with.Len() {
		next := -1 // the next of old that is the j-th of with as it was
		for k := i; j < with.Len() && k < old.Len(); k++ {
			if old.Item(k) == with.Item(j) {
				next = k
				break
			}
		}
		switch {
		case next == i, next < 0 && i < old.Len() && j < with.Len():
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case next > i, j == with.Len():
			pairs = append(pairs, [2]int{i, -1})
			i++
		default:
			pairs = append(pairs, [2]int{-1, j})
			j++
		}
	}
	return pairs
}
