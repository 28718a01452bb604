package cli

import (
	"bulwark"
	"bulwark/all"
	"bulwark/watch"
)

// detectors are those that are built in, and what the user's rules say.
func (w *watching) detectors(e *watch.Watcher) ([]bulwark.Detector, error) {
	if len(w.rules) > 0 {
		return nil, usage("this program does not read rules in Falco's language yet")
	}
	return all.Detectors(), nil
}

// sensors are those of this system.
func (w *watching) sensors() []bulwark.Sensor { return nil }
