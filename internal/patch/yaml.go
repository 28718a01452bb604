package patch

import (
	"path"
	"slices"
	"strings"

	"bulwark/internal/lazyregexp"
)

// sensitive tells whether what a line means hangs on the line before it, as in YAML: what is
// put behind a line then goes with it.
func (f *File) sensitive() bool {
	switch path.Ext(f.Name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// has tells whether an edit is another one, or a part of it.
func (e *edit) has(n *edit) bool {
	if e.at != n.at || !slices.Equal(e.old, n.old) {
		return false
	}
	return slices.Equal(e.new, n.new) || slices.ContainsFunc(e.parts, func(p []string) bool { return slices.Equal(p, n.new) })
}

// behind tells whether e puts lines behind one that o changes.
func (e *edit) behind(o *edit) bool {
	return len(e.old) == 0 && len(o.old) > 0 && o.at < e.at && e.at <= o.end()
}

// pieces are what the new lines of an edit were put together from.
func (e *edit) pieces() [][]string {
	if e.parts == nil {
		return [][]string{e.new}
	}
	return e.parts
}

// join puts the lines of another edit to those of e: what is further in comes first, so that
// each goes with what it was put behind.
func (e *edit) join(n *edit) {
	parts := append(slices.Clone(e.pieces()), n.new)
	slices.SortStableFunc(parts, func(a, b []string) int {
		inner, _ := keys(a)
		outer, _ := keys(b)
		return len(outer) - len(inner)
	})
	e.parts, e.new = parts, slices.Concat(parts...)
}

// siblings tells whether two edits put fields of maps in the same place, those of one map with
// different names: there can be both.
func siblings(a, b *edit) bool {
	if len(a.old) > 0 || len(b.old) > 0 {
		return false
	}
	margin, more := keys(b.new)
	for _, part := range a.pieces() {
		other, names := keys(part)
		taken := func(name string) bool { return slices.Contains(names, name) }
		if names == nil || more == nil || margin == other && slices.ContainsFunc(more, taken) {
			return false
		}
	}
	return true
}

var key = lazyregexp.New(`^( *)([A-Za-z0-9_./-]+):(?: |\r?\n|$)`)

// keys are the fields whose lines these are, and their margin; nil when they are something
// else.
func keys(lines []string) (margin string, names []string) {
	for i, l := range lines {
		m := key.FindStringSubmatch(l)
		switch {
		case i == 0 && (m == nil || strings.HasPrefix(m[2], "-")):
			return "", nil
		case i == 0:
			margin, names = m[1], []string{m[2]}
		case strings.HasPrefix(l, margin+" ") || strings.HasPrefix(l, margin+"- "):
		case m == nil || m[1] != margin:
			return "", nil
		default:
			names = append(names, m[2])
		}
	}
	return margin, names
}
