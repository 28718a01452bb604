// Package misconfig is what the checks of configuration share: a rule as data, the
// finding that it makes, and the patch of one line.
package misconfig

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bulwark"
	"bulwark/internal/telling"
)

// Hygiene is the tag of what is merely untidy.
const Hygiene = "hygiene"

// Rule is one thing that a check looks for, and why.
type Rule struct {
	ID       string // family/name
	Severity bulwark.Severity
	Title    string
	Hygiene  bool     // untidy rather than dangerous: low, and shown on request
	Tags     []string // the same check elsewhere: "cis-docker:4.1", "hadolint:DL3002"
	Fix      string
	Why      string // what can happen, and so the severity
	Noise    string // when it is a false alarm
	Refs     []string
}

// List tells people of rules, by id.
func List(rules []*Rule) []bulwark.Rule {
	list := make([]bulwark.Rule, 0, len(rules))
	for _, r := range rules {
		tags := r.Tags
		if r.Hygiene {
			tags = append(slices.Clip(tags), Hygiene)
		}
		list = append(list, bulwark.Rule{ID: r.ID, Title: r.Title, Severity: r.Severity, Reason: r.Why, FalsePositives: r.Noise, Tags: tags})
	}
	slices.SortFunc(list, func(a, b bulwark.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Finding makes the rule's finding about subject. Findings of one rule with the same
// subject and place are one problem.
func (r *Rule) Finding(subject, place string, evidence ...string) *bulwark.Finding {
	f := r.Keyed(bulwark.KindMisconfig, bulwark.Key(bulwark.KindMisconfig, r.ID, subject, place), subject)
	for _, e := range evidence {
		f.Evidence = append(f.Evidence, telling.Mask(Clean(e)))
	}
	return f
}

// Keyed makes the rule's finding of a kind about subject, under a key.
func (r *Rule) Keyed(kind, key, subject string) *bulwark.Finding {
	f := &bulwark.Finding{Key: key, Kind: kind, Rule: r.ID, Title: r.Title, Subject: subject, References: r.Refs}
	r.Rate(f, r.Severity)
	f.Tags = slices.Clone(r.Tags)
	if r.Hygiene {
		f.Tags = append(f.Tags, Hygiene)
	}
	if r.Fix != "" {
		f.Fix = &bulwark.Fix{Text: r.Fix}
	}
	return f
}

// Rate gives a finding another severity than its rule has.
func (r *Rule) Rate(f *bulwark.Finding, s bulwark.Severity) {
	f.Severity, f.Risk = s, bulwark.Risk(bulwark.Factors{Severity: s, Fixable: r.Fix != ""})
}

const mostEvidence = 240 // bytes of one foreign text that is shown

// Clean makes foreign text fit to be shown: one line, no control or invisible
// characters, not too long.
func Clean(s string) string {
	if clean(s) {
		return s
	}
	cut := len(s) > mostEvidence
	if cut {
		s = strings.ToValidUTF8(s[:mostEvidence], "")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if cut {
		s += " ..."
	}
	return s
}

// clean tells whether a text is fit to be shown as it is, as nearly all are.
func clean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == ' ' && (i == 0 || s[i-1] == ' ') {
			return false
		}
	}
	return len(s) <= mostEvidence && !strings.HasSuffix(s, " ")
}

// Line is the line with that number, without its ending.
func Line(data []byte, line int) (string, bool) {
	text, _, ok := lineOf(data, line)
	return text, ok
}

func lineOf(data []byte, line int) (text, ending string, ok bool) {
	if line < 1 {
		return "", "", false
	}
	rest := string(data)
	for i := 1; rest != ""; i++ {
		text, more, found := strings.Cut(rest, "\n")
		if i < line {
			rest = more
			continue
		}
		if !found {
			return text, "", true
		}
		if t, crlf := strings.CutSuffix(text, "\r"); crlf {
			return t, "\r\n", true
		}
		return text, "\n", true
	}
	return "", "", false
}
