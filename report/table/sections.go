package table

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
)

// roomy is how wide a terminal is that has room for where a package lies.
const roomy = 120

func (p *printer) vulnerabilities(a *group.Asset) {
	for _, s := range a.Sections {
		p.heading(s.Heading() + ": " + sectionTally(s))
		g := &grid{columns: []column{{head: "PACKAGE", yields: 24, most: 80}, {head: "INSTALLED", yields: 16, most: 60}, {head: "FIXED", wrap: true, yields: 16, most: 60},
			{head: "SEVERITY"}, {head: "RISK", right: true}, {head: "VULNERABILITIES", wrap: true, yields: 20}}}
		if p.placed(s) {
			g.columns = append(g.columns, column{head: "WHERE", yields: 20, most: 80})
		}
		for i := range s.Rows {
			p.vulnerable(g, &s.Rows[i])
		}
		p.grid(g)
	}
}

// placed tells whether to show where the packages of a section lie: not when a
// distribution's package manager knows, and not without room.
func (p *printer) placed(s group.Section) bool {
	return (p.o.Verbose || p.o.Width == 0 || p.o.Width >= roomy) && slices.ContainsFunc(s.Rows, func(r group.Row) bool { return len(r.Paths) > 0 })
}

func sectionTally(s group.Section) string {
	ids := 0
	for _, r := range s.Rows {
		ids += len(r.IDs)
	}
	return group.Count(ids, "vulnerability") + " in " + group.Count(len(s.Rows), "package")
}

func (p *printer) vulnerable(g *grid, r *group.Row) {
	add := func(styles []style, cells ...string) { g.add(styles, cells[:len(g.columns)]...) }
	if p.o.Verbose && !r.Kernel {
		for _, f := range r.Findings {
			v := f.Vulnerability
			add(severityStyles(f.Severity), v.Package, v.Installed, cmp.Or(strings.Join(group.Fixed(f), ", "), "no fix"),
				f.Severity.String(), strconv.Itoa(f.Risk), detail(f), where(f))
		}
		return
	}
	styles := severityStyles(r.Severity)
	if r.Kernel {
		styles = repeat(dim, 6)
	}
	add(styles, packageCell(r), installedCell(r), fixedCell(r), r.Severity.String(), strconv.Itoa(r.Risk), idsCell(r), pathCell(r))
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
	if r.Unused && !r.Kernel {
		s += ", not in use"
	}
	if r.Used {
		s += ", in use"
	}
	if r.Kernel {
		s += "; headers only, a container runs its host's kernel"
	}
	return s
}

func pathCell(r *group.Row) string {
	switch n := len(r.Paths); n {
	case 0:
		return ""
	case 1:
		return r.Paths[0]
	default:
		return fmt.Sprintf("%s +%d", r.Paths[0], n-1)
	}
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
	if f.InUse != nil && *f.InUse {
		s += ", in use"
	}
	if f.Title != "" && f.Title != group.ID(f.Vulnerability) {
		s += ": " + f.Title
	}
	return s
}

func where(f *bulwark.Finding) string {
	s := cmp.Or(f.Path, f.Subject)
	if f.Line > 0 {
		s += ":" + strconv.Itoa(f.Line)
	}
	if n := len(f.Places); n > 1 {
		s += fmt.Sprintf(" +%d", max(n, f.Count)-1)
	}
	if o := group.Object(f); o != "" && f.Path != "" {
		s += " (" + o + ")"
	}
	switch {
	case !slices.Contains(f.Tags, "removed"):
	case len(f.Places) > 0 && f.Places[0].Commit != "":
		s += fmt.Sprintf(" (in commit %.12s)", f.Places[0].Commit)
	default:
		s += " (removed by a later layer)"
	}
	if o := f.Origin; o != nil {
		s += fmt.Sprintf(" (%s:%d)", o.Path, o.Line)
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
		g := &grid{columns: []column{{head: "SEVERITY"}, {head: "RISK", right: true}, {head: "WHAT", wrap: true, yields: 32, most: 100}, {head: "WHERE", yields: 24, most: 120}}}
		var todo []*bulwark.Finding // one of each thing to do
		rows := group.Alike(group.OfKind(a.Others, kind))
		if !p.o.Verbose {
			rows = group.Crowds(rows)
		}
		for _, same := range rows {
			f := same[0]
			if !p.o.Hygiene && slices.Contains(f.Tags, "hygiene") {
				hygiene += len(same)
				continue
			}
			place := where(f)
			if len(same) > 1 {
				place = fmt.Sprintf("%s +%d", cmp.Or(f.Path, f.Subject), len(same)-1)
			}
			g.add([]style{of(f.Severity)}, f.Severity.String(), strconv.Itoa(f.Risk), whatAll(same), place)
			if told(f) && !slices.ContainsFunc(todo, func(o *bulwark.Finding) bool { return o.Fix.Text == f.Fix.Text }) {
				todo = append(todo, f)
			}
		}
		if len(g.rows) > 0 {
			p.heading(group.Title(kind))
			p.grid(g)
			p.fixes(todo)
		}
	}
	if hygiene > 0 {
		p.line()
		p.text(dim, indent, indent, group.Count(hygiene, "finding")+" of hygiene: --hygiene lists them")
	}
}

// told tells whether what to do about the finding stands below its table.
func told(f *bulwark.Finding) bool {
	return f.Fix != nil && f.Fix.Text != "" && (len(f.Evidence) > 0 || f.Kind == bulwark.KindSecret)
}

// what is the title with what was seen, or with what to do where nothing was: what to do
// about the others stands below their table, once.
func what(f *bulwark.Finding) string {
	switch {
	case len(f.Evidence) > 0:
		return f.Title + ": " + f.Evidence[0]
	case told(f):
		return f.Title
	case f.Fix != nil && f.Fix.Text != "":
		return f.Title + ": " + f.Fix.Text
	}
	return f.Title
}

// mostNames are named of the objects that one row is about.
const mostNames = 4

// whatAll is what findings of one row say: of several objects their names.
func whatAll(same []*bulwark.Finding) string {
	if len(same) == 1 || group.Object(same[0]) == "" {
		return what(same[0])
	}
	var names []string
	for _, f := range same {
		if name := group.Object(f); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s := fmt.Sprintf("%s: %s: ", same[0].Title, group.Count(len(same), "object"))
	if len(names) > mostNames {
		return s + strings.Join(names[:mostNames], ", ") + ", ..."
	}
	return s + strings.Join(names, ", ")
}

// maxFixes are listed below a table when not asked for all.
const maxFixes = 8

func (p *printer) fixes(list []*bulwark.Finding) {
	if len(list) > 0 {
		p.text(dim, indent, indent, "What to do:")
	}
	for i, f := range list {
		if i == maxFixes && !p.o.Verbose {
			p.text(dim, indent, indent, fmt.Sprintf("... and %s more: --verbose lists them", group.Number(len(list)-i)))
			return
		}
		p.text(dim, indent+"- ", indent+"  ", f.Title+": "+f.Fix.Text)
	}
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
	g := &grid{columns: []column{{head: "FINDING"}, {head: "SUBJECT", yields: 24, most: 100}, {head: "OWNER", yields: 12, most: 40}, {head: "EXPIRES"}, {head: "REASON", wrap: true, yields: 24}}}
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
		s, st := p.note(n), plain
		if n.Incomplete {
			s, st = "not looked at: "+s, yellow
		}
		p.text(st, indent+"- ", indent+"  ", s)
	}
}

// A note is cut to these columns when not asked for all, its path to fewer, so that the
// words behind a nested path stay.
const (
	noteWidth = 200
	pathWidth = 100
)

func (p *printer) note(n *bulwark.Note) string {
	path, words := text.Clean(n.Path), text.Clean(n.Text)
	if !p.o.Verbose {
		path = text.Middle(path, pathWidth)
		room := noteWidth
		if path != "" {
			room -= text.Width(path) + 2
		}
		words = text.Middle(words, room)
	}
	if path == "" {
		return words
	}
	return path + ": " + words
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
	g := &grid{columns: []column{{head: "PACKAGE", yields: 24, most: 80}, {head: "VERSION", yields: 16, most: 60}, {head: "ECOSYSTEM"}, {head: "LICENCE", yields: 12, most: 48}, {head: "PATH", yields: 20}}}
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
