package paths

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"

	"bulwark/graph"
	"bulwark/report/internal/text"
)

var (
	//go:embed page.html.tmpl
	page string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

var parsed = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(page) })

// mostDrawn is how many kinds of paths the page has; the rest is told by number.
const mostDrawn = 2000

// mostUnfolded is how many changes stand before the paths.
const mostUnfolded = 10

// The page's contents, as texts.
type (
	view struct {
		Policy   string
		Style    template.CSS
		Script   template.JS
		Title    string
		Headline string
		WhatIf   []string
		Changes  []changeRow
		More     []changeRow // those that are folded
		Chokes   []string
		Groups   []folded
		Left     int
		Total    int
		Notes    []string
	}
	changeRow struct {
		First, Last  int
		What, Counts string
		Objects      []string
		Share        int // of 1000
	}
	folded struct {
		Title string
		Paths []onePath
	}
	onePath struct {
		Risk     int
		Class    string
		From, To string
		Also     []string
		Steps    []oneStep
		Open     bool
	}
	oneStep struct {
		To, Edge, Text, At, Chance string
		Fixes                      []string
	}
)

func writeHTML(w io.Writer, a *Answer) error {
	t, err := parsed()
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	if err := t.Execute(b, a.view()); err != nil {
		return err
	}
	return b.Flush()
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (a *Answer) view() *view {
	v := &view{
		Policy: "default-src 'none'; style-src '" + digest(style) + "'; script-src '" + digest(script) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(style), Script: template.JS(script), Title: "Attack paths", Headline: a.headline(),
	}
	if a.Reach {
		v.Title, v.Headline = "What can be reached", a.reachline(a.reached())
	}
	x := a.index()
	for _, r := range a.WhatIf {
		v.WhatIf = append(v.WhatIf, x.remedy(r.ID).placed())
	}
	for _, l := range a.alike(x) {
		v.Changes = append(v.Changes, rowOf(&l, &a.Cut))
	}
	if len(v.Changes) > mostUnfolded {
		v.Changes, v.More = v.Changes[:mostUnfolded], v.Changes[mostUnfolded:]
	}
	chokes := a.telling()
	for _, c := range chokes[:min(len(chokes), 2*mostChokes)] {
		v.Chokes = append(v.Chokes, fmt.Sprintf("%s stands before %s", title(c.Vertex), plural(c.Goals, "goal")))
	}
	if a.Reach {
		v.fold(x, a.reached(), false)
	} else {
		v.fold(x, a.Paths, false)
		v.fold(x, a.Cut.Uncut, true)
	}
	for _, n := range a.Notes {
		if n.Incomplete {
			v.Notes = append(v.Notes, text.Clean(n.Path+" "+n.Text))
		}
	}
	return v
}

func rowOf(l *alike, c *graph.Cut) changeRow {
	row := changeRow{First: l.first + 1, Last: l.first + len(l.changes), What: l.what(), Share: 1000 * l.together / max(len(c.Paths), 1)}
	row.Counts = "for the next best way"
	if !l.spare {
		row.Counts = l.worth(c)
	}
	if len(l.changes) > 1 {
		for _, one := range l.changes {
			row.Objects = append(row.Objects, one.object+bracketed(one.at))
		}
	}
	return row
}

// fold adds paths by the kind of what they lead to.
func (v *view) fold(x *index, list []graph.Path, open bool) {
	at := map[string]int{}
	for _, k := range families(list) {
		if v.Total++; v.Total > mostDrawn {
			v.Left++
			continue
		}
		name := "Paths to " + text.Clean(kindOf(k.To()))
		if open {
			name = "Nothing that is known cuts these"
		}
		n, ok := at[name]
		if !ok {
			n = len(v.Groups)
			at[name] = n
			v.Groups = append(v.Groups, folded{Title: name})
		}
		v.Groups[n].Paths = append(v.Groups[n].Paths, onePathOf(x, &k, open))
	}
}

func onePathOf(x *index, k *kin, open bool) onePath {
	p := onePath{Risk: Risk(k.Likelihood), From: title(k.From()), To: title(k.To()), Open: open}
	p.Class = [...]string{"low", "medium", "high", "critical"}[min(p.Risk/25, 3)]
	for _, v := range k.also {
		p.Also = append(p.Also, title(v))
	}
	for _, s := range k.steps {
		one := oneStep{To: title(s.To), Edge: text.Clean(s.Edge), Text: text.Clean(s.Text), At: where(s.Place)}
		if s.Likelihood < 1 {
			one.Chance = fmt.Sprintf("%.0f%%", 100*s.Likelihood)
		}
		for _, id := range s.Remedies {
			one.Fixes = append(one.Fixes, x.remedy(id).String())
		}
		p.Steps = append(p.Steps, one)
	}
	return p
}
