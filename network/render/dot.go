package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// spaces gives the nodes of each namespace, in order; those outside last.
func (m *Map) spaces(each func(name string, nodes []int)) {
	var outside []int
	for i := 0; i < len(m.Nodes); {
		first := i
		for i < len(m.Nodes) && m.Nodes[i].Namespace == m.Nodes[first].Namespace {
			i++
		}
		var nodes []int
		for k := first; k < i; k++ {
			nodes = append(nodes, k)
		}
		if m.Nodes[first].Outside() {
			outside = nodes
			continue
		}
		each(m.Nodes[first].Namespace, nodes)
	}
	if len(outside) > 0 {
		each("", outside)
	}
}

// short is a node's name inside its namespace.
func (n *Node) short() string { return Harmless(strings.TrimPrefix(n.Name, n.Namespace+"/")) }

// DOT writes a graph for Graphviz: a box for each namespace.
func (m *Map) DOT(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "digraph network {\n\trankdir=LR;\n\tcompound=true;\n\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n\tedge [fontname=\"sans-serif\", fontsize=10];\n")
	cluster := 0
	m.spaces(func(name string, nodes []int) {
		indent := "\t"
		if name != "" {
			fmt.Fprintf(b, "\tsubgraph cluster_%d {\n\t\tlabel=%s;\n", cluster, quoted(name))
			cluster++
			indent = "\t\t"
		}
		for _, i := range nodes {
			n := &m.Nodes[i]
			more := ""
			if n.Outside() {
				more = ", shape=ellipse"
			}
			fmt.Fprintf(b, "%sn%d [label=%s%s];\n", indent, i, quoted(n.short()), more)
		}
		if name != "" {
			fmt.Fprint(b, "\t}\n")
		}
	})
	for _, e := range m.Edges {
		fmt.Fprintf(b, "\tn%d -> n%d [label=%s];\n", e.From, e.To, quoted(e.Label()))
	}
	fmt.Fprint(b, "}\n")
	return b.Flush()
}

// quoted writes a string of the DOT language, in which a backslash begins an escape.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Harmless(s)) + `"`
}

// Mermaid writes a flowchart: a subgraph for each namespace.
func (m *Map) Mermaid(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "flowchart LR\n")
	group := 0
	m.spaces(func(name string, nodes []int) {
		indent := "  "
		if name != "" {
			fmt.Fprintf(b, "  subgraph g%d[%s]\n", group, entities(name))
			group++
			indent = "    "
		}
		for _, i := range nodes {
			open, end := "[", "]"
			if m.Nodes[i].Outside() {
				open, end = "([", "])"
			}
			fmt.Fprintf(b, "%sn%d%s%s%s\n", indent, i, open, entities(m.Nodes[i].short()), end)
		}
		if name != "" {
			fmt.Fprint(b, "  end\n")
		}
	})
	for _, e := range m.Edges {
		fmt.Fprintf(b, "  n%d -->|%s| n%d\n", e.From, entities(e.Label()), e.To)
	}
	return b.Flush()
}

// entities writes a string of Mermaid: everything but letters, digits and the usual marks of
// names is written by its number, so that nothing in it is markup or a link.
func entities(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range Harmless(s) {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(" -_./,:*()[]{}", r), r > 0x7f:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
