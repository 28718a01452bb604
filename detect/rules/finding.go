package rules

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

var priorityNames = [...]string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}

func severity(p lang.Priority) bulwark.Severity {
	switch {
	case p <= lang.Critical:
		return bulwark.SeverityCritical
	case p == lang.Error:
		return bulwark.SeverityHigh
	case p == lang.Warning:
		return bulwark.SeverityMedium
	}
	return bulwark.SeverityLow
}

// finding is what the rule says of the event.
func (r *rule) finding(v *event) bulwark.Finding {
	text, fields := r.output.write(v)
	return bulwark.Finding{
		Kind: bulwark.KindRuntime, Rule: "falco/" + r.slug, Severity: severity(r.Priority), Title: visible(r.Name),
		Evidence: []string{text}, Tags: slices.Clone(r.tags),
		Alert: &bulwark.Alert{
			Rule: r.Name, Priority: priorityNames[r.Priority], Source: v.Source,
			Output: text, Fields: fields, // whoever writes it puts time and priority before it as Falco does
		},
	}
}

// slug is a name in small letters, with strokes between its words.
func slug(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := lower(name[i])
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			b.WriteByte(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// tags are those of the rule; techniques and tactics of ATT&CK by their ids as other findings have them.
func tags(list []string) []string {
	out := make([]string, 0, len(list))
	for _, t := range list {
		if attack(t) {
			t = "attack:" + t
		}
		out = append(out, t)
	}
	return out
}

// attack tells whether a tag is an id of ATT&CK: T1055, T1055.008, TA0003.
func attack(tag string) bool {
	id, ok := strings.CutPrefix(tag, "T")
	if !ok {
		return false
	}
	id, tactic := strings.CutPrefix(id, "A")
	id, sub, dotted := strings.Cut(id, ".")
	return len(id) == 4 && allDigits(id) && (!dotted || !tactic && len(sub) == 3 && allDigits(sub))
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Rules lists those that are run.
func (d *Detector) Rules() []bulwark.Rule {
	list := make([]bulwark.Rule, 0, len(d.rules))
	for _, r := range d.rules {
		list = append(list, r.about())
	}
	slices.SortStableFunc(list, func(a, b bulwark.Rule) int { return strings.Compare(a.ID, b.ID) })
	return list
}
