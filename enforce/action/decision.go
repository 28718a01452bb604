package action

import (
	"fmt"
	"slices"
	"time"

	"bulwark"
)

// Rules are those of what a guard does that no detector's rule asked for.
func Rules() []bulwark.Rule { return []bulwark.Rule{denied, undecided} }

var (
	// denied stands for what entries deny under names of their own.
	denied = bulwark.Rule{
		ID: "deny/*", Title: "A container was stopped from what it is denied", Severity: bulwark.SeverityMedium,
		Reason:         "An entry of --actions denies it under a name of its own, which stands behind deny/. It did not happen: whoever tried is worth a look. Medium.",
		FalsePositives: "An entry that denies what the container is there for.",
		Fix:            "Look at who tried, and take the container out of the entry where it may.",
	}
	undecided = bulwark.Rule{
		ID: "deny/undecided", Title: "A guard could not decide in time", Severity: bulwark.SeverityMedium,
		Reason:         "An execution waits until it is known what it is, at most 100 ms; then it passes, since a node on which nothing begins is worse. What passed may be what was to be denied. Medium.",
		FalsePositives: "Machines that are loaded far beyond what they can do.",
		Fix:            "See what was executed, and give bulwark enough of the processor.",
	}
)

// Finding tells of what a guard did.
func (s *Set) Finding(d bulwark.Decision) bulwark.Finding {
	r, ok := s.rules[d.Rule]
	if !ok {
		r = bulwark.Rule{ID: d.Rule, Title: "Something was stopped", Severity: bulwark.SeverityMedium}
	}
	if d.Act == bulwark.Passed {
		r = undecided
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
