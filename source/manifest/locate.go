package manifest

import (
	"strings"

	"bulwark/kube"
	"bulwark/source/manifest/internal/chart"
)

// lines finds bytes of a text by line and column.
type lines struct{ starts []int }

func newLines(text string) *lines {
	l := &lines{starts: []int{0, 0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// offset is the byte at a line and column, from 1.
func (l *lines) offset(line, column int) int {
	if line < 1 || line >= len(l.starts) {
		line = min(max(line, 1), len(l.starts)-1)
	}
	return l.starts[line] + max(column, 1) - 1
}

// locator finds the fields of a rendered object in its template and in the values.
type locator struct {
	manifest *chart.Manifest
	lines    *lines
	values   map[string]any
	root     *kube.Node
}

// locate is Origin.Locate.
func (l *locator) locate(path []any) (kube.Location, bool) {
	n, found := l.root, 0
	line := n.Line()
	for _, step := range path { // as far as the field is there
		next := n.At(step)
		if next == nil {
			break
		}
		if s, ok := step.(string); ok {
			line = n.LineOf(s)
		} else {
			line = next.Line()
		}
		n = next
		found++
	}
	if at, ok := l.absent(n, path[found:]); ok {
		return at, true
	}
	key, ok := l.manifest.At(l.indented(line))
	if !ok {
		return kube.Location{}, false
	}
	at := kube.Location{File: key.Path, Line: key.Line}
	at.Values = l.valuesOf(path, found)
	return at, true
}

// absent is the place of a field that the template leaves out as long as values are empty.
func (l *locator) absent(n *kube.Node, rest []any) (kube.Location, bool) {
	if len(rest) == 0 || n.Form() != kube.Map {
		return kube.Location{}, false
	}
	key, ok := rest[0].(string)
	if !ok {
		return kube.Location{}, false
	}
	from, to := l.lines.offset(n.Line(), 1)-1, l.lines.offset(lastLine(n, 0)+1, 1)
	p, ok := l.manifest.Absent(from, to, key, n.Column()-1)
	if !ok {
		return kube.Location{}, false
	}
	at := kube.Location{File: p.Path, Line: p.Line}
	values := append([]string(nil), p.Values...)
	for _, step := range rest[1:] {
		s, ok := step.(string)
		if !ok {
			return at, true
		}
		values = append(values, s)
	}
	if l.known(values) {
		at.Values = values
	}
	return at, true
}

// indented is the first byte of a line that is no space.
func (l *locator) indented(line int) int {
	at := l.lines.offset(line, 1)
	text := l.manifest.Text
	for at < len(text) && text[at] == ' ' {
		at++
	}
	return at
}

// valuesOf is the path in the values that sets the field: the action that wrote the value,
// or a map around it, reads one path alone.
func (l *locator) valuesOf(path []any, found int) []string {
	n := l.root
	for depth := 0; depth <= found; depth++ {
		if depth > 0 {
			n = n.At(path[depth-1])
		}
		p, ok := l.manifest.At(l.lines.offset(n.Line(), n.Column()))
		if !ok || p.Values == nil || !l.whole(n, p) {
			continue
		}
		list := append([]string(nil), p.Values...)
		for _, step := range path[depth:] {
			s, ok := step.(string)
			if !ok {
				return nil // lists of values are set as a whole
			}
			list = append(list, s)
		}
		if l.known(list) {
			return list
		}
		return nil
	}
	return nil
}

// whole tells whether a node was written by one action alone.
func (l *locator) whole(n *kube.Node, p chart.Place) bool {
	if n.Form() == kube.Map || n.Form() == kube.List {
		at := l.lines.offset(n.Line(), n.Column())
		return at >= p.From && strings.TrimSpace(l.manifest.Text[p.From:min(at, p.To)]) == ""
	}
	at := l.lines.offset(n.Line(), n.Column())
	return at+len(n.Text()) <= p.To+2 && p.To-p.From >= len(n.Text())
}

// known tells whether the values have a place for a path: all but its last two names are maps
// that are there.
func (l *locator) known(path []string) bool {
	m := l.values
	for i, name := range path[:len(path)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			return m[name] == nil && i > 0
		}
		m = next
	}
	return true
}
