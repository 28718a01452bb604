package action

import (
	"fmt"
	"slices"
	"time"

	"bulwark"
)

// Finding tells of what a guard did.
func (s *Set) Finding(d bulwark.Decision) bulwark.Finding {
	r, ok := s.rules[d.Rule]
	if !ok {
		r = bulwark.Rule{ID: d.Rule, Title: "Something was stopped", Severity: bulwark.SeverityMedium}
	}
	if d.Act == bulwark.Passed {
		r = bulwark.Rule{ID: "deny/undecided", Title: "A guard could not decide in time", Severity: bulwark.SeverityMedium}
	}
	subject := d.Path
	if d.Remote.IsValid() {
		subject = d.Remote.String()
	}
	text := sentence(d, subject)
	return bulwark.Finding{Kind: bulwark.KindRuntime, Rule: r.ID, Severity: r.Severity, Title: r.Title, Subject: subject, Time: time.Unix(0, d.Time).UTC(),
		Evidence: []string{text}, Tags: slices.Clone(r.Tags), Response: &bulwark.Response{Action: string(Deny), Done: d.Act != bulwark.Passed, Text: text}}
}

func sentence(d bulwark.Decision, subject string) string {
	switch {
	case d.Act == bulwark.Passed:
		return fmt.Sprintf("let pass: process %d executed something, and what it was could not be told in time", d.PID)
	case d.Deed == bulwark.DeedMine:
		return fmt.Sprintf("cut: %s spoke stratum to %s; the packet was dropped", who(d), subject)
	case d.Act == bulwark.Cut:
		return fmt.Sprintf("cut: what %s sent to %s was dropped", who(d), subject)
	case d.Deed == bulwark.DeedConnect:
		return fmt.Sprintf("denied: %s wanted to reach %s", who(d), subject)
	case d.Act == bulwark.Killed:
		return fmt.Sprintf("killed before its first instruction: %s (%s)", subject, d.Deed)
	}
	return fmt.Sprintf("denied: %s wanted to execute %s (%s)", who(d), subject, d.Deed)
}

func who(d bulwark.Decision) string {
	if d.PID == 0 {
		return "a process"
	}
	return fmt.Sprintf("%s (%d)", d.Name, d.PID)
}
