package network

import (
	"testing"

	"bulwark/check/internal/posture"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New()) }

func TestEdits(t *testing.T) {
	if n := posture.TestEdits(t, New()); n < 2 {
		t.Errorf("edits mend %d cases", n)
	}
}
