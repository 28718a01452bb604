package engine

import (
	"testing"

	"bulwark/check/internal/posture"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New()) }
