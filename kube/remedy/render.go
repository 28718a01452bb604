package remedy

import (
	"bytes"
	"encoding/json"
	"strings"

	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

// style is how a document is indented.
type style struct {
	step int // of a map within a map
	dash int // of a list within a map
}

// styleOf finds out how the document of an object is indented: as its own first nested parts.
func (f *file) styleOf(root *kube.Node) style {
	s := style{step: 2, dash: -1}
	found := false
	var walk func(n *kube.Node, column, depth int)
	walk = func(n *kube.Node, column, depth int) {
		if depth > 6 || found && s.dash >= 0 {
			return
		}
		for _, v := range n.Fields() {
			inner := v.Column() - 1
			switch c := f.byteAt(f.offset(v.Line(), v.Column())); {
			case v.Len() == 0 || c == '{' || c == '[' || c == '&' || c == '!' || v.Line() < n.Line():
			case v.Form() == kube.Map && inner > column:
				if !found {
					s.step, found = inner-column, true
				}
				walk(v, inner, depth+1)
			case v.Form() == kube.List && inner >= column:
				if s.dash < 0 {
					s.dash = inner - column
				}
				for _, item := range v.Items() {
					if item.Form() == kube.Map {
						walk(item, item.Column()-1, depth+1)
					}
				}
			}
		}
	}
	walk(root, root.Column()-1, 0)
	s.dash = max(s.dash, 0)
	return s
}

func pad(n int) string { return strings.Repeat(" ", n) }

// nested are the lines of a map or list that a key stands before.
func (s style) nested(n *kube.Node, column int) []string {
	if n.Form() == kube.List {
		return s.lines(n, column+s.dash)
	}
	return s.lines(n, column+s.step)
}

// lines are those of a map or list whose keys or dashes stand in a column.
func (s style) lines(n *kube.Node, column int) []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, s.item(item, column)...)
	}
	for f := range n.Keys() {
		out = append(out, s.field(f, column)...)
	}
	return out
}

// field are the lines of a field whose key stands in a column.
func (s style) field(f kube.Field, column int) []string {
	key := pad(column) + scalarText(f.Name, false) + ":"
	if f.Value.Len() == 0 {
		return []string{key + " " + flowText(f.Value, false)}
	}
	return append([]string{key}, s.nested(f.Value, column)...)
}

// item are the lines of an element whose dash stands in a column.
func (s style) item(n *kube.Node, column int) []string {
	if n.Len() == 0 {
		return []string{pad(column) + "- " + flowText(n, false)}
	}
	lines := s.lines(n, column+2)
	lines[0] = pad(column) + "- " + lines[0][column+2:]
	return lines
}

// inline is a value on one line, a text in the quotes of the one before it.
func (c *change) inline(n *kube.Node, quoted bool, old *kube.Node) string {
	if n.Form() == kube.String && old.Form() == kube.String {
		if at := c.begin(old); at >= 0 {
			switch c.byteAt(at) {
			case '"':
				return jsonText(n.Text())
			case '\'':
				if !strings.ContainsAny(n.Text(), "'\n") {
					return "'" + n.Text() + "'"
				}
			}
		}
	}
	return flowText(n, quoted)
}

// flowText is a value on one line; in JSON or as JSON does when quoted.
func flowText(n *kube.Node, quoted bool) string {
	switch n.Form() {
	case kube.Null:
		return "null"
	case kube.String:
		return scalarText(n.Text(), quoted)
	case kube.List, kube.Map:
		open, end, parts := "{", "}", []string(nil)
		if n.Form() == kube.List {
			open, end = "[", "]"
		}
		for _, item := range n.Items() {
			parts = append(parts, flowText(item, quoted))
		}
		for f := range n.Keys() {
			parts = append(parts, scalarText(f.Name, quoted)+": "+flowText(f.Value, quoted))
		}
		return open + strings.Join(parts, ", ") + end
	}
	return n.Text()
}

// prettyText is a value in brackets over lines, which begin with margin; what is within it
// is further in by step.
func prettyText(n *kube.Node, quoted bool, margin, step, ending string) string {
	if n.Len() == 0 {
		return flowText(n, quoted)
	}
	open, end, parts := "{", "}", []string(nil)
	if n.Form() == kube.List {
		open, end = "[", "]"
	}
	for _, item := range n.Items() {
		parts = append(parts, margin+step+prettyText(item, quoted, margin+step, step, ending))
	}
	for f := range n.Keys() {
		parts = append(parts, margin+step+scalarText(f.Name, quoted)+": "+prettyText(f.Value, quoted, margin+step, step, ending))
	}
	return open + ending + strings.Join(parts, ","+ending) + ending + margin + end
}

var plainText = lazyregexp.New(`^[A-Za-z0-9_/][A-Za-z0-9_./@-]*$`)

// scalarText is a text, in quotes where it would be read as something else without.
func scalarText(s string, quoted bool) string {
	if quoted || !plainText.MatchString(s) || !plain(s) {
		return jsonText(s)
	}
	return s
}

// plain tells whether a text is read as a text, by parsers of YAML 1.1 and 1.2.
func plain(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~":
		return false
	}
	if strings.Trim(s, "0123456789_.-xXoabcdefABCDEF") == "" && strings.ContainsAny(s[:1], "0123456789") {
		return false // a number, a date, or nearly one
	}
	docs := kube.ParseYAML([]byte("v: " + s))
	return len(docs) == 1 && docs[0].Root.Get("v").Form() == kube.String && docs[0].Root.Get("v").Text() == s
}

func jsonText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimRight(b.String(), "\n")
}
