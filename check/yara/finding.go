package yara

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	engine "bulwark/check/internal/yara"
)

const (
	mostShown   = 10 // strings, and places of a string, in the evidence
	mostExcerpt = 32
)

// finding tells that a rule matched. What matched, without its offsets, is part of the
// key: copies of one file are one problem in several places.
func finding(f *engine.Found) bulwark.Finding {
	r := f.Rule
	out := bulwark.Finding{Kind: bulwark.KindMalware, Rule: "yara/" + r.Name, Title: title(r), Severity: severity(r)}
	var what []string
	for i := range f.Strings {
		s := &f.Strings[i]
		what = append(what, s.ID+string(s.Excerpt))
		if i < mostShown {
			out.Evidence = append(out.Evidence, shown(s))
		}
	}
	if n := len(f.Strings); n > mostShown {
		out.Evidence = append(out.Evidence, fmt.Sprintf("and %d more strings", n-mostShown))
	}
	if len(f.Strings) == 0 {
		out.Evidence = append(out.Evidence, "by its condition, without strings")
	}
	out.Evidence = append(out.Evidence, "rule of "+misconfig.Clean(r.File)+author(r))
	for _, t := range r.Tags {
		out.Tags = append(out.Tags, "yara:"+t)
	}
	out.References = references(r)
	out.Key = bulwark.Key(out.Kind, out.Rule, strings.Join(what, "\x00"), "")
	out.Risk = bulwark.Risk(bulwark.Factors{Severity: out.Severity})
	return out
}

// shown is a string of the rule, where it stands, and the begin of what was found.
func shown(s *engine.FoundString) string {
	var b strings.Builder
	b.WriteString(s.ID + " at ")
	for i, m := range s.Matches {
		if i == mostShown {
			fmt.Fprintf(&b, " and %d more", len(s.Matches)-mostShown)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%#x", m.Offset)
	}
	return b.String() + ": " + excerpt(s.Excerpt)
}

// excerpt shows bytes: as text where all of them are printable ASCII, else in hex.
func excerpt(b []byte) string {
	b = b[:min(len(b), mostExcerpt)]
	if len(b) == 0 {
		return "(not kept)"
	}
	if !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' }) {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("% x", b)
}

// meta gives the first of the names that the rule's meta section has, as text.
func meta(r *engine.Rule, names ...string) string {
	for _, n := range names {
		for _, m := range r.Meta {
			if strings.EqualFold(m.Name, n) {
				if s := strings.TrimSpace(fmt.Sprint(m.Value)); s != "" {
					return misconfig.Clean(s)
				}
			}
		}
	}
	return ""
}

func title(r *engine.Rule) string {
	return cmp.Or(meta(r, "description", "desc", "info", "threat_name", "malware"), "Matches the YARA rule "+r.Name)
}

func author(r *engine.Rule) string {
	if a := meta(r, "author", "authors"); a != "" {
		return ", by " + a
	}
	return ""
}

func references(r *engine.Rule) []string {
	var out []string
	for _, m := range r.Meta {
		s, ok := m.Value.(string)
		if !ok || !strings.HasPrefix(strings.ToLower(m.Name), "ref") && !strings.EqualFold(m.Name, "url") {
			continue
		}
		if u, err := url.Parse(s); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && misconfig.Clean(s) == s {
			out = append(out, s)
		}
	}
	return out
}

var severities = map[string]bulwark.Severity{
	"critical": bulwark.SeverityCritical, "high": bulwark.SeverityHigh, "medium": bulwark.SeverityMedium, "moderate": bulwark.SeverityMedium,
	"low": bulwark.SeverityLow, "info": bulwark.SeverityLow, "informational": bulwark.SeverityLow, "harmless": bulwark.SeverityLow, "none": bulwark.SeverityLow,
}

// severity is what the rule says of itself, in words or as a number up to 100 (up to 10
// for a threat level), else by a tag, else high.
func severity(r *engine.Rule) bulwark.Severity {
	for _, name := range []string{"severity", "score", "threat_level"} {
		text := strings.ToLower(meta(r, name))
		if s, ok := severities[text]; ok {
			return s
		}
		if n, err := strconv.Atoi(text); err == nil && n >= 0 {
			if name == "threat_level" {
				n *= 10
			}
			return ofScore(n)
		}
	}
	for _, t := range r.Tags {
		if s, ok := severities[strings.ToLower(t)]; ok {
			return s
		}
	}
	return bulwark.SeverityHigh
}

func ofScore(n int) bulwark.Severity {
	switch {
	case n >= 90:
		return bulwark.SeverityCritical
	case n >= 65:
		return bulwark.SeverityHigh
	case n >= 40:
		return bulwark.SeverityMedium
	}
	return bulwark.SeverityLow
}
