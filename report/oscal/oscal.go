// Package oscal writes how a run stands against frameworks as assessment results of OSCAL
// 1.1 (https://pages.nist.gov/OSCAL/). Its ids are made of what it says, so that the same run
// gives the same document.
package oscal

import (
	"crypto/sha1"
	"fmt"
	"io"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/compliance"
	"bulwark/report/internal/text"
	"bulwark/report/internal/whole"
)

// version is that of OSCAL's models.
const version = "1.1.3"

// namespace is of the properties that are this program's own; ids are made below it.
const namespace = "urn:bulwark:oscal"

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "oscal", Summary: "OSCAL assessment results, with --framework.", Extension: ".oscal.json", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return whole.JSON(w, document{build(r, o)}) })
}

// The parts of the model that are used; names are its own.
type (
	document struct {
		Results assessmentResults `json:"assessment-results"`
	}
	assessmentResults struct {
		UUID     string    `json:"uuid"`
		Metadata metadata  `json:"metadata"`
		ImportAP link      `json:"import-ap"`
		Results  []result  `json:"results"`
		Matter   *backPart `json:"back-matter,omitempty"`
	}
	metadata struct {
		Title        string `json:"title"`
		LastModified string `json:"last-modified"`
		Version      string `json:"version"`
		OSCAL        string `json:"oscal-version"`
		Props        []prop `json:"props,omitempty"`
	}
	link struct {
		Href string `json:"href"`
	}
	prop struct {
		Name  string `json:"name"`
		NS    string `json:"ns,omitempty"`
		Value string `json:"value"`
	}
	result struct {
		UUID         string        `json:"uuid"`
		Title        string        `json:"title"`
		Description  string        `json:"description"`
		Start        string        `json:"start"`
		End          string        `json:"end"`
		Props        []prop        `json:"props,omitempty"`
		Local        *local        `json:"local-definitions,omitempty"`
		Reviewed     reviewed      `json:"reviewed-controls"`
		Observations []observation `json:"observations,omitempty"`
		Risks        []risk        `json:"risks,omitempty"`
		Findings     []finding     `json:"findings,omitempty"`
	}
	local struct {
		Inventory []item `json:"inventory-items,omitempty"`
	}
	item struct {
		UUID        string `json:"uuid"`
		Description string `json:"description"`
		Props       []prop `json:"props,omitempty"`
	}
	reviewed struct {
		Selections []selection `json:"control-selections"`
	}
	selection struct {
		Description string      `json:"description,omitempty"`
		All         *struct{}   `json:"include-all,omitempty"`
		Include     []controlID `json:"include-controls,omitempty"`
	}
	controlID struct {
		ID string `json:"control-id"`
	}
	observation struct {
		UUID        string     `json:"uuid"`
		Title       string     `json:"title,omitempty"`
		Description string     `json:"description"`
		Props       []prop     `json:"props,omitempty"`
		Methods     []string   `json:"methods"`
		Types       []string   `json:"types,omitempty"`
		Subjects    []subject  `json:"subjects,omitempty"`
		Evidence    []evidence `json:"relevant-evidence,omitempty"`
		Collected   string     `json:"collected"`
		Remarks     string     `json:"remarks,omitempty"`
	}
	subject struct {
		UUID string `json:"subject-uuid"`
		Type string `json:"type"`
	}
	evidence struct {
		Description string `json:"description"`
		Props       []prop `json:"props,omitempty"`
	}
	risk struct {
		UUID         string    `json:"uuid"`
		Title        string    `json:"title"`
		Description  string    `json:"description"`
		Statement    string    `json:"statement"`
		Status       string    `json:"status"`
		Props        []prop    `json:"props,omitempty"`
		Observations []related `json:"related-observations,omitempty"`
	}
	related struct {
		Observation string `json:"observation-uuid,omitempty"`
		Risk        string `json:"risk-uuid,omitempty"`
	}
	finding struct {
		UUID         string    `json:"uuid"`
		Title        string    `json:"title"`
		Description  string    `json:"description"`
		Props        []prop    `json:"props,omitempty"`
		Target       target    `json:"target"`
		Observations []related `json:"related-observations,omitempty"`
		Risks        []related `json:"related-risks,omitempty"`
	}
	target struct {
		Type   string `json:"type"`
		ID     string `json:"target-id"`
		Status status `json:"status"`
	}
	status struct {
		State   string `json:"state"`
		Reason  string `json:"reason,omitempty"`
		Remarks string `json:"remarks,omitempty"`
	}
	backPart struct {
		Resources []resource `json:"resources"`
	}
	resource struct {
		UUID        string `json:"uuid"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
	}
)

// writer makes one document.
type writer struct {
	at   string // the time of the look
	seed string
}

func build(r *bulwark.Report, o report.Options) assessmentResults {
	now := whole.Now(o, &r.Run).Format(time.RFC3339)
	w := writer{at: now, seed: r.Run.Version + now + strings.Join(r.Run.Targets, " ")}
	plan := resource{UUID: w.uuid("plan"), Title: "What was looked at, and by which rules",
		Description: "bulwark " + text.Clean(whole.Version(r)) + " looked at " + text.Clean(strings.Join(r.Run.Targets, ", ")) + "; there was no other plan."}
	out := assessmentResults{
		UUID:     w.uuid("document"),
		Metadata: metadata{Title: "bulwark: " + text.Clean(whole.Name(r)), LastModified: now, Version: text.Clean(whole.Version(r)), OSCAL: version},
		ImportAP: link{"#" + plan.UUID},
		Matter:   &backPart{[]resource{plan}},
	}
	for i := range r.Frameworks {
		out.Results = append(out.Results, w.result(&r.Frameworks[i]))
	}
	if len(out.Results) == 0 { // the model asks for one
		out.Results = []result{{UUID: w.uuid("none"), Title: "No framework", Description: "The run was held against no framework: --framework names some.", Start: now, End: now,
			Reviewed: reviewed{[]selection{{All: &struct{}{}}}}}}
	}
	return out
}

// uuid is version 5: a name below a namespace.
func (w *writer) uuid(parts ...string) string {
	h := sha1.New()
	fmt.Fprint(h, namespace, "\x00", w.seed)
	for _, p := range parts {
		fmt.Fprint(h, "\x00", p)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func own(name, value string) prop { return prop{Name: name, NS: namespace, Value: nonEmpty(value)} }

func (w *writer) result(f *bulwark.Framework) result {
	of := string(f.Asset)
	asset := item{UUID: w.uuid("asset", of, f.ID), Description: nonEmpty(text.Clean(of)), Props: []prop{{Name: "asset-id", Value: nonEmpty(text.Clean(of))}}}
	r := result{
		UUID: w.uuid("result", of, f.ID), Title: nonEmpty(text.Clean(strings.TrimSpace(f.Title + " " + f.Version))), Description: text.Clean(compliance.Words(f.Score) + ", of " + of), Start: w.at, End: w.at,
		Props: []prop{own("framework", text.Clean(f.ID)), own("score", compliance.Percent(f.Score))},
		Local: &local{[]item{asset}},
	}
	var list []controlID
	for i := range f.Controls {
		c := &f.Controls[i]
		list = append(list, controlID{token(f.ID + "-" + c.ID)})
		w.control(&r, f, c, asset.UUID)
	}
	r.Reviewed = reviewed{[]selection{{Description: r.Title, Include: list}}}
	if len(list) == 0 {
		r.Reviewed = reviewed{[]selection{{All: &struct{}{}}}}
	}
	return r
}

// control adds an observation and a finding for a control, and a risk when it failed.
func (w *writer) control(r *result, f *bulwark.Framework, c *bulwark.Control, asset string) {
	id := []string{string(f.Asset), f.ID, c.ID}
	title := nonEmpty(text.Clean(c.ID + " " + c.Title))
	o := observation{UUID: w.uuid(append(id, "observation")...), Title: title, Description: nonEmpty(text.Clean(firstOf(c.Reason, strings.Join(c.Evidence, "; "), c.Title))),
		Methods: []string{"TEST"}, Types: []string{"finding"}, Subjects: []subject{{asset, "inventory-item"}}, Collected: w.at}
	if c.Status == bulwark.StatusManual {
		o.Methods, o.Remarks = []string{"EXAMINE"}, text.Clean(c.ByHand)
	}
	for _, line := range c.Evidence {
		o.Evidence = append(o.Evidence, evidence{Description: nonEmpty(text.Clean(line))})
	}
	for _, rule := range c.Rules {
		o.Props = append(o.Props, own("rule", text.Clean(rule)))
	}
	r.Observations = append(r.Observations, o)
	found := finding{UUID: w.uuid(append(id, "finding")...), Title: title, Description: nonEmpty(text.Clean(firstOf(c.Why, c.Title))),
		Props:  []prop{own("status", c.Status)},
		Target: target{"objective-id", token(f.ID + "-" + c.ID), state(c)}, Observations: []related{{Observation: o.UUID}}}
	if c.Status == bulwark.StatusFail {
		k := risk{UUID: w.uuid(append(id, "risk")...), Title: title, Description: nonEmpty(text.Clean(firstOf(c.Reason, c.Title))), Statement: nonEmpty(text.Clean(firstOf(c.Why, c.Title))), Status: "open",
			Props: []prop{own("severity", c.Severity.String())}, Observations: []related{{Observation: o.UUID}}}
		r.Risks = append(r.Risks, k)
		found.Risks = []related{{Risk: k.UUID}}
	}
	r.Findings = append(r.Findings, found)
}

// state is the model's word: satisfied or not. What nobody judged is not, and says so.
func state(c *bulwark.Control) status {
	reason := text.Clean(c.Reason)
	switch c.Status {
	case bulwark.StatusPass:
		return status{State: "satisfied", Reason: "pass"}
	case bulwark.StatusNA:
		return status{State: "satisfied", Reason: "other", Remarks: strings.TrimSpace("Not applicable: " + reason)}
	case bulwark.StatusManual:
		return status{State: "not-satisfied", Reason: "other", Remarks: strings.TrimSpace("Not judged, a person has to: " + reason)}
	}
	return status{State: "not-satisfied", Reason: "fail", Remarks: reason}
}

// token makes an id what the model calls one: letters, digits, ".", "-" and "_", a letter first.
func token(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	if s == "" || !(s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z') {
		return "_" + s
	}
	return s
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// nonEmpty is a text where the model does not take an empty one.
func nonEmpty(s string) string { return firstOf(strings.TrimSpace(s), "-") }
