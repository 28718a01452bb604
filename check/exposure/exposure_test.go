package exposure

import (
	"testing"

	"bulwark/check/internal/posture"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New(Options{Now: caseTime}).Family) }

func TestEdits(t *testing.T) {
	if n := posture.TestEdits(t, New(Options{Now: caseTime}).Family); n < 8 {
		t.Errorf("edits mend %d cases", n)
	}
}
