package cli

import (
	"bulwark"
	"bulwark/watch"
)

// detectors are those that are built in, and what the user's rules say.
func (w *watching) detectors(e *watch.Watcher) ([]bulwark.Detector, error) {
	return nil, nil
}

// sensors are those of this system.
func (w *watching) sensors() []bulwark.Sensor { return nil }
