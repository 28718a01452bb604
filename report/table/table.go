// Package table writes a run for people: what to fix first, then what is wrong, worst
// first, one line for each source package.
package table

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "table", Summary: "Tables for people, what to fix first at the top.", Extension: ".txt", Inventory: true, New: New}
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

// line writes a line of what is clean already.
func (p *printer) line(parts ...string) {
	for _, s := range parts {
		p.w.WriteString(s) // the error stays in w
	}
	p.w.WriteByte('\n')
}

// text writes a foreign or long text behind first, wrapped, its further lines
// behind next.
func (p *printer) text(st style, first, next, s string) {
	width := 0
	if p.o.Width > 0 {
		width = max(20, p.o.Width-text.Width(first))
	}
	for _, l := range text.Wrap(text.Clean(s), width) {
		p.line(first, p.paint(st, l))
		first = next
	}
}

func (p *printer) heading(s string) {
	p.line()
	p.line(p.paint(bold, s))
}

func (p *printer) report() {
	for i, a := range group.ByAsset(p.run) {
		if i > 0 {
			p.line()
			p.line()
		}
		p.asset(a)
	}
	p.frameworks()
	p.runNotes()
	p.summary()
}

func (p *printer) asset(a *group.Asset) {
	p.text(bold, "", "  ", name(a))
	var about []string
	if d := group.Distribution(a); d != "" {
		about = append(about, d)
	}
	if b := a.Labels["base"]; b != "" {
		about = append(about, "base image "+b)
	}
	packages := group.Count(len(a.Packages), "package")
	if len(a.Packages) > 0 {
		packages += " (" + group.Formats(a.Packages) + ")"
	}
	switch {
	case len(a.Packages) > 0:
	case a.Kind == "cluster": // it has objects
		packages = strings.TrimSpace("Kubernetes " + a.Labels["version"])
	case a.Labels["objects"] != "":
		packages = ""
	}
	if n := a.Labels["objects"]; n != "" {
		packages = strings.Join(nonEmpty(packages, n), " | ")
	}
	p.text(plain, "", "  ", strings.Join(nonEmpty(append(about, packages)...), " | "))
	if p.o.Inventory {
		p.packages(a)
		p.notes(a.Notes)
		return
	}
	p.text(plain, "", "  ", group.Tally(a))
	if len(p.run.Frameworks) > 0 && !p.o.Verbose { // they were asked for, and tell what is wrong by control
		p.notes(a.Notes)
		return
	}
	p.advice(a)
	p.vulnerabilities(a)
	p.others(a)
	p.excepted(a)
	p.notes(a.Notes)
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// name is the asset's kind and name, and its id where that says more.
func name(a *group.Asset) string {
	s := a.Name
	if a.Kind != "" {
		s = a.Kind + " " + s
	}
	if _, digest, ok := strings.Cut(string(a.ID), ":sha256:"); ok && len(digest) >= 12 && !strings.Contains(a.Name, digest) {
		s += " (sha256:" + digest[:12] + ")"
	}
	return s
}

func (p *printer) advice(a *group.Asset) {
	if len(a.Advice) == 0 {
		return
	}
	p.heading("Fix first")
	for i, ad := range a.Advice {
		p.text(green, fmt.Sprintf("  %d. ", i+1), "     ", group.Effect(ad, a))
	}
	if s := group.Together(a); s != "" {
		p.text(plain, "     ", "     ", s)
	}
}

func (p *printer) summary() {
	p.line()
	if p.o.Inventory {
		p.text(bold, "", "  ", group.Count(len(p.run.Packages), "package"))
	} else {
		p.text(bold, "", "  ", p.total())
		words, stale := group.Age(&p.run.Run, whole.Now(p.o, &p.run.Run), p.o.Unasked)
		st := plain
		if stale {
			st = yellow
		}
		p.text(st, "", "  ", words)
	}
	if !p.run.Summary.Complete {
		p.text(yellow, "", "  ", "Incomplete: not everything that was asked for could be looked at; the notes say what.")
	}
}

func (p *printer) total() string {
	s := p.run.Summary
	n := 0
	for _, c := range s.Counts {
		n += c
	}
	total := group.Count(n, "finding")
	if n > 0 {
		total += ": " + group.Counts(s.Counts)
	}
	if s.Unrated > 0 {
		total += " | " + group.Unrated(&s)
	}
	if s.Excepted > 0 {
		total += fmt.Sprintf(" | %s", group.Number(s.Excepted)+" excepted")
	}
	return total
}
