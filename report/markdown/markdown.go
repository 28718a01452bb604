// Package markdown writes a run as Markdown with tables, for comments on merge
// requests and for wikis.
package markdown

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
	"bulwark/report/internal/vex"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "markdown", Summary: "Markdown with tables.", Extension: ".md", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error {
		p := &printer{w: bufio.NewWriter(w), o: o, run: r}
		p.report()
		return p.w.Flush()
	})
}

// printer writes to a bufio.Writer, which keeps the first error for Flush.
type printer struct {
	w   *bufio.Writer
	o   report.Options
	run *bulwark.Report
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.w, format+"\n", args...) // the error stays in w
}

// escaped are the characters that mean something to Markdown or HTML.
var escaped = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"|", `\|`, "#", `\#`, "~", `\~`, "@", "@<!-- -->", "://", ":<!-- -->//", "!", `\!`)

// esc makes a foreign string mean itself: no markup, no link, and no mention of a user
// (an empty comment keeps "@" and "://" apart from what follows).
func esc(s string) string { return escaped.Replace(text.Clean(s)) }

func (p *printer) report() {
	p.frameworks()
	for _, a := range group.ByAsset(p.run) {
		p.asset(a)
	}
	var notes []*bulwark.Note
	for i := range p.run.Notes {
		if p.run.Notes[i].Asset == "" {
			notes = append(notes, &p.run.Notes[i])
		}
	}
	p.notes(notes)
	words, _ := group.Age(&p.run.Run, whole.Now(p.o, &p.run.Run), p.o.Unasked)
	p.line("_%s_", esc(words))
	if !p.run.Summary.Complete {
		p.line("\n**Incomplete:** not everything that was asked for could be looked at; the notes say what.")
	}
}

func (p *printer) asset(a *group.Asset) {
	p.line("# %s\n", esc(strings.TrimSpace(a.Kind+" "+a.Name)))
	about := []string{group.Count(len(a.Packages), "package")}
	if objects := a.Labels["objects"]; objects != "" && len(a.Packages) == 0 {
		about = []string{objects}
	}
	if d := group.Distribution(a); d != "" {
		about = append([]string{d}, about...)
	}
	if b := a.Labels["base"]; b != "" {
		about = append(about, "base image "+b)
	}
	p.line("%s\n", esc(strings.Join(about, " · ")))
	p.severities(a)
	if len(a.Advice) > 0 {
		p.line("## Fix first\n")
		for i, ad := range a.Advice {
			p.line("%d. %s", i+1, esc(group.Effect(ad, a)))
		}
		p.line("")
		if s := group.Together(a); s != "" {
			p.line("%s\n", esc(s))
		}
	}
	for _, s := range a.Sections {
		p.section(s)
	}
	p.others(a)
	p.excepted(a)
	p.notes(a.Notes)
}

func (p *printer) severities(a *group.Asset) {
	p.line("| critical | high | medium | low | unknown | excepted |")
	p.line("| ---: | ---: | ---: | ---: | ---: | ---: |")
	var cells []string
	for _, s := range bulwark.Severities() {
		cells = append(cells, group.Number(a.Counts[s]))
	}
	p.line("| %s | %s |\n", strings.Join(cells, " | "), group.Number(len(a.Excepted)))
}

func (p *printer) section(s group.Section) {
	p.line("## Vulnerabilities: %s\n", esc(s.Heading()))
	p.line("| package | installed | fixed | severity | risk | vulnerabilities |")
	p.line("| --- | --- | --- | --- | ---: | --- |")
	for i := range s.Rows {
		if i == maxRows && !p.o.Verbose && len(s.Rows) > maxRows+1 {
			p.line("| ... and %s more | | | | | |", group.Number(len(s.Rows)-i))
			break
		}
		r := &s.Rows[i]
		fixed := cmp.Or(r.Fixed, "no fix")
		if r.Fixable > 0 && r.Fixable < len(r.IDs) {
			fixed += fmt.Sprintf(" (%d of %d)", r.Fixable, len(r.IDs))
		}
		p.line("| %s | %s | %s | %s | %d | %s |", esc(name(r)), esc(some(r.Installed)), esc(fixed), r.Severity, r.Risk, esc(p.ids(r)))
	}
	p.line("")
}

func name(r *group.Row) string {
	if len(r.Binaries) == 0 {
		return r.Name
	}
	return r.Name + " (" + some(r.Binaries) + ")"
}

// some names the first of many.
func some(list []string) string {
	if n := len(list); n > shown+1 {
		return strings.Join(list[:shown], ", ") + fmt.Sprintf(" +%s", group.Number(n-shown))
	}
	return strings.Join(list, ", ")
}

// maxRows of a table and maxNotes are written when not asked for all, so that a report
// fits into a comment.
const maxRows, maxNotes = 100, 50

// shown is how many ids a row names.
const shown = 5

func (p *printer) ids(r *group.Row) string {
	n := len(r.IDs)
	if n > shown && (!p.o.Verbose || r.Kernel) {
		n = shown
	}
	s := strings.Join(r.IDs[:n], ", ")
	if more := len(r.IDs) - n; more > 0 {
		s += fmt.Sprintf(" +%s more", group.Number(more))
	}
	if r.KEV {
		s += "; known to be exploited"
	}
	if r.Unused && !r.Kernel {
		s += "; not in use"
	}
	if r.Used {
		s += "; in use"
	}
	if r.Kernel {
		s += "; headers only, a container runs its host's kernel"
	}
	return s
}

func (p *printer) others(a *group.Asset) {
	kinds := group.Kinds()
	for _, f := range a.Others {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	for _, kind := range kinds {
		list := group.OfKind(a.Others, kind)
		if !p.o.Hygiene {
			list = slices.DeleteFunc(list, func(f *bulwark.Finding) bool { return slices.Contains(f.Tags, "hygiene") })
		}
		if len(list) == 0 {
			continue
		}
		p.line("## %s\n", esc(group.Title(kind)))
		p.line("| severity | risk | where | what | fix |")
		p.line("| --- | ---: | --- | --- | --- |")
		for i, same := range group.Alike(list) {
			if i == maxRows && !p.o.Verbose {
				p.line("| ... | | and more | | |")
				break
			}
			f, fix := same[0], ""
			if f.Fix != nil {
				fix = f.Fix.Text
			}
			where := cmp.Or(f.Path, f.Subject)
			if f.Line > 0 {
				where += fmt.Sprintf(":%d", f.Line)
			}
			if n := len(same); n > 1 {
				where += fmt.Sprintf(" +%d", n-1)
			}
			p.line("| %s | %d | %s | %s | %s |", f.Severity, f.Risk, esc(where), esc(what(f)), esc(fix))
		}
		p.line("")
	}
}

// what is the title of a finding, and of settings the first that was seen and where.
func what(f *bulwark.Finding) string {
	s := f.Title
	if f.Kind != bulwark.KindMisconfig && f.Kind != bulwark.KindExposure {
		return s
	}
	if len(f.Evidence) > 0 {
		s += ": " + f.Evidence[0]
	}
	if f.Path != "" && f.Subject != "" && f.Subject != f.Path {
		s += " (" + f.Subject + ")"
	}
	return s
}

func (p *printer) excepted(a *group.Asset) {
	if len(a.Excepted) == 0 {
		return
	}
	p.line("<details><summary>%s excepted</summary>\n", group.Count(len(a.Excepted), "finding"))
	for _, f := range a.Excepted {
		p.line("- %s in %s: %s", esc(strings.TrimPrefix(f.Rule, "vuln/")), esc(f.Subject), esc(vex.Words(f.Exception)))
	}
	p.line("\n</details>\n")
}

func (p *printer) notes(list []*bulwark.Note) {
	if len(list) == 0 {
		return
	}
	p.line("<details><summary>%s</summary>\n", group.Count(len(list), "note"))
	for i, n := range list {
		if i == maxNotes && !p.o.Verbose && len(list) > maxNotes+1 {
			p.line("- ... and %s more", group.Number(len(list)-i))
			break
		}
		s := esc(strings.TrimPrefix(n.Path+": "+n.Text, ": "))
		if n.Incomplete {
			s = "**not looked at:** " + s
		}
		p.line("- %s", s)
	}
	p.line("\n</details>\n")
}
