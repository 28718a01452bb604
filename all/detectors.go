package all

import (
	"bulwark"
	"bulwark/detect/escape"
)

// Detectors look at what runs. They remember what they saw: each run has its own.
func Detectors() []bulwark.Detector {
	return []bulwark.Detector{
		escape.New(),
	}
}
