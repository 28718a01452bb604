// Package openvex writes what a run found as OpenVEX statements
// (https://github.com/openvex/spec): which package is affected by what, what was
// said not to matter and why, and what is not in the binary at all.
package openvex

import (
	"cmp"
	"io"
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

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "openvex", Summary: "OpenVEX statements about the vulnerabilities found.", Extension: ".vex.json", New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return whole.JSON(w, build(r, o)) })
}

type document struct {
	Context    string      `json:"@context"`
	ID         string      `json:"@id"`
	Author     string      `json:"author"`
	Role       string      `json:"role"`
	Timestamp  string      `json:"timestamp"`
	Version    int         `json:"version"`
	Tooling    string      `json:"tooling"`
	Statements []statement `json:"statements"`
}

type statement struct {
	Vulnerability vulnerability `json:"vulnerability"`
	Products      []product     `json:"products"`
	Status        string        `json:"status"`
	Notes         string        `json:"status_notes,omitempty"`
	Justification string        `json:"justification,omitempty"`
	Impact        string        `json:"impact_statement,omitempty"`
	Action        string        `json:"action_statement,omitempty"`
}

type vulnerability struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
}

type product struct {
	ID          string            `json:"@id"`
	Identifiers map[string]string `json:"identifiers,omitempty"`
}

func build(r *bulwark.Report, o report.Options) document {
	now := whole.Now(o, &r.Run)
	return document{
		Context: "https://openvex.dev/ns/v0.2.0", ID: "urn:uuid:" + whole.UUID("openvex", r, now), Author: "bulwark", Role: "Scanner",
		Timestamp: now.Format(time.RFC3339), Version: 1, Tooling: "bulwark/" + whole.Version(r), Statements: statements(r),
	}
}

// key joins findings that one statement can speak of.
type key struct {
	id, action, words string
	status            vex.Status
}

func statements(r *bulwark.Report) []statement {
	list := []statement{}
	index := map[key]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Vulnerability == nil || f.Subject == "" {
			continue
		}
		k := keyOf(f)
		at, ok := index[k]
		if !ok {
			at = len(list)
			index[k] = at
			list = append(list, state(f, k))
		}
		p := productOf(f.Subject)
		if !slices.ContainsFunc(list[at].Products, func(q product) bool { return q.ID == p.ID }) {
			list[at].Products = append(list[at].Products, p)
		}
	}
	return list
}

func keyOf(f *bulwark.Finding) key {
	k := key{id: f.Vulnerability.ID, status: vex.Of(f)}
	if f.Exception != nil {
		k.words = text.Clean(vex.Words(f.Exception))
	}
	if k.status == vex.Affected || k.status == vex.Accepted {
		k.action = action(f)
	}
	return k
}

// action is what the format asks for where a product is affected.
func action(f *bulwark.Finding) string {
	if f.Fix != nil && f.Fix.Text != "" {
		return text.Clean(f.Fix.Text)
	}
	if len(f.Vulnerability.Fixed) > 0 {
		return text.Clean("upgrade to " + strings.Join(f.Vulnerability.Fixed, " or "))
	}
	return "No version that fixes it is known."
}

func state(f *bulwark.Finding, k key) statement {
	s := statement{Vulnerability: vulnerabilityOf(f.Vulnerability)}
	switch k.status {
	case vex.Accepted:
		s.Status, s.Notes, s.Action = "affected", "accepted: "+k.words, k.action
	case vex.NotAffected:
		s.Status, s.Impact = "not_affected", k.words
	case vex.NotLinked:
		s.Status, s.Justification, s.Impact = "not_affected", "vulnerable_code_not_present", "The vulnerable functions are not linked into the binary."
	case vex.Fixed:
		s.Status, s.Notes = "fixed", k.words
	case vex.Unrated:
		s.Status, s.Notes = "under_investigation", "The installed version is affected; nobody has rated the vulnerability or fixed it yet."
	default:
		s.Status, s.Action = "affected", k.action
	}
	return s
}

func vulnerabilityOf(v *bulwark.Vulnerability) vulnerability {
	name := group.ID(v)
	out := vulnerability{ID: "https://osv.dev/vulnerability/" + v.ID, Name: name}
	for _, a := range append([]string{v.ID}, v.Aliases...) {
		if a != name && !slices.Contains(out.Aliases, a) {
			out.Aliases = append(out.Aliases, a)
		}
	}
	return out
}

func productOf(subject string) product {
	p := product{ID: cmp.Or(subject, "unknown")}
	if strings.HasPrefix(subject, "pkg:") {
		p.Identifiers = map[string]string{"purl": subject}
	}
	return p
}
