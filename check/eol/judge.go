package eol

import (
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/lifetime"
)

// soon is how long before its end a release is reported.
const soon = 90 * 24 * time.Hour

// judge makes a finding of a release that has ended, or ends soon; else nil. The caller
// says what it is about.
func (c *Check) judge(p advisory.Product, r advisory.ProductRelease) *bulwark.Finding {
	what := p.Title + " " + r.Cycle
	f := &bulwark.Finding{
		Kind: bulwark.KindEOL, Rule: "eol/" + p.Name, Severity: bulwark.SeverityHigh,
		References: []string{"https://endoflife.date/" + p.Name},
	}
	extended := lifetime.Extended(r, c.now)
	switch {
	case lifetime.Ended(r, c.now) && extended:
		f.Severity = bulwark.SeverityMedium
		f.Title = what + " is past its end of life" + on(r.EOL) + "; extended support only" + untilDate(r.Extended)
	case lifetime.Ended(r, c.now):
		f.Title = what + " is past its end of life" + on(r.EOL)
	case !r.EOL.IsZero() && r.EOL.Sub(c.now) < soon:
		f.Severity = bulwark.SeverityLow
		f.Title = fmt.Sprintf("%s ends on %s", what, date(r.EOL))
	default:
		return nil
	}
	f.Evidence = []string{c.dates(what, r, extended)}
	if next, ok := lifetime.Successor(p, r, c.now); ok {
		f.Fix = &bulwark.Fix{Version: next.Cycle, Text: fmt.Sprintf("go to %s %s%s", p.Title, next.Cycle, until(next))}
	}
	f.Risk = bulwark.Risk(bulwark.Factors{Severity: f.Severity, Fixable: f.Fix != nil})
	return f
}

func on(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " (" + date(t) + ")"
}

func untilDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", until " + date(t)
}

// dates tells when support ended and, where there is any, extended support.
func (c *Check) dates(what string, r advisory.ProductRelease, extended bool) string {
	var b strings.Builder
	b.WriteString(what)
	switch {
	case r.EOL.IsZero():
		b.WriteString(" has ended")
	case lifetime.Over(r.EOL, c.now):
		b.WriteString(" ended " + date(r.EOL))
	default:
		b.WriteString(" ends " + date(r.EOL))
	}
	if !r.Extended.IsZero() && r.Extended.After(r.EOL) {
		word := " ended "
		if extended {
			word = " until "
		}
		b.WriteString("; extended (LTS) support" + word + date(r.Extended))
	}
	return b.String()
}

func until(r advisory.ProductRelease) string {
	if r.EOL.IsZero() {
		return ""
	}
	return ", supported until " + date(r.EOL)
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
