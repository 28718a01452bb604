package exposure

import (
	"testing"

	"bulwark/check/internal/posture"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New(Options{Now: caseTime}).Family) }
