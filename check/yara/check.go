package yara

import (
	"context"
	"fmt"

	"bulwark"
)

// mostNotes is how many problems are told one by one.
const mostNotes = 50

// Check tells, in every scan, which rules could not be taken: what was asked for and not
// looked at.
type Check struct {
	rules func() (*RuleSet, error)
}

var _ bulwark.Check = (*Check)(nil)

// Info names the plugin.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name + "/rules", Summary: "YARA rules that could not be taken, and why.", Version: 1}
}

var _ bulwark.Ruler = (*Check)(nil)

// Rules has one rule for all, as there are none of ours.
func (*Check) Rules() []bulwark.Rule {
	return []bulwark.Rule{{ID: "yara/*", Severity: bulwark.SeverityHigh, Title: "A YARA rule of the user matches",
		Reason: "The rule's own meta section says what it describes; the finding shows it. High unless the rule says otherwise (severity, score, threat_level, or a tag such as low), " +
			"for most rules describe malicious code and nothing else.",
		FalsePositives: "As the rule is made: whoever gives it answers for it. Files that carry rules themselves (scanners, signature bases) match many."}}
}

// Check emits a note for every problem, and a count beyond [mostNotes].
func (c *Check) Check(_ context.Context, _ *bulwark.Target, _ *bulwark.Inventory, emit func(bulwark.Record)) error {
	r, err := c.rules()
	if err != nil {
		return err
	}
	problems := r.Problems()
	for i, p := range problems {
		if i == mostNotes {
			note(emit, fmt.Sprintf("%d more YARA rules or files were not taken; bulwark rule validate lists them", len(problems)-i))
			break
		}
		note(emit, "YARA rule not taken: "+p.String())
	}
	return nil
}

func note(emit func(bulwark.Record), text string) {
	emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Text: text, Incomplete: true}})
}
