package diff

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/group"
	"bulwark/report/internal/record"
	"bulwark/report/internal/text"
	"bulwark/report/internal/whole"
)

// Formats are the names that [Diff.Write] takes, the default first.
func Formats() []string { return []string{"table", "json", "markdown"} }

// Write writes the difference in one of [Formats]; another name is an error wrapping
// [bulwark.ErrUnsupported].
func (d *Diff) Write(w io.Writer, format string, o report.Options) error {
	switch format {
	case "", "table":
		return d.text(w, o)
	case "json":
		return d.json(w)
	case "markdown":
		return d.markdown(w)
	}
	return fmt.Errorf("format %q of a difference, which has %s: %w", format, strings.Join(Formats(), ", "), bulwark.ErrUnsupported)
}

func (d *Diff) json(w io.Writer) error {
	out := *d
	out.Gained, out.Lost = filled(d.Gained), filled(d.Lost)
	return whole.JSON(w, out)
}

func filled(list []bulwark.Finding) []bulwark.Finding {
	out := make([]bulwark.Finding, len(list))
	for i := range list {
		out[i] = record.Finding(list[i])
	}
	return out
}

// lines are what a person reads, each with its sign.
func (d *Diff) lines() (packages, findings []string) {
	for _, p := range d.Added {
		packages = append(packages, "+ "+p.String())
	}
	for _, p := range d.Removed {
		packages = append(packages, "- "+p.String())
	}
	for _, c := range d.Changed {
		s := fmt.Sprintf("~ %s %s -> %s", label(c.Ecosystem, c.PURL, c.Name), strings.Join(c.Before, ", "), strings.Join(c.After, ", "))
		if c.Downgraded {
			s += " (downgraded)"
		}
		packages = append(packages, s)
	}
	for i := range d.Gained {
		findings = append(findings, "+ "+describe(&d.Gained[i]))
	}
	for i := range d.Lost {
		findings = append(findings, "- "+describe(&d.Lost[i]))
	}
	return packages, findings
}

// String is how a person reads a package.
func (p Package) String() string {
	return strings.TrimSpace(label(p.Ecosystem, p.PURL, p.Name) + " " + p.Version)
}

func label(ecosystem, purl, name string) string {
	typ, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	return strings.TrimSpace(cmp.Or(ecosystem, typ) + " " + name)
}

func describe(f *bulwark.Finding) string {
	what := f.Kind + " " + cmp.Or(f.Title, f.Rule) + where(f)
	if v := f.Vulnerability; v != nil {
		what = group.ID(v) + " in " + v.Package + " " + v.Installed
	}
	return fmt.Sprintf("%s %s (risk %d)", f.Severity, what, f.Risk)
}

// where is the object or file that a finding is about, or both.
func where(f *bulwark.Finding) string {
	at := f.Path
	if at != "" && f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	switch {
	case at == "" && f.Subject == "":
		return ""
	case at == "" || f.Subject == "" || f.Subject == f.Path:
		return " in " + cmp.Or(at, f.Subject)
	}
	return " in " + f.Subject + " (" + at + ")"
}

func (d *Diff) summary() string {
	return fmt.Sprintf("%s added, %s removed, %s changed; %s gained, %s lost, %s kept",
		group.Count(len(d.Added), "package"), group.Number(len(d.Removed)), group.Number(len(d.Changed)),
		group.Count(len(d.Gained), "finding"), group.Number(len(d.Lost)), group.Number(d.Kept))
}

func (d *Diff) text(w io.Writer, o report.Options) error {
	bw := bufio.NewWriter(w)
	fmt.Fprintf(bw, "%s -> %s\n", text.Clean(d.Before), text.Clean(d.After)) // errors stay in bw
	packages, findings := d.lines()
	section(bw, "Packages", packages, o)
	section(bw, "Findings", findings, o)
	fmt.Fprintf(bw, "\n%s\n", d.summary())
	if !d.Complete {
		fmt.Fprintln(bw, "Incomplete: at least one of the two could not be looked at in full.")
	}
	return bw.Flush()
}

func section(w io.Writer, title string, lines []string, o report.Options) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, l := range lines {
		l = "  " + text.Clean(l)
		if o.Width > 0 {
			l = text.Cut(l, max(o.Width, 40))
		}
		fmt.Fprintln(w, paint(l, o.Color))
	}
}

// paint shows what is worse in red and what is better in green, as far as a sign tells.
func paint(line string, color bool) string {
	if !color {
		return line
	}
	code := map[byte]string{'+': "31", '-': "32", '~': "33"}[line[2]]
	return "\x1b[" + code + "m" + line + "\x1b[0m"
}

func (d *Diff) markdown(w io.Writer) error {
	bw := bufio.NewWriter(w)
	fmt.Fprintf(bw, "# %s → %s\n\n%s\n", code(d.Before), code(d.After), d.summary())
	packages, findings := d.lines()
	for _, s := range []struct {
		title string
		lines []string
	}{{"Packages", packages}, {"Findings", findings}} {
		if len(s.lines) == 0 {
			continue
		}
		fmt.Fprintf(bw, "\n## %s\n\n```diff\n", s.title)
		for _, l := range s.lines {
			l = text.Clean(l)
			if l[0] == '~' {
				l = "!" + l[1:]
			}
			fmt.Fprintln(bw, strings.ReplaceAll(l, "```", "'''"))
		}
		fmt.Fprintln(bw, "```")
	}
	if !d.Complete {
		fmt.Fprintln(bw, "\n**Incomplete:** at least one of the two could not be looked at in full.")
	}
	return bw.Flush()
}

// code is a foreign string as code, which holds no markup.
func code(s string) string { return "`" + strings.ReplaceAll(text.Clean(s), "`", "'") + "`" }
