// Package paths writes attack paths: as text to read, json to work with, mermaid and dot to
// draw, and html to look through.
package paths

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"bulwark"
	"bulwark/graph"
	"bulwark/report/internal/text"
)

// Answer is what was found out, before it is written.
type Answer struct {
	Run    bulwark.Run
	Assets []bulwark.Asset
	Notes  []bulwark.Note
	Graph  *graph.Graph
	// Findings are those that relations name, or more.
	Findings []bulwark.Finding
	// Cut is what stops the paths, of which it has all.
	Cut graph.Cut
	// Paths are those to show: the likeliest of Cut.Paths, or all that start where it was
	// asked from; no more than Most.
	Paths  []graph.Path
	Most   int
	Chokes []graph.Choke
	// Reach is true where it was asked what can be reached at all from somewhere: Paths are
	// the ways there, and there is no cut.
	Reach bool
	// Starts and Goals are how many of them there are.
	Starts, Goals int
	// WhatIf are remedies that are taken as made, and Before how many paths there were
	// without them.
	WhatIf []bulwark.Remedy
	Before int
}

// Formats are the names of what can be written, the usual one first.
func Formats() []string { return []string{"text", "json", "mermaid", "dot", "html"} }

// Write writes an answer in one of the formats.
func Write(w io.Writer, format string, a *Answer) error {
	switch format {
	case "text":
		return writeText(w, a)
	case "json":
		return writeJSON(w, a)
	case "mermaid":
		return writeMermaid(w, a)
	case "dot":
		return writeDot(w, a)
	case "html":
		return writeHTML(w, a)
	}
	return fmt.Errorf("format %q: %w", format, bulwark.ErrUnsupported)
}

// Risk is that of a path: 0 to 100.
func Risk(likelihood float64) int { return int(math.Round(100 * likelihood)) }

// step is what is shown of one: groups, which are nothing themselves, are left out, and what
// leads through them is one step.
type step struct {
	From, To   bulwark.VertexID
	Edge       string
	Text       string
	Place      *bulwark.Place
	Likelihood float64
	Because    []string
	Remedies   []string
}

func steps(p *graph.Path) []step {
	var list []step
	open := false // the last one is not at its end yet
	for _, s := range p.Steps {
		likelihood := s.Likelihood
		if likelihood == 0 {
			likelihood = 1
		}
		if !open {
			list = append(list, step{From: s.From, To: s.To, Edge: s.Type, Text: s.Text, Place: s.Place, Likelihood: likelihood, Because: s.Because, Remedies: s.Remedies})
		} else {
			join(&list[len(list)-1], s, likelihood)
		}
		open = graph.Grouping(s.To)
	}
	return list
}

// plain are types of relations that only say what is in a group.
var plain = []string{"", "MEMBER_OF", "POD_NETWORK"}

func join(last *step, s graph.Step, likelihood float64) {
	last.To, last.Likelihood = s.To, last.Likelihood*likelihood
	last.Because, last.Remedies = slices.Concat(last.Because, s.Because), slices.Concat(last.Remedies, s.Remedies)
	if last.Place == nil {
		last.Place = s.Place
	}
	switch {
	case slices.Contains(plain, s.Type):
	case slices.Contains(plain, last.Edge):
		last.Edge, last.Text = s.Type, s.Text
	case s.Text != "" && s.Text != last.Text && s.Type != last.Edge:
		last.Text += ", " + s.Text
	}
}

// index finds findings by what relations say of them.
type index struct {
	byRemedy map[string]*bulwark.Finding
	remedies map[string]bulwark.Remedy
}

func (a *Answer) index() *index {
	x := &index{map[string]*bulwark.Finding{}, map[string]bulwark.Remedy{}}
	for i := range a.Findings {
		x.byRemedy[bulwark.RemedyOf(&a.Findings[i])] = &a.Findings[i]
	}
	for _, list := range [][]bulwark.Remedy{a.Graph.Remedies(), a.WhatIf} {
		for _, r := range list {
			x.remedies[r.ID] = r
		}
	}
	return x
}

// change is what a remedy says: what to do, to which object (where that is not in the words
// themselves), and where that is.
type change struct{ what, object, at string }

// remedy says what to change.
func (x *index) remedy(id string) change {
	r := x.remedies[id]
	f := x.byRemedy[id]
	if f == nil || f.Fix == nil {
		return change{what: text.Clean(cmp.Or(r.Text, id))}
	}
	what := f.Fix.Text
	if f.Rule != "" {
		what += " [" + f.Rule + "]"
	}
	return change{text.Clean(what), object(text.Clean(f.Subject)), where(&bulwark.Place{Path: f.Path, Line: f.Line})}
}

// String is the change in a line, without its place.
func (c change) String() string {
	if c.object == "" {
		return c.what
	}
	return c.object + ": " + c.what
}

// kin are paths that differ in where they begin alone, or in what they pass.
type kin struct {
	*graph.Path
	steps []step
	also  []bulwark.VertexID // where the others begin
	again int                // how many others begin where one that is named does
}

// families folds paths that take the same steps to the same goal.
func families(list []graph.Path) []kin {
	at := map[string]int{}
	var all []kin
	for i := range list {
		k := kin{Path: &list[i], steps: trimmed(steps(&list[i]))}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %.6f", k.To(), k.Likelihood)
		for _, s := range k.steps {
			fmt.Fprintf(&b, " %s %.6f", s.Edge, s.Likelihood)
		}
		n, ok := at[b.String()]
		if !ok {
			at[b.String()] = len(all)
			all = append(all, k)
			continue
		}
		if one := &all[n]; k.From() == one.From() || slices.Contains(one.also, k.From()) {
			one.again++
		} else {
			one.also = append(one.also, k.From())
		}
	}
	return all
}

// trimmed leaves out that whoever holds a pod is in its containers, which nothing stops: the
// next step says which it is.
func trimmed(list []step) []step {
	kept := list[:0:0]
	for i := 0; i < len(list); i++ {
		s := list[i]
		if s.Edge == "CONTAINER_ATTACH" && s.Likelihood == 1 && len(s.Remedies) == 0 && i+1 < len(list) {
			i++
			next := list[i]
			_, name, _ := strings.Cut(string(s.To), ":")
			next.From, next.Text = s.From, next.Text+", from container "+name[strings.LastIndexByte(name, '/')+1:]
			s = next
		}
		kept = append(kept, s)
	}
	return kept
}

// minimal says how good the set of remedies is.
func minimal(c *graph.Cut) string {
	if c.Minimal() {
		return "proved minimal"
	}
	return fmt.Sprintf("at least %d are needed", c.Bound)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	many := one + "s"
	if strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ay") {
		many = strings.TrimSuffix(one, "y") + "ies"
	}
	return fmt.Sprintf("%d %s", n, many)
}

func round(likelihood float64) float64 { return math.Round(likelihood*1e4) / 1e4 }
