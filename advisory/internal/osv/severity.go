package osv

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"bulwark"
	"bulwark/advisory/internal/cvss"
)

// severities divides a severity list into CVSS vectors, the best version last, and a
// rating in words (Ubuntu's).
func severities(list []rawSeverity) (vectors []string, words bulwark.Severity) {
	for _, s := range list[:min(len(list), maxCVSS)] {
		if !strings.HasPrefix(s.Type, "CVSS_") {
			words = max(words, Rating(s.Score))
			continue
		}
		if _, err := cvss.Score(s.Score); err == nil && !slices.Contains(vectors, s.Score) {
			vectors = append(vectors, s.Score)
		}
	}
	slices.SortStableFunc(vectors, func(a, b string) int { return cvss.Version(a) - cvss.Version(b) })
	return vectors, words
}

// Rating reads a word that a distribution or database rates with.
func Rating(word string) bulwark.Severity {
	switch strings.ToLower(strings.TrimRight(word, "*")) { // Debian marks guesses with **
	case "critical", "urgent":
		return bulwark.SeverityCritical
	case "high", "important", "severe":
		return bulwark.SeverityHigh
	case "medium", "moderate", "warning":
		return bulwark.SeverityMedium
	case "low", "minor", "negligible", "unimportant":
		return bulwark.SeverityLow
	}
	return bulwark.SeverityUnknown
}

// rating reads what database_specific and ecosystem_specific say of severity.
func rating(raw json.RawMessage) bulwark.Severity {
	if !bytes.Contains(raw, []byte("severity")) && !bytes.Contains(raw, []byte("urgency")) &&
		!bytes.Contains(raw, []byte("priority")) && !bytes.Contains(raw, []byte("cvss_v")) {
		return bulwark.SeverityUnknown
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return bulwark.SeverityUnknown
	}
	for _, name := range []string{"severity", "urgency", "priority", "ubuntu_priority"} {
		var word string
		if json.Unmarshal(fields[name], &word) == nil {
			if s := Rating(word); s != bulwark.SeverityUnknown {
				return s
			}
		}
	}
	for _, name := range []string{"cvss_v4_base", "cvss_v3_base"} {
		var score *float64
		if json.Unmarshal(fields[name], &score) == nil && score != nil && *score > 0 && *score <= 10 {
			return bulwark.SeverityOfScore(*score)
		}
	}
	return bulwark.SeverityUnknown
}

// rate settles what the record as a whole says of severity and weaknesses.
func (r *Record) rate(database json.RawMessage) {
	if r.Severity == bulwark.SeverityUnknown {
		r.Severity = rating(database)
	}
	if r.Severity == bulwark.SeverityUnknown {
		r.Severity = r.titleRating()
	}
	r.CWEs = weaknesses(database)
	if len(r.CVSS) > 0 || len(r.Affected) == 0 {
		return
	}
	// Bitnami keeps the vectors beside the package: lift what all of them share.
	first := r.Affected[0].CVSS
	for _, a := range r.Affected[1:] {
		if !slices.Equal(a.CVSS, first) {
			return
		}
	}
	r.CVSS = first
	for i := range r.Affected {
		r.Affected[i].CVSS = nil
	}
}

// titleRating reads "Important: kernel security update", which is where the rebuilds of
// Red Hat's distribution keep the rating.
func (r *Record) titleRating() bulwark.Severity {
	word, _, ok := strings.Cut(r.Summary, ":")
	if !ok || len(r.Affected) == 0 {
		return bulwark.SeverityUnknown
	}
	switch base, _, _ := strings.Cut(r.Affected[0].Ecosystem, ":"); base {
	case "AlmaLinux", "Rocky Linux", "Red Hat":
		return Rating(word)
	}
	return bulwark.SeverityUnknown
}

func weaknesses(raw json.RawMessage) []string {
	if !bytes.Contains(raw, []byte(`"cwe`)) {
		return nil
	}
	var fields struct {
		IDs  json.RawMessage `json:"cwe_ids"`
		CWEs json.RawMessage `json:"cwe"`
	}
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	var out []string
	for _, f := range []json.RawMessage{fields.IDs, fields.CWEs} {
		var list []string
		if json.Unmarshal(f, &list) == nil {
			out = append(out, ids(list)...)
		}
		var one string
		if json.Unmarshal(f, &one) == nil && validID(one) {
			out = append(out, one)
		}
	}
	return out[:min(len(out), 20)]
}
