package table

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/report/internal/group"
)

func (p *printer) vulnerabilities(a *group.Asset) {
	for _, s := range a.Sections {
		p.heading(s.Name + ": " + sectionTally(s))
		g := &grid{head: []string{"PACKAGE", "INSTALLED", "FIXED", "SEVERITY", "RISK", "VULNERABILITIES"}, right: map[int]bool{4: true}}
		for i := range s.Rows {
			p.vulnerable(g, &s.Rows[i])
		}
		p.grid(g)
	}
}

func sectionTally(s group.Section) string {
	ids := 0
	for _, r := range s.Rows {
		ids += len(r.IDs)
	}
	return group.Count(ids, "vulnerability") + " in " + group.Count(len(s.Rows), "package")
}

func (p *printer) vulnerable(g *grid, r *group.Row) {
	if p.o.Verbose && !r.Kernel {
		for _, f := range r.Findings {
			v := f.Vulnerability
			g.add(severityStyles(f.Severity), v.Package, v.Installed, cmp.Or(strings.Join(v.Fixed, ", "), "no fix"),
				f.Severity.String(), strconv.Itoa(f.Risk), detail(f))
		}
		return
	}
	styles := severityStyles(r.Severity)
	if r.Kernel {
		styles = repeat(dim, 6)
	}
	g.add(styles, packageCell(r), installedCell(r), fixedCell(r), r.Severity.String(), strconv.Itoa(r.Risk), idsCell(r))
}

func severityStyles(s bulwark.Severity) []style { return []style{bold, plain, plain, of(s)} }

func packageCell(r *group.Row) string {
	switch n := len(r.Binaries); {
	case n == 0:
		return r.Name
	case n <= 2:
		return r.Name + " (" + strings.Join(r.Binaries, ", ") + ")"
	default:
		return fmt.Sprintf("%s (%s +%d)", r.Name, r.Binaries[0], n-1)
	}
}

func installedCell(r *group.Row) string {
	if n := len(r.Installed); n > 1 {
		return fmt.Sprintf("%s +%d", r.Installed[0], n-1)
	}
	return r.Installed[0]
}

func fixedCell(r *group.Row) string {
	switch {
	case r.Fixable == 0:
		return "no fix"
	case r.Fixable < len(r.IDs):
		return fmt.Sprintf("%s (%d of %d)", r.Fixed, r.Fixable, len(r.IDs))
	}
	return r.Fixed
}

func idsCell(r *group.Row) string {
	s := r.IDs[0]
	if n := len(r.IDs); n > 1 {
		s += " +" + group.Number(n-1) + " more"
	}
	if r.KEV {
		s += ", known to be exploited"
	}
	if r.Kernel {
		s += "; headers only, a container runs its host's kernel"
	}
	return s
}

// detail is the last cell of one finding.
func detail(f *bulwark.Finding) string {
	s := group.ID(f.Vulnerability)
	if f.Vulnerability.ID != s {
		s += " (" + f.Vulnerability.ID + ")"
	}
	if f.Vulnerability.KEV {
		s += ", known to be exploited"
	}
	if f.InUse != nil && !*f.InUse {
		s += ", not in use"
	}
	if f.Title != "" {
		s += ": " + f.Title
	}
	if f.Vulnerability.Source == "" && f.Path != "" {
		s += " [" + where(f) + "]"
	}
	return s
}

func where(f *bulwark.Finding) string {
	s := cmp.Or(f.Path, f.Subject)
	if f.Line > 0 {
		s += ":" + strconv.Itoa(f.Line)
	}
	if n := len(f.Places); n > 1 {
		s += fmt.Sprintf(" +%d", n-1)
	}
	return s
}

// others are the findings that are no vulnerabilities, a table for each kind.
func (p *printer) others(a *group.Asset) {
	kinds := group.Kinds()
	for _, f := range a.Others {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	hygiene := 0
	for _, kind := range kinds {
		g := &grid{head: []string{"SEVERITY", "RISK", "WHERE", "WHAT"}, right: map[int]bool{1: true}}
		for _, f := range group.OfKind(a.Others, kind) {
			if !p.o.Hygiene && slices.Contains(f.Tags, "hygiene") {
				hygiene++
				continue
			}
			g.add([]style{of(f.Severity)}, f.Severity.String(), strconv.Itoa(f.Risk), where(f), what(f))
		}
		if len(g.rows) > 0 {
			p.heading(group.Title(kind))
			p.grid(g)
		}
	}
	if hygiene > 0 {
		p.line()
		p.text(dim, indent, indent, group.Count(hygiene, "finding")+" of hygiene: --hygiene lists them")
	}
}

func what(f *bulwark.Finding) string {
	if f.Fix == nil || f.Fix.Text == "" {
		return f.Title
	}
	return f.Title + ": " + f.Fix.Text
}

func (p *printer) excepted(a *group.Asset) {
	if len(a.Excepted) == 0 {
		return
	}
	if !p.o.Verbose {
		p.line()
		p.text(dim, indent, indent, group.Count(len(a.Excepted), "finding")+" excepted: --verbose lists them")
		return
	}
	p.heading("Excepted")
	g := &grid{head: []string{"FINDING", "SUBJECT", "OWNER", "EXPIRES", "REASON"}}
	for _, f := range a.Excepted {
		g.add(nil, strings.TrimPrefix(f.Rule, "vuln/"), f.Subject, f.Exception.Owner, cmp.Or(f.Exception.Expires, "never"), f.Exception.Reason)
	}
	p.grid(g)
}

// maxNotes are listed when not asked for all.
const maxNotes = 20

// runNotes are those that belong to no asset.
func (p *printer) runNotes() {
	var list []*bulwark.Note
	for i := range p.run.Notes {
		if p.run.Notes[i].Asset == "" {
			list = append(list, &p.run.Notes[i])
		}
	}
	p.notes(list)
}

func (p *printer) notes(list []*bulwark.Note) {
	if len(list) == 0 {
		return
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *bulwark.Note) int { return cmp.Compare(rank(a), rank(b)) })
	p.heading("Notes")
	for i, n := range list {
		if i == maxNotes && !p.o.Verbose && len(list) > maxNotes+1 {
			p.text(dim, indent, indent, fmt.Sprintf("... and %s more: --verbose lists them", group.Number(len(list)-i)))
			return
		}
		s, st := n.Text, plain
		if n.Path != "" {
			s = n.Path + ": " + s
		}
		if n.Incomplete {
			s, st = "not looked at: "+s, yellow
		}
		p.text(st, indent+"- ", indent+"  ", s)
	}
}

// rank puts what was not looked at first.
func rank(n *bulwark.Note) int {
	if n.Incomplete {
		return 0
	}
	return 1
}

func (p *printer) packages(a *group.Asset) {
	if len(a.Packages) == 0 {
		return
	}
	p.line()
	g := &grid{head: []string{"PACKAGE", "VERSION", "ECOSYSTEM", "LICENCE", "PATH"}}
	for _, k := range a.Packages {
		path := k.Path
		if k.OwnedBy != "" {
			path += " (of " + k.OwnedBy + ")"
		}
		if k.Declared {
			path += " (declared)"
		}
		g.add([]style{bold}, k.Name, cmp.Or(k.Version, "-"), cmp.Or(k.Ecosystem, "-"), cmp.Or(strings.Join(k.Licenses, ", "), "-"), path)
	}
	p.grid(g)
}
