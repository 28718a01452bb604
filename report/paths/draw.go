package paths

import (
	"fmt"
	"io"
	"strings"

	"bulwark"
	"bulwark/report/internal/text"
)

// drawing is what the paths that are shown have together: each vertex and step once.
type drawing struct {
	names  []bulwark.VertexID
	number map[bulwark.VertexID]int
	steps  []step
	starts map[bulwark.VertexID]bool
	goals  map[bulwark.VertexID]bool
}

func (a *Answer) drawing() *drawing {
	d := &drawing{number: map[bulwark.VertexID]int{}, starts: map[bulwark.VertexID]bool{}, goals: map[bulwark.VertexID]bool{}}
	seen := map[[3]string]bool{}
	for i, k := range families(a.Paths) {
		if i == a.Most {
			break
		}
		d.starts[k.From()], d.goals[k.To()] = true, true
		for _, s := range k.steps {
			key := [3]string{string(s.From), string(s.To), s.Edge}
			if seen[key] {
				continue
			}
			seen[key] = true
			d.vertex(s.From)
			d.vertex(s.To)
			d.steps = append(d.steps, s)
		}
	}
	return d
}

func (d *drawing) vertex(v bulwark.VertexID) {
	if _, ok := d.number[v]; !ok {
		d.number[v] = len(d.names)
		d.names = append(d.names, v)
	}
}

// mermaidText takes what would end a label or be taken as markup.
var mermaidText = strings.NewReplacer(`#`, "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "|", "#124;", "\n", " ", "\\", "#92;")

func writeMermaid(w io.Writer, a *Answer) error {
	d := a.drawing()
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, v := range d.names {
		class := ""
		if d.starts[v] {
			class = ":::start"
		}
		if d.goals[v] {
			class = ":::goal"
		}
		fmt.Fprintf(&b, "  v%d[\"%s\"]%s\n", i, mermaidText.Replace(title(v)), class)
	}
	for _, s := range d.steps {
		fmt.Fprintf(&b, "  v%d -->|\"%s\"| v%d\n", d.number[s.From], mermaidText.Replace(text.Clean(s.Edge)), d.number[s.To])
	}
	b.WriteString("  classDef start stroke:#c5301f,stroke-width:3px\n  classDef goal fill:#8f1d6b,color:#fff\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func writeDot(w io.Writer, a *Answer) error {
	d := a.drawing()
	var b strings.Builder
	b.WriteString("digraph paths {\n  rankdir=LR;\n  node [shape=box];\n")
	for i, v := range d.names {
		style := ""
		if d.starts[v] {
			style = ", color=red, penwidth=2"
		}
		if d.goals[v] {
			style = ", style=filled, fillcolor=plum"
		}
		fmt.Fprintf(&b, "  v%d [label=%s%s];\n", i, quoted(title(v)), style)
	}
	for _, s := range d.steps {
		fmt.Fprintf(&b, "  v%d -> v%d [label=%s];\n", d.number[s.From], d.number[s.To], quoted(s.Edge))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// quoted is a text as dot has it: quotes and backslashes are written with a backslash.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(text.Clean(s)) + `"`
}
