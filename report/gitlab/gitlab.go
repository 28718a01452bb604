// Package gitlab writes the vulnerabilities of a run as GitLab's report of container
// scanning, schema 15.0
// (https://gitlab.com/gitlab-org/security-products/security-report-schemas).
package gitlab

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"regexp"
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
	return report.Format{Name: "gitlab", Summary: "GitLab's container scanning report.", Extension: ".gitlab.json", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return whole.JSON(w, build(r, o)) })
}

type document struct {
	Version         string          `json:"version"`
	Scan            scan            `json:"scan"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type scan struct {
	Start    string    `json:"start_time"`
	End      string    `json:"end_time"`
	Status   string    `json:"status"`
	Type     string    `json:"type"`
	Analyzer tool      `json:"analyzer"`
	Scanner  tool      `json:"scanner"`
	Messages []message `json:"messages"`
}

type tool struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Version string            `json:"version"`
	Vendor  map[string]string `json:"vendor"`
}

type message struct {
	Level string `json:"level"`
	Value string `json:"value"`
}

type vulnerability struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Severity    string           `json:"severity"`
	Solution    string           `json:"solution,omitempty"`
	Identifiers []identifier     `json:"identifiers"`
	Links       []link           `json:"links,omitempty"`
	Location    location         `json:"location"`
	Details     map[string]field `json:"details,omitempty"`
}

type identifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
}

type link struct {
	URL string `json:"url"`
}

type location struct {
	Dependency      dependency `json:"dependency"`
	OperatingSystem string     `json:"operating_system"`
	Image           string     `json:"image"`
}

type dependency struct {
	Package map[string]string `json:"package"`
	Version string            `json:"version"`
}

type field struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// What the schema allows of a field, in characters.
const (
	maxName        = 255
	maxDescription = 1 << 20
	maxSolution    = 7000
)

func build(r *bulwark.Report, o report.Options) document {
	stamp := whole.Now(o, &r.Run).Format("2006-01-02T15:04:05")
	t := tool{ID: "bulwark", Name: "bulwark", Version: whole.Version(r), Vendor: map[string]string{"name": "bulwark"}}
	doc := document{Version: "15.0.7", Vulnerabilities: []vulnerability{},
		Scan: scan{Start: stamp, End: stamp, Status: "success", Type: "container_scanning", Analyzer: t, Scanner: t, Messages: messages(r)}}
	b := builder{o: o, seen: map[string]bool{}, places: map[bulwark.AssetID]location{}}
	for _, a := range group.ByAsset(r) {
		b.places[a.ID] = location{Image: image(a.Name), OperatingSystem: clip(cmp.Or(group.Distribution(a), "unknown"), maxName)}
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Vulnerability != nil && f.Exception == nil {
			doc.Vulnerabilities = append(doc.Vulnerabilities, b.vulnerability(f))
		}
	}
	return doc
}

// messages tell what could not be looked at.
func messages(r *bulwark.Report) []message {
	list := []message{}
	for _, n := range r.Notes {
		m := message{Level: "info", Value: text.Clean(strings.TrimPrefix(n.Path+": "+n.Text, ": "))}
		if n.Incomplete {
			m.Level = "warn"
		}
		list = append(list, m)
	}
	others := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Vulnerability == nil && f.Exception == nil {
			others++
		}
	}
	if others > 0 {
		list = append(list, message{Level: "info", Value: fmt.Sprintf("this report has no place for findings that are no vulnerabilities (%d); sarif and junit have", others)})
	}
	return list
}

type builder struct {
	o      report.Options
	seen   map[string]bool
	places map[bulwark.AssetID]location
}

// reference is the schema's pattern of an image.
var reference = regexp.MustCompile(`^[^:]+(:\d+[^:]*)?:[^:]+(:[^:]+)?$`)

// image is a name as the schema takes it: with a tag.
func image(name string) string {
	name = text.Clean(name)
	switch {
	case reference.MatchString(name):
		return name
	case reference.MatchString(name + ":latest"):
		return name + ":latest"
	}
	return cmp.Or(strings.ReplaceAll(name, ":", "-"), "target") + ":latest"
}

func clip(s string, n int) string {
	s = text.Clean(s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}

func (b *builder) vulnerability(f *bulwark.Finding) vulnerability {
	v := f.Vulnerability
	out := vulnerability{
		ID: b.id(f), Name: clip(group.ID(v)+" in "+v.Package, maxName), Description: clip(f.Title, maxDescription), Severity: severity(f.Severity),
		Identifiers: identifiers(v), Location: b.location(f), Details: details(f),
	}
	if f.Fix != nil {
		out.Solution = clip(f.Fix.Text, maxSolution)
	}
	references := f.References
	if b.o.Lookup != nil {
		if d, ok := b.o.Lookup(v.ID); ok {
			out.Description = clip(cmp.Or(d.Text, f.Title), maxDescription)
			references = append(slices.Clone(references), d.References...)
		}
	}
	for _, r := range references {
		if web(r) && !slices.Contains(out.Links, link{r}) {
			out.Links = append(out.Links, link{r})
		}
	}
	return out
}

// id is a finding's own in this document, the same in every run.
func (b *builder) id(f *bulwark.Finding) string {
	id := cmp.Or(f.Key, f.Rule)
	for n := 2; b.seen[id]; n++ { // the same problem in another target
		id = fmt.Sprintf("%s-%d", cmp.Or(f.Key, f.Rule), n)
	}
	b.seen[id] = true
	return id
}

func (b *builder) location(f *bulwark.Finding) location {
	l, ok := b.places[f.Asset]
	if !ok {
		l = location{Image: image(string(f.Asset)), OperatingSystem: "unknown"}
	}
	l.Dependency = dependency{map[string]string{"name": text.Clean(f.Vulnerability.Package)}, text.Clean(f.Vulnerability.Installed)}
	return l
}

func severity(s bulwark.Severity) string {
	name := s.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

func identifiers(v *bulwark.Vulnerability) []identifier {
	var list []identifier
	ids := slices.Concat([]string{group.ID(v), v.ID}, v.Aliases, v.CVEs)
	for i, id := range ids {
		if id == "" || slices.Contains(ids[:i], id) {
			continue
		}
		typ, _, _ := strings.Cut(strings.ToLower(id), "-")
		list = append(list, identifier{Type: text.Clean(typ), Name: clip(id, maxName), Value: text.Clean(id), URL: "https://osv.dev/vulnerability/" + url.PathEscape(id)})
	}
	return list
}

func web(r string) bool {
	u, err := url.Parse(r)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && text.Clean(r) == r
}

// details are what GitLab shows under "Additional information".
func details(f *bulwark.Finding) map[string]field {
	m := map[string]field{"risk": {"text", "Risk, 0 to 100", fmt.Sprint(f.Risk)}}
	add := func(key, name, value string) {
		if value != "" {
			m[key] = field{"text", name, text.Clean(value)}
		}
	}
	v := f.Vulnerability
	add("purl", "Package URL", f.Subject)
	add("path", "Path", f.Path)
	add("layer", "Layer", f.Layer)
	add("source", "Source package", v.Source)
	add("fixed", "Fixed in", strings.Join(v.Fixed, ", "))
	if v.CVSS != nil {
		add("cvss", "CVSS", v.CVSS.Vector)
	}
	if v.EPSS != nil {
		add("epss", "Probability of exploitation (EPSS)", fmt.Sprintf("%.1f%%", v.EPSS.Score*100))
	}
	if v.KEV {
		add("kev", "Known to be exploited", "yes")
	}
	return m
}
