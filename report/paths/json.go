package paths

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"bulwark"
	"bulwark/graph"
)

// The shape of the json format: that of a report, with relations, paths and what cuts them.
type (
	document struct {
		Schema    string            `json:"schema"`
		Run       bulwark.Run       `json:"run"`
		Assets    []bulwark.Asset   `json:"assets"`
		Packages  []bulwark.Package `json:"packages"`
		Findings  []bulwark.Finding `json:"findings"`
		Relations json.RawMessage   `json:"relations"` // they are written one by one
		Remedies  []bulwark.Remedy  `json:"remedies"`
		Paths     []pathJSON        `json:"paths"`
		Cut       *cutJSON          `json:"cut,omitempty"`
		Chokes    []chokeJSON       `json:"chokes,omitempty"`
		Notes     []bulwark.Note    `json:"notes"`
		Summary   bulwark.Summary   `json:"summary"`
	}
	pathJSON struct {
		From       bulwark.VertexID `json:"from"`
		To         bulwark.VertexID `json:"to"`
		Risk       int              `json:"risk"`
		Likelihood float64          `json:"likelihood"`
		Steps      []stepJSON       `json:"steps"`
	}
	stepJSON struct {
		From       bulwark.VertexID `json:"from"`
		To         bulwark.VertexID `json:"to"`
		Edge       string           `json:"edge"`
		Text       string           `json:"text,omitempty"`
		Likelihood float64          `json:"likelihood"`
		Place      *bulwark.Place   `json:"place,omitempty"`
		Because    []string         `json:"because"`
		Remedies   []string         `json:"remedies,omitempty"`
	}
	cutJSON struct {
		Paths    int          `json:"paths"`
		Bound    int          `json:"bound"`
		Minimal  bool         `json:"minimal"`
		Remedies []changeJSON `json:"remedies"`
		Open     []pathJSON   `json:"open,omitempty"`
		WhatIf   []string     `json:"whatIf,omitempty"`
		Before   int          `json:"before,omitempty"`
	}
	changeJSON struct {
		bulwark.Remedy
		Removes  int `json:"removes"`  // paths, alone
		Together int `json:"together"` // paths, with those before it
	}
	chokeJSON struct {
		Vertex bulwark.VertexID `json:"vertex"`
		Edge   string           `json:"edge,omitempty"`
		From   bulwark.VertexID `json:"from,omitempty"`
		Goals  int              `json:"goals"`
	}
)

func writeJSON(w io.Writer, a *Answer) error {
	d := document{
		Schema: bulwark.Schema, Run: a.Run, Assets: some(a.Assets), Packages: []bulwark.Package{}, Findings: some(a.Findings),
		Relations: json.RawMessage(`[]`), Remedies: some(a.Graph.Remedies()), Paths: pathsJSON(a.Paths), Notes: some(a.Notes),
	}
	if !a.Reach {
		d.Cut = cutOf(a)
		for _, c := range a.Chokes {
			one := chokeJSON{Vertex: c.Vertex, Goals: c.Goals}
			if c.Step != nil {
				one.Edge, one.From = c.Step.Type, c.Step.From
			}
			d.Chokes = append(d.Chokes, one)
		}
	}
	r := bulwark.Report{Findings: a.Findings, Notes: a.Notes}
	r.Summarize()
	d.Summary = r.Summary
	var rest bytes.Buffer
	e := json.NewEncoder(&rest)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(&d); err != nil {
		return err
	}
	before, after, _ := bytes.Cut(rest.Bytes(), []byte("\n"+`  "relations": []`))
	b := bufio.NewWriter(w)
	b.Write(before)
	b.WriteString("\n" + `  "relations": [`)
	if err := writeRelations(b, a.Graph); err != nil {
		return err
	}
	b.WriteString("]")
	b.Write(after)
	return b.Flush()
}

// writeRelations writes them one by one: there may be millions.
func writeRelations(b *bufio.Writer, g *graph.Graph) error {
	var one bytes.Buffer
	e := json.NewEncoder(&one)
	e.SetEscapeHTML(false)
	e.SetIndent("    ", "  ")
	any := false
	for r := range g.Relations {
		r.Because = some(r.Because)
		one.Reset()
		if err := e.Encode(&r); err != nil {
			return err
		}
		if any {
			b.WriteByte(',')
		}
		any = true
		b.WriteString("\n    ")
		b.Write(bytes.TrimSuffix(one.Bytes(), []byte("\n")))
	}
	if any {
		b.WriteString("\n  ")
	}
	return nil
}

func cutOf(a *Answer) *cutJSON {
	c := &cutJSON{Paths: len(a.Cut.Paths), Bound: a.Cut.Bound, Minimal: a.Cut.Minimal(), Remedies: []changeJSON{}, Open: pathsJSON(a.Cut.Uncut), Before: a.Before}
	for i, r := range a.Cut.Remedies {
		c.Remedies = append(c.Remedies, changeJSON{r, a.Cut.Removes[i], a.Cut.Together[i]})
	}
	for _, r := range a.WhatIf {
		c.WhatIf = append(c.WhatIf, r.ID)
	}
	return c
}

func pathsJSON(list []graph.Path) []pathJSON {
	all := make([]pathJSON, 0, len(list))
	for i := range list {
		p := pathJSON{From: list[i].From(), To: list[i].To(), Risk: Risk(list[i].Likelihood), Likelihood: round(list[i].Likelihood)}
		for _, s := range steps(&list[i]) {
			p.Steps = append(p.Steps, stepJSON{s.From, s.To, s.Edge, s.Text, round(s.Likelihood), s.Place, some(s.Because), s.Remedies})
		}
		all = append(all, p)
	}
	return all
}

// some is a list that is written as one where it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
