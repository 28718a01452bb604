// Package sarif writes a run as SARIF 2.1.0, as code scanning services take it.
package sarif

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
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
	return report.Format{Name: "sarif", Summary: "SARIF 2.1.0 for code scanning services.", Extension: ".sarif.json", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error {
		b := builder{o: o, rules: map[string]int{}, names: map[bulwark.AssetID]string{}, made: map[bulwark.AssetID]string{}}
		return whole.JSON(w, b.build(r))
	})
}

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool        tool           `json:"tool"`
	Invocations []invocation   `json:"invocations"`
	Results     []result       `json:"results"`
	ColumnKind  string         `json:"columnKind"`
	Properties  map[string]any `json:"properties,omitempty"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Rules   []rule `json:"rules"`
}

type rule struct {
	ID         string         `json:"id"`
	Name       string         `json:"name,omitempty"`
	Short      message        `json:"shortDescription"`
	Full       message        `json:"fullDescription"`
	Help       message        `json:"help"`
	HelpURI    string         `json:"helpUri,omitempty"`
	Default    level          `json:"defaultConfiguration"`
	Properties map[string]any `json:"properties"`
}

type level struct {
	Level string `json:"level"`
}

type message struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []notification `json:"toolExecutionNotifications,omitempty"`
}

type notification struct {
	Level     string     `json:"level"`
	Message   message    `json:"message"`
	Locations []location `json:"locations,omitempty"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      message           `json:"message"`
	Locations    []location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Rank         float64           `json:"rank"`
	Suppressions []suppression     `json:"suppressions,omitempty"`
	Properties   map[string]any    `json:"properties"`
}

type suppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification,omitempty"`
}

type location struct {
	Physical *physical `json:"physicalLocation,omitempty"`
	Logical  []logical `json:"logicalLocations,omitempty"`
	Message  *message  `json:"message,omitempty"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   *region  `json:"region,omitempty"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine int `json:"startLine"`
}

type logical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type builder struct {
	o     report.Options
	rules map[string]int
	list  []rule
	names map[bulwark.AssetID]string
	made  map[bulwark.AssetID]string // the line of the history that made a layer
}

func (b *builder) build(r *bulwark.Report) log {
	for i := range r.Assets {
		b.made[r.Assets[i].ID] = r.Assets[i].Labels["createdBy"]
		b.names[r.Assets[i].ID] = cmp.Or(r.Assets[i].Name, string(r.Assets[i].ID))
	}
	findings := r.Findings[:min(len(r.Findings), maxResults)] // in the order of risk
	results := make([]result, 0, len(findings))
	for i := range findings {
		results = append(results, b.result(&findings[i]))
	}
	out := run{Tool: tool{driver{Name: "bulwark", Version: whole.Version(r), Rules: b.list}}, Results: results, ColumnKind: "utf16CodeUnits",
		Invocations: []invocation{{Successful: true, Notifications: notifications(r.Notes)}},
		Properties:  map[string]any{"targets": orEmpty(r.Run.Targets), "complete": r.Summary.Complete}}
	if n := len(r.Findings) - len(findings); n > 0 {
		out.Invocations[0].Notifications = append(out.Invocations[0].Notifications, notification{Level: "warning", Message: message{
			Text: fmt.Sprintf("%s of the lowest risk left out: services take no more than %s results", group.Count(n, "finding"), group.Number(maxResults))}})
		out.Properties["leftOut"] = n
	}
	if out.Tool.Driver.Rules == nil {
		out.Tool.Driver.Rules = []rule{}
	}
	return log{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []run{out}}
}

// What GitHub's code scanning takes: a file with more is refused, or cut without a word.
const (
	maxResults   = 25000 // of a run
	maxLocations = 1000  // of a result
	maxTags      = 20    // of a rule
)

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func notifications(notes []bulwark.Note) []notification {
	var list []notification
	for _, n := range notes {
		out := notification{Level: "note", Message: message{Text: text.Clean(n.Plugin + ": " + n.Text)}}
		if n.Incomplete {
			out.Level = "warning"
		}
		if n.Path != "" {
			out.Locations = []location{{Physical: &physical{Artifact: artifact{uri(n.Path)}}}}
		}
		list = append(list, out)
	}
	return list
}

// levels of severities: SARIF has three, and an unrated problem is not harmless.
func levelOf(s bulwark.Severity) string {
	switch s {
	case bulwark.SeverityCritical, bulwark.SeverityHigh:
		return "error"
	case bulwark.SeverityLow:
		return "note"
	}
	return "warning"
}

// score is the security-severity of a finding: its CVSS score if that lies in the band
// of the severity, which leads, else the middle of the band.
func score(f *bulwark.Finding) string {
	if v := f.Vulnerability; v != nil && v.CVSS != nil && bulwark.SeverityOfScore(v.CVSS.Score) == f.Severity {
		return strconv.FormatFloat(v.CVSS.Score, 'f', 1, 64)
	}
	return map[bulwark.Severity]string{bulwark.SeverityCritical: "9.5", bulwark.SeverityHigh: "8.0", bulwark.SeverityMedium: "5.5",
		bulwark.SeverityLow: "2.0"}[f.Severity]
}

// rule gives the index of the finding's rule, which its first finding describes.
func (b *builder) rule(f *bulwark.Finding) int {
	if i, ok := b.rules[f.Rule]; ok {
		return i
	}
	title := text.Clean(cmp.Or(f.Title, f.Rule))
	out := rule{ID: f.Rule, Name: strings.ReplaceAll(f.Kind, "-", ""), Short: message{Text: title}, Full: message{Text: title}, Default: level{levelOf(f.Severity)},
		Properties: map[string]any{"tags": tags(f), "precision": "high"}}
	if s := score(f); s != "" {
		out.Properties["security-severity"] = s
	}
	references := f.References
	if b.o.Lookup != nil && f.Vulnerability != nil {
		if d, ok := b.o.Lookup(f.Vulnerability.ID); ok {
			if d.Text != "" {
				out.Full.Text = text.Cut(text.Lines(d.Text), 4000)
			}
			references = append(slices.Clone(references), d.References...)
		}
	}
	if f.Vulnerability != nil {
		out.HelpURI = "https://osv.dev/vulnerability/" + url.PathEscape(f.Vulnerability.ID)
	}
	out.Help = help(f, references)
	b.rules[f.Rule] = len(b.list)
	b.list = append(b.list, out)
	return len(b.list) - 1
}

func tags(f *bulwark.Finding) []string {
	list := []string{"security", f.Kind}
	if f.Vulnerability != nil && f.Vulnerability.KEV {
		list = append(list, "known-exploited")
	}
	for _, t := range f.Tags {
		if t = text.Clean(t); !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list[:min(len(list), maxTags)]
}

func help(f *bulwark.Finding, references []string) message {
	lines := []string{text.Clean(f.Title)}
	if f.Vulnerability != nil {
		lines = append(lines, "Also known as: "+text.Clean(strings.Join(slices.Concat([]string{f.Vulnerability.ID}, f.Vulnerability.Aliases), ", ")))
	}
	if f.Fix != nil && f.Fix.Text != "" {
		lines = append(lines, "Fix: "+text.Clean(f.Fix.Text))
	}
	for _, r := range references {
		if strings.HasPrefix(r, "https://") || strings.HasPrefix(r, "http://") {
			if r = text.Clean(r); !slices.Contains(lines, r) {
				lines = append(lines, r)
			}
		}
	}
	return message{Text: strings.Join(lines, "\n")}
}

func (b *builder) result(f *bulwark.Finding) result {
	out := result{RuleID: f.Rule, RuleIndex: b.rule(f), Level: levelOf(f.Severity), Message: message{Text: describe(f)}, Rank: float64(f.Risk),
		Locations: b.locations(f), Fingerprints: map[string]string{"bulwark/v1": f.Key},
		Properties: map[string]any{"asset": string(f.Asset), "subject": f.Subject, "severity": f.Severity.String(), "risk": f.Risk}}
	if f.Layer != "" {
		out.Properties["layer"] = f.Layer
		if by := b.made[bulwark.LayerID(f.Layer)]; by != "" {
			out.Properties["createdBy"] = text.Cut(text.Clean(by), 300)
		}
	}
	if f.Exception != nil {
		out.Suppressions = []suppression{{Kind: "external", Status: "accepted", Justification: text.Clean(vex.Words(f.Exception))}}
	}
	return out
}

// describe is the message of a result: what, where, and what to do.
func describe(f *bulwark.Finding) string {
	s := cmp.Or(f.Title, f.Rule)
	if v := f.Vulnerability; v != nil {
		s = group.ID(v) + " in " + v.Package + " " + v.Installed + ": " + s
	}
	if f.Fix != nil && f.Fix.Text != "" {
		s += ". Fix: " + f.Fix.Text
	}
	return text.Clean(s)
}

// locations are the files of a finding; its asset where it has none.
func (b *builder) locations(f *bulwark.Finding) []location {
	places := f.Places
	if len(places) == 0 {
		places = []bulwark.Place{{Path: cmp.Or(f.Path, b.names[f.Asset], "target"), Line: f.Line}}
	}
	var list []location
	if o := f.Origin; o != nil { // where it can be changed comes first
		list = append(list, location{Physical: &physical{Artifact: artifact{uri(o.Path)}, Region: &region{StartLine: max(o.Line, 1)}},
			Message: &message{Text: text.Clean("made " + b.names[f.Asset] + ": " + cmp.Or(f.Path, f.Subject))}})
		places = places[:min(len(places), maxLocations-1)]
	}
	for _, p := range places[:min(len(places), maxLocations)] {
		l := location{Physical: &physical{Artifact: artifact{uri(p.Path)}, Region: &region{StartLine: max(p.Line, 1)}}}
		if f.Subject != "" {
			l.Logical = []logical{{Name: f.Subject, Kind: "module"}}
		}
		said := b.names[f.Asset]
		if p.Path != said {
			said += ": " + p.Path
		}
		if p.Commit != "" {
			said += " in commit " + p.Commit
		}
		l.Message = &message{Text: text.Clean(said)}
		list = append(list, l)
	}
	return list
}

// uri is a path as a relative reference, so that services resolve it inside the target.
func uri(path string) string {
	u := url.URL{Path: strings.TrimLeft(path, "/")}
	return strings.TrimPrefix(u.String(), "./")
}
