// Package osv reads OSV records (https://ossf.github.io/osv-schema/) from zips,
// folders and files.
package osv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bulwark"
)

// Record is what Bulwark uses of an OSV record. Its text holds no control characters
// but line breaks in Details.
type Record struct {
	ID, Summary, Details       string
	Aliases, Upstream, Related []string
	Published, Modified        time.Time // zero where the record's cannot be read
	Withdrawn                  bool
	WithdrawnAt                time.Time
	Severity                   bulwark.Severity // the record's own rating in words
	CVSS                       []string
	CWEs                       []string
	References                 []string
	Affected                   []Affected
}

// Affected is one package of a record.
type Affected struct {
	Ecosystem, Name string
	Ranges          []Range // without those of commits
	Versions        []string
	Severity        bulwark.Severity
	CVSS            []string
	Imports         []Import
}

// Range is an OSV range of versions.
type Range struct {
	Semver bool // its versions are ordered by semver.org whatever the ecosystem
	Events []Event
}

// Event is an OSV event: one field is set.
type Event struct{ Introduced, Fixed, LastAffected, Limit string }

// Import is a vulnerable Go package.
type Import struct {
	Path    string
	Symbols []string
	GOOS    []string
	GOARCH  []string
}

// Budgets of one record. Real ones have 500 events and 6,000 versions at most.
const (
	MaxRecord   = 16 << 20
	maxText     = 32 << 10
	maxList     = 20_000
	maxIDs      = 2_000
	maxID       = 128
	maxSummary  = 200
	maxDerived  = 80 // of a summary taken from the details
	maxVersion  = 512
	maxCVSS     = 8
	maxRefs     = 100
	maxName     = 512
	maxEcosytem = 128
)

// the shapes in the JSON
type (
	rawRecord struct {
		ID         string          `json:"id"`
		Summary    string          `json:"summary"`
		Details    string          `json:"details"`
		Aliases    []string        `json:"aliases"`
		Upstream   []string        `json:"upstream"`
		Related    []string        `json:"related"`
		Published  string          `json:"published"`
		Modified   string          `json:"modified"`
		Withdrawn  string          `json:"withdrawn"`
		Severity   []rawSeverity   `json:"severity"`
		References []rawReference  `json:"references"`
		Affected   []rawAffected   `json:"affected"`
		Database   json.RawMessage `json:"database_specific"`
	}
	rawSeverity  struct{ Type, Score string }
	rawReference struct{ URL string }
	rawAffected  struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Severity  []rawSeverity   `json:"severity"`
		Ranges    []rawRange      `json:"ranges"`
		Versions  []string        `json:"versions"`
		Database  json.RawMessage `json:"database_specific"`
		Ecosystem json.RawMessage `json:"ecosystem_specific"`
	}
	rawRange struct {
		Type   string `json:"type"`
		Events []struct {
			Introduced   string `json:"introduced"`
			Fixed        string `json:"fixed"`
			LastAffected string `json:"last_affected"`
			Limit        string `json:"limit"`
		} `json:"events"`
	}
)

// Decode reads one record. The error wraps [bulwark.ErrMalformed] or [bulwark.ErrLimit].
func Decode(b []byte) (*Record, error) {
	if len(b) > MaxRecord {
		return nil, fmt.Errorf("advisory of %d bytes: %w", len(b), bulwark.ErrLimit)
	}
	var raw rawRecord
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("advisory: %w: %w", bulwark.ErrMalformed, err)
	}
	if !validID(raw.ID) {
		return nil, fmt.Errorf("advisory without a usable id: %w", bulwark.ErrMalformed)
	}
	r := &Record{
		ID: raw.ID, Details: text(raw.Details, maxText),
		Aliases: ids(raw.Aliases), Upstream: ids(raw.Upstream), Related: ids(raw.Related),
		Published: moment(raw.Published), Modified: moment(raw.Modified),
		Withdrawn: raw.Withdrawn != "", WithdrawnAt: moment(raw.Withdrawn),
	}
	r.Summary = summary(raw.Summary, r.Details)
	for _, ref := range raw.References {
		if url := line(ref.URL, 2048); url != "" && len(r.References) < maxRefs {
			r.References = append(r.References, url)
		}
	}
	r.CVSS, r.Severity = severities(raw.Severity)
	if len(raw.Affected) > maxList {
		return nil, fmt.Errorf("advisory %s names %d packages: %w", r.ID, len(raw.Affected), bulwark.ErrLimit)
	}
	for i := range raw.Affected {
		if a, ok := affected(&raw.Affected[i]); ok {
			r.Affected = append(r.Affected, a)
		}
	}
	r.rate(raw.Database)
	return r, nil
}

func affected(raw *rawAffected) (Affected, bool) {
	a := Affected{Ecosystem: raw.Package.Ecosystem, Name: raw.Package.Name}
	if a.Name == "" || len(a.Name) > maxName || len(a.Ecosystem) > maxEcosytem ||
		line(a.Name, maxName) != a.Name || line(a.Ecosystem, maxEcosytem) != a.Ecosystem || a.Ecosystem == "" {
		return a, false
	}
	for i := range raw.Ranges {
		if r, ok := events(&raw.Ranges[i]); ok {
			a.Ranges = append(a.Ranges, r)
		}
	}
	for _, v := range raw.Versions {
		if v != "" && len(v) <= maxVersion && line(v, maxVersion) == v && len(a.Versions) < maxList {
			a.Versions = append(a.Versions, v)
		}
	}
	a.CVSS, a.Severity = severities(raw.Severity)
	if a.Severity == bulwark.SeverityUnknown {
		a.Severity = max(rating(raw.Ecosystem), rating(raw.Database))
	}
	a.Imports = imports(raw.Ecosystem)
	return a, true
}

func events(raw *rawRange) (Range, bool) {
	if raw.Type != "SEMVER" && raw.Type != "ECOSYSTEM" || len(raw.Events) > maxList {
		return Range{}, false
	}
	r := Range{Semver: raw.Type == "SEMVER"}
	for _, e := range raw.Events {
		for _, one := range []Event{{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}, {Limit: e.Limit}} {
			if one != (Event{}) {
				r.Events = append(r.Events, one)
			}
		}
	}
	return r, len(r.Events) > 0
}

func imports(raw json.RawMessage) []Import {
	if !bytes.Contains(raw, []byte(`"imports"`)) {
		return nil
	}
	var specific struct {
		Imports []struct {
			Path    string   `json:"path"`
			Symbols []string `json:"symbols"`
			GOOS    []string `json:"goos"`
			GOARCH  []string `json:"goarch"`
		} `json:"imports"`
	}
	if json.Unmarshal(raw, &specific) != nil {
		return nil
	}
	var out []Import
	for _, i := range specific.Imports[:min(len(specific.Imports), 1000)] {
		out = append(out, Import{line(i.Path, maxName), names(i.Symbols), names(i.GOOS), names(i.GOARCH)})
	}
	return out
}

func names(list []string) []string {
	var out []string
	for _, s := range list[:min(len(list), maxList)] {
		if s = line(s, maxName); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func ids(list []string) []string {
	var out []string
	for _, id := range list {
		if validID(id) && !slices.Contains(out, id) && len(out) < maxIDs {
			out = append(out, id)
		}
	}
	return out
}

func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return true
}

// moment reads a time; what cannot be read is zero.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// summary is the record's, else the beginning of its details.
func summary(s, details string) string {
	if s = line(s, maxSummary); s != "" {
		return s
	}
	first := strings.TrimLeft(details, "# \n\t")
	if i := strings.Index(first, "\n\n"); i >= 0 {
		first = first[:i]
	}
	return line(first, maxDerived)
}

// line is s on one line, without control characters, cut to n bytes.
func line(s string, n int) string {
	s = clean(s, false)
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	return strings.TrimSpace(cut(s, n-3)) + "…"
}

func text(s string, n int) string { return cut(clean(s, true), n) }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// clean takes out what a terminal would obey.
func clean(s string, breaks bool) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' && !(breaks && c == '\n') || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && breaks:
			return r
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}
