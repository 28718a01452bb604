package lang

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What files may hold at most.
const (
	MaxFile     = 32 << 20 // bytes of one file
	maxWhole    = 1 << 20  // bytes of a file that is read in one piece
	maxNodes    = 1 << 18  // values in one item, or in a file that is read in one piece
	maxItems    = 50_000   // rules, macros and lists in all files
	maxValues   = 1 << 20  // values in all lists and checks
	maxChecks   = 100_000  // of the condition of one rule, with macros in place of their names
	maxAll      = 5_000_000
	maxText     = 1 << 20 // bytes of a condition or output, with all that is appended
	maxProblems = 1000
)

// items calls item with each item of the file. One that is no YAML does not keep the others from being read, where
// it can be told where it ends.
func (l *loader) items(src *source, item func(*source, *yaml.Node)) {
	if len(src.data) <= maxWhole && begins(src.data) <= maxNodes {
		docs, err := documents(src.data)
		if err == nil {
			for _, d := range docs {
				l.sequence(src, d, item)
			}
			return
		}
	}
	for _, part := range parts(src) {
		if l.full {
			return
		}
		if n := begins(part.data); n > maxNodes {
			l.problem(Pos{part.file, int32(part.above + 1), 1}, CodeForm, "an item of about %d values; at most %d are read", n, maxNodes)
			continue
		}
		docs, err := documents(part.data)
		if err != nil {
			l.problem(yamlPlace(part, err), "LOAD_ERR_YAML_PARSE", "this is no YAML: %s", yamlText(err))
			continue
		}
		for _, d := range docs {
			l.sequence(part, d, item)
		}
	}
}

// wrapped is a hint where a map has files of rules as texts.
func wrapped(n *yaml.Node) string {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		switch key, value := n.Content[i].Value, n.Content[i+1].Value; {
		case key == "customRules":
			return "; these are values of Falco's chart: each text below customRules is such a file"
		case key == "kind" && value == "ConfigMap":
			return "; this is a ConfigMap: each text in its data may be such a file"
		}
	}
	return ""
}

// sequence gives the items of a document.
func (l *loader) sequence(src *source, doc *yaml.Node, item func(*source, *yaml.Node)) {
	n := deref(doc)
	if n.Kind != yaml.SequenceNode {
		if !null(n) {
			l.problem(src.pos(n), CodeForm, "a file of rules is a list: each rule, macro and list begins with a dash%s", wrapped(n))
		}
		return
	}
	for _, i := range n.Content {
		if i = deref(i); !null(i) {
			item(src, i)
		}
	}
}

func documents(data string) (list []*yaml.Node, err error) {
	dec := yaml.NewDecoder(strings.NewReader(data))
	for {
		var n yaml.Node
		if err := dec.Decode(&n); err == io.EOF {
			return list, nil
		} else if err != nil {
			return list, err
		}
		list = append(list, n.Content...)
	}
}

// parts divides a file at the lines that begin its items.
func parts(src *source) []*source {
	indent, from := -1, 0
	var list []*source
	cut := func(to int) {
		if to > from {
			text := src.data[at(src, from):at(src, to)]
			if strings.TrimSpace(text) != "" {
				list = append(list, newSource(src.file, text, src.above+from))
			}
		}
		from = to
	}
	for i := range src.lines {
		line := src.data[src.lines[i]:at(src, i+1)]
		dash := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case line == "" || indent >= 0 && dash != indent && !strings.HasPrefix(line, "---"):
		case strings.HasPrefix(line, "---"):
			cut(i)
			from, indent = i+1, -1
		case strings.HasPrefix(line[dash:], "- ") || strings.TrimRight(line[dash:], "\r\n") == "-":
			indent = dash
			cut(i)
		}
	}
	cut(len(src.lines))
	return list
}

// at is where line i begins, from 0, or the end.
func at(src *source, i int) int {
	if i >= len(src.lines) {
		return len(src.data)
	}
	return src.lines[i]
}

// begins counts the bytes that may begin or separate values.
func begins(data string) int {
	n := 0
	for i := range len(data) {
		switch data[i] {
		case '\n', '\r', ',', '[', '{':
			n++
		}
	}
	return n
}

func yamlPlace(src *source, err error) Pos {
	line := 0
	if _, e := fmt.Sscanf(err.Error(), "yaml: line %d: ", &line); e != nil {
		return Pos{src.file, int32(src.above + 1), 1}
	}
	line = min(line, len(src.lines))
	text := src.data[at(src, line-1):at(src, line)]
	return Pos{src.file, int32(src.above + line), int32(1 + len(text) - len(strings.TrimLeft(text, " ")))}
}

func yamlText(err error) string {
	s := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(s, "line ") {
		_, s, _ = strings.Cut(s, ": ")
	}
	return s
}

// deref is what an alias stands for.
func deref(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func null(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// IsRules tells whether a text in YAML looks like a file of rules: the first thing in it is a list.
func IsRules(data []byte) bool {
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.HasPrefix(line, []byte("---")) {
			return line[0] == '[' || line[0] == '-' && (len(line) == 1 || line[1] == ' ')
		}
	}
	return false
}
