package table

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/report/internal/compliance"
	"bulwark/report/internal/text"
)

// frameworks shows how targets stand against frameworks: a line for each control, those that
// failed first.
func (p *printer) frameworks() {
	for i := range p.run.Frameworks {
		p.framework(&p.run.Frameworks[i])
	}
}

var statusStyles = map[string]style{bulwark.StatusFail: red, bulwark.StatusManual: yellow, bulwark.StatusPass: green, bulwark.StatusNA: dim}

func (p *printer) framework(f *bulwark.Framework) {
	title := strings.TrimSpace(f.Title + " " + f.Version)
	if len(p.run.Frameworks) > 1 {
		title += " | " + string(f.Asset)
	}
	p.heading(text.Clean(title) + " | " + compliance.Words(f.Score))
	if len(f.Sections) > 1 {
		g := &grid{columns: []column{{head: "SECTION", yields: 20, most: 60}, {head: "SCORE", right: true}, {head: "PASS", right: true}, {head: "FAIL", right: true}, {head: "MANUAL", right: true}, {head: "N/A", right: true}}}
		for _, s := range f.Sections {
			g.add(nil, text.Clean(compliance.Section(s)), compliance.Percent(s.Score), fmt.Sprint(s.Score.Passed), fmt.Sprint(s.Score.Failed), fmt.Sprint(s.Score.Manual), fmt.Sprint(s.Score.NotApplicable))
		}
		p.grid(g)
		p.line()
	}
	g := &grid{columns: []column{{head: "STATUS"}, {head: "CONTROL"}, {head: "WHAT", yields: 28, most: 84}, {head: "SEEN", yields: 30, most: 110, wrap: true}}}
	absent := 0
	for _, c := range compliance.Sorted(f) {
		if c.Status == bulwark.StatusNA && !p.o.Verbose {
			absent++
			continue
		}
		g.add([]style{statusStyles[c.Status]}, c.Status, c.ID, c.Title, compliance.Seen(c))
	}
	p.grid(g)
	if absent > 0 {
		p.text(dim, indent, indent, fmt.Sprintf("%d not applicable: --verbose lists them, and all findings", absent))
	}
	p.manual(f)
}

// maxManual are told of how to find out when not asked for all.
const maxManual = 5

// manual says how a person finds out, once for each way.
func (p *printer) manual(f *bulwark.Framework) {
	var ways []string
	for i := range f.Controls {
		c := &f.Controls[i]
		if way := c.ByHand; c.Status == bulwark.StatusManual && way != "" && !slices.Contains(ways, way) {
			ways = append(ways, way)
			if len(ways) == 1 {
				p.text(dim, indent, indent, "By hand:")
			}
			if len(ways) <= maxManual || p.o.Verbose {
				p.text(dim, indent+"- ", indent+"  ", c.ID+": "+way)
			}
		}
	}
	if n := len(ways) - maxManual; n > 0 && !p.o.Verbose {
		p.text(dim, indent, indent, fmt.Sprintf("... and %d more: bulwark explain %s:CONTROL", n, text.Clean(f.ID)))
	}
}
