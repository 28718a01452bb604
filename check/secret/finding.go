package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// remedy is what to do about any of them.
const remedy = "revoke it where it was issued: whoever had the file, the image or its history has it; from then on give secrets at run time, and to builds as build secrets"

// personalTag marks what is data about people, and no secret.
const personalTag = "personal-data"

// findings makes findings of the candidates that lead.
func (s *scan) findings() []bulwark.Finding {
	var out []bulwark.Finding
	list := slices.DeleteFunc(leading(s.found), s.told)
	values := map[*rule.Rule]map[string]bool{}
	for i := range list {
		c := &list[i]
		if values[c.rule] == nil {
			values[c.rule] = map[string]bool{}
		}
		values[c.rule][string(c.value)] = true
	}
	told := map[*rule.Rule]bool{}
	for i := range list {
		c := &list[i]
		n := len(values[c.rule])
		if n < c.rule.Least || c.rule.Least > 0 && told[c.rule] {
			continue
		}
		told[c.rule] = true
		f := s.finding(c)
		if c.rule.Least > 0 && n >= mostOfRule {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d different values at least", n))
		} else if c.rule.Least > 0 && n > 1 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d different values", n))
		}
		out = append(out, f)
	}
	return out
}

// told tells whether a value is known from a file of the archive that s searches as it is.
func (s *scan) told(c candidate) bool {
	id := seen{c.rule.ID, string(c.value)}
	if s.tell != nil {
		s.tell[id] = true
	}
	return s.known[id]
}

// finding describes a candidate without its value.
func (s *scan) finding(c *candidate) bulwark.Finding {
	known := know(c.rule, s.path, c.value, s.engine.now)
	f := newFinding(c.rule, c.value, c.key, s.path, known)
	f.Line = c.line
	for _, note := range known.notes {
		if sum, ok := strings.CutPrefix(note, publicNote); ok {
			s.document(keyDocument, half{Public: sum})
		}
	}
	if s.inner {
		f.Path = s.path
	}
	if c.form != plain {
		f.Evidence = append(f.Evidence, "written in "+c.form.String())
	}
	if note := c.doubt.String(); note != "" {
		lower(&f, note)
	}
	if c.public {
		lower(&f, publishedNote)
	}
	return f
}

// lower makes a finding one of low severity, for a reason.
func lower(f *bulwark.Finding, reason string) {
	f.Severity = min(f.Severity, bulwark.SeverityLow)
	f.Evidence = append(f.Evidence, reason)
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: true})
}

// newFinding is the finding of a value. at is where it is, for the key of a weak one.
func newFinding(r *rule.Rule, value []byte, key, at string, known knowledge) bulwark.Finding {
	f := bulwark.Finding{
		Kind: bulwark.KindSecret, Rule: family + r.ID, Severity: r.Severity, Title: r.Title,
		Evidence: []string{}, References: r.References, Tags: slices.Clone(r.Tags),
		Fix: &bulwark.Fix{Text: remedy},
	}
	if known.title != "" {
		f.Title = known.title
	}
	if known.severity != bulwark.SeverityUnknown {
		f.Severity = known.severity
	}
	if r.Personal {
		f.Fix = &bulwark.Fix{Text: "remove it and build again: whoever has the image has every layer"}
		f.Tags = append(f.Tags, personalTag)
	}
	shown := masked(r, value)
	f.Subject = strings.TrimSpace(f.Title + " " + shown)
	switch {
	case key != "" && r.Generic:
		f.Subject = f.Title + " in " + key
	case key != "" && shown == "":
		f.Subject = f.Title + " (" + key + ")"
	}
	switch {
	case shown != "":
		f.Evidence = append(f.Evidence, shown)
	case len(known.notes) == 0:
		f.Evidence = append(f.Evidence, "the value is not shown: parts of it could give it away")
	}
	f.Evidence = append(f.Evidence, known.notes...)
	if !r.Personal && !weak(value) {
		sum := sha256.Sum256(value)
		f.Tags = append(f.Tags, "sha256:"+hex.EncodeToString(sum[:]))
		f.Key = bulwark.Key(f.Kind, f.Rule, hex.EncodeToString(sum[:]), "")
	} else {
		f.Key = bulwark.Key(f.Kind, f.Rule, key, at)
	}
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: true})
	return f
}

// masked shows a value to those who know it: its first four and last two characters, and
// nothing of one that these would give away.
func masked(r *rule.Rule, value []byte) string {
	if len(value) > 10 && value[0] == '-' && strings.HasPrefix(string(value), "-----BEGIN") || !printable(value) {
		return ""
	}
	if r.Personal || weak(value) || len(value) < 16 {
		return ""
	}
	return string(value[:4]) + "…" + string(value[len(value)-2:])
}

// pathFinding is that of a rule about paths.
func (s *scan) pathFinding(r *rule.Rule) bulwark.Finding {
	f := bulwark.Finding{
		Kind: bulwark.KindSecret, Rule: family + r.ID, Severity: r.Severity, Title: r.Title, Subject: r.Title,
		Evidence: []string{"by its name; the content was not judged"}, References: r.References, Tags: slices.Clone(r.Tags),
		Fix:  &bulwark.Fix{Text: remedy},
		Key:  bulwark.Key(bulwark.KindSecret, family+r.ID, "", s.path),
		Risk: bulwark.Risk(bulwark.Factors{Severity: r.Severity, Fixable: true}),
	}
	if s.inner {
		f.Path = s.path
	}
	return f
}
