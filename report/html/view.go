package html

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/group"
	"bulwark/report/internal/text"
	"bulwark/report/internal/vex"
	"bulwark/report/internal/whole"
)

// view is what the page shows; all foreign strings in it are clean.
type view struct {
	Policy     string
	Style      template.CSS
	Script     template.JS
	Title      string
	Generated  string
	Version    string
	Data       string
	Stale      bool
	Incomplete bool
	Unrated    string
	Frameworks []frameworkView
	Assets     []asset
	Notes      []note
}

type asset struct {
	Kind, Name, ID, Distribution, Base string
	Counts                             []count
	Excepted                           int
	Advice                             []string
	Together                           string
	Chart                              []bar
	Kinds                              []string
	HasBase                            bool
	Findings                           []row
	Packages                           []packageRow
	PackageCount                       string
	Plain                              bool // no finding is about a version
	Notes                              []note
}

type count struct {
	Severity string
	N        string
	Zero     bool
}

type note struct {
	Text       string
	Incomplete bool
}

type row struct {
	Severity   string
	Rank       int // of the severity
	Risk       int
	ID, Link   string
	Kind       string
	Packages   string
	Installed  string
	Fixed      string
	Where      string
	Origin     string // base or own
	Title      string // empty where ID says it
	Seen       string // of a setting: what it is
	Details    string
	Facts      []fact
	References []string
	KEV        bool
	Excepted   bool
}

type fact struct{ Name, Value string } // no name: another value of the one before

type packageRow struct{ Name, Version, Ecosystem, Licenses, Path, Origin string }

func build(r *bulwark.Report, o report.Options) view {
	now := whole.Now(o, &r.Run)
	v := view{
		Policy: policy(), Style: template.CSS(style), Script: template.JS(script), // both are ours and constant
		Title: text.Clean(whole.Name(r)), Generated: now.Format(time.DateTime) + " UTC", Version: text.Clean(whole.Version(r)), Incomplete: !r.Summary.Complete,
	}
	v.Data, v.Stale = group.Age(&r.Run, now, o.Unasked)
	v.Unrated = group.Unrated(&r.Summary)
	v.Frameworks = frameworksOf(r)
	for _, a := range group.ByAsset(r) {
		v.Assets = append(v.Assets, assetOf(a, r, o))
	}
	for i := range r.Notes {
		if r.Notes[i].Asset == "" {
			v.Notes = append(v.Notes, noteOf(&r.Notes[i]))
		}
	}
	return v
}

func assetOf(a *group.Asset, r *bulwark.Report, o report.Options) asset {
	out := asset{Kind: text.Clean(a.Kind), Name: text.Clean(a.Name), ID: text.Clean(string(a.ID)), Distribution: text.Clean(group.Distribution(a)),
		Base: text.Clean(a.Labels["base"]), Excepted: len(a.Excepted), Chart: chartOf(a.Layers), PackageCount: group.Count(len(a.Packages), "package")}
	for _, s := range bulwark.Severities() {
		out.Counts = append(out.Counts, count{s.String(), group.Number(a.Counts[s]), a.Counts[s] == 0})
	}
	for _, ad := range a.Advice {
		out.Advice = append(out.Advice, strings.ReplaceAll(text.Clean(group.Effect(ad, a)), " -> ", " → "))
	}
	out.Together = group.Together(a)
	for _, n := range a.Notes {
		out.Notes = append(out.Notes, noteOf(n))
	}
	out.Findings = rows(a, r, o)
	out.Plain = len(a.Packages) == 0 && !slices.ContainsFunc(out.Findings, func(r row) bool { return r.Installed != "" || r.Fixed != "" })
	for i := range out.Findings {
		f := &out.Findings[i]
		out.HasBase = out.HasBase || f.Origin != ""
		if !slices.Contains(out.Kinds, f.Kind) {
			out.Kinds = append(out.Kinds, f.Kind)
		}
	}
	for _, p := range a.Packages {
		out.Packages = append(out.Packages, packageRow{text.Clean(p.Name), text.Clean(p.Version), text.Clean(p.Ecosystem),
			text.Clean(strings.Join(p.Licenses, ", ")), text.Clean(p.Path), origin(p.FromBase)})
	}
	return out
}

func noteOf(n *bulwark.Note) note {
	return note{text.Clean(strings.TrimPrefix(n.Path+": "+n.Text, ": ")), n.Incomplete}
}

func origin(base bool) string {
	if base {
		return "base image"
	}
	return ""
}

// same joins the findings of one vulnerability in the packages of one source package.
type same struct{ id, source, words string }

// rows are the findings of an asset, the worst first, those that the kernel's headers
// draw in one row.
func rows(a *group.Asset, r *bulwark.Report, o report.Options) []row {
	var list []row
	index := map[same]int{}
	kernel := -1
	for i := range r.Findings {
		f := &r.Findings[i]
		if !belongs(f, a) {
			continue
		}
		if f.Vulnerability != nil && f.Exception == nil && group.KernelHeaders(f) {
			kernel = addKernel(&list, kernel, f)
			continue
		}
		k := keyOf(f)
		if at, ok := index[k]; ok && k.id != "" {
			list[at].join(f)
			continue
		}
		index[k] = len(list)
		list = append(list, rowOf(f, o))
	}
	return list
}

func belongs(f *bulwark.Finding, a *group.Asset) bool {
	if f.Asset == a.ID {
		return true
	}
	diffID, ok := strings.CutPrefix(string(f.Asset), "layer:")
	return ok && slices.ContainsFunc(a.Layers, func(l group.Layer) bool { return l.DiffID == diffID })
}

func keyOf(f *bulwark.Finding) same {
	if f.Vulnerability == nil {
		return same{}
	}
	k := same{id: f.Vulnerability.ID, source: cmp.Or(group.Source(f), f.Subject)}
	if f.Exception != nil {
		k.words = vex.Words(f.Exception)
	}
	return k
}

func addKernel(list *[]row, at int, f *bulwark.Finding) int {
	id := text.Clean(group.ID(f.Vulnerability))
	if at < 0 {
		r := row{Severity: f.Severity.String(), Rank: int(f.Severity), Risk: f.Risk, ID: "Linux kernel", Kind: f.Kind, Packages: text.Clean(f.Vulnerability.Package),
			Installed: text.Clean(f.Vulnerability.Installed), Origin: origin(f.FromBase), KEV: f.Vulnerability.KEV, Fixed: newest("", f),
			Title: "Only headers are installed: a container runs the kernel of its host.", Facts: []fact{{"Vulnerabilities", id}}}
		*list = append(*list, r)
		return len(*list) - 1
	}
	r := &(*list)[at]
	r.Facts[0].Value += ", " + id
	r.ID = fmt.Sprintf("Linux kernel (%s)", group.Number(strings.Count(r.Facts[0].Value, ", ")+1))
	r.KEV, r.Fixed = r.KEV || f.Vulnerability.KEV, newest(r.Fixed, f)
	if int(f.Severity) > r.Rank {
		r.Rank, r.Severity = int(f.Severity), f.Severity.String()
	}
	return at
}

// newest is the later one of a version and the first that fixes f.
func newest(version string, f *bulwark.Finding) string {
	if fixed := group.Fixed(f); len(fixed) > 0 && group.Later(fixed[0], version) {
		return text.Clean(fixed[0])
	}
	return version
}

// join adds another package of the same source to a row.
func (r *row) join(f *bulwark.Finding) {
	r.Packages = with(r.Packages, text.Clean(f.Vulnerability.Package))
	r.Installed = with(r.Installed, text.Clean(f.Vulnerability.Installed))
}

// with adds a name to a list of names that does not have it.
func with(list, name string) string {
	if slices.Contains(strings.Split(list, ", "), name) {
		return list
	}
	return list + ", " + name
}

func rowOf(f *bulwark.Finding, o report.Options) row {
	out := row{Severity: f.Severity.String(), Rank: int(f.Severity), Risk: f.Risk, ID: text.Clean(f.Rule), Kind: text.Clean(f.Kind), Packages: text.Clean(f.Subject),
		Where: text.Clean(f.Path), Origin: origin(f.FromBase), Title: text.Clean(f.Title), Excepted: f.Exception != nil}
	if f.Line > 0 {
		out.Where += fmt.Sprintf(":%d", f.Line)
	}
	if f.Fix != nil {
		out.Fixed = text.Clean(f.Fix.Version)
	}
	references := f.References
	if v := f.Vulnerability; v != nil {
		out.ID, out.Packages, out.Installed = text.Clean(group.ID(v)), text.Clean(v.Package), text.Clean(v.Installed)
		out.Link = "https://osv.dev/vulnerability/" + url.PathEscape(v.ID)
		out.Fixed, out.KEV = text.Clean(strings.Join(group.Fixed(f), ", ")), v.KEV
		if group.Source(f) != "" {
			out.Where = "" // its package manager's database, which says nothing
		}
		if o.Lookup != nil {
			if d, ok := o.Lookup(v.ID); ok {
				references = append(slices.Clone(references), d.References...)
				out.Details = text.Cut(text.Lines(strings.TrimSpace(d.Text)), 2000)
			}
		}
	}
	if f.Vulnerability == nil && out.Title != "" {
		out.ID, out.Title = out.Title, out.ID // people read titles, not rules
	}
	if out.Title == out.ID {
		out.Title = ""
	}
	if (f.Kind == bulwark.KindMisconfig || f.Kind == bulwark.KindExposure) && len(f.Evidence) > 0 {
		out.Seen = text.Cut(text.Clean(f.Evidence[0]), 160)
	}
	out.facts(f)
	for _, r := range references {
		if u, err := url.Parse(r); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && len(out.References) < maxFacts {
			if link := text.Clean(r); link != out.Link && !slices.Contains(out.References, link) {
				out.References = append(out.References, link)
			}
		}
	}
	return out
}

func (r *row) add(name string, values ...string) {
	for _, v := range values {
		if v != "" {
			r.Facts = append(r.Facts, fact{name, text.Clean(v)})
			name = ""
		}
	}
}

// maxFacts of one name are shown.
const maxFacts = 20

func places(list []bulwark.Place) []string {
	var paths []string
	for i, p := range list {
		if i == maxFacts {
			return append(paths, "and "+group.Number(len(list)-i)+" more")
		}
		if p.Line > 0 {
			p.Path += fmt.Sprintf(":%d", p.Line)
		}
		if p.Commit != "" {
			p.Path += fmt.Sprintf(" in commit %.12s", p.Commit)
		}
		paths = append(paths, p.Path)
	}
	return paths
}

func (r *row) facts(f *bulwark.Finding) {
	if v := f.Vulnerability; v != nil {
		r.add("Record", v.ID)
		r.add("Also known as", strings.Join(v.Aliases, ", "))
		r.add("Source package", v.Source)
		if v.CVSS != nil {
			r.add("CVSS", fmt.Sprintf("%.1f %s", v.CVSS.Score, v.CVSS.Vector))
		}
		if v.EPSS != nil {
			r.add("EPSS", fmt.Sprintf("%.1f%% within 30 days, above %.0f%% of all", v.EPSS.Score*100, v.EPSS.Percentile*100))
		}
		r.add("Package URL", f.Subject)
	}
	if f.Fix != nil {
		r.add("Fix", f.Fix.Text)
	}
	r.add("Layer", f.Layer)
	r.add("Places", places(f.Places)...)
	r.add("Evidence", f.Evidence[:min(len(f.Evidence), maxFacts)]...)
	if f.InUse != nil {
		r.add("In use", map[bool]string{true: "yes", false: "no"}[*f.InUse])
	}
	if f.Exception != nil {
		r.add("Excepted", vex.Words(f.Exception))
	}
}
