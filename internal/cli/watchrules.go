package cli

import (
	"bulwark"
	"bulwark/all"
	"bulwark/source/engine"
	"bulwark/source/kernel"
	"bulwark/watch"
)

// detectors are those that are built in, and what the user's rules say.
func (w *watching) detectors(e *watch.Watcher) ([]bulwark.Detector, error) {
	if len(w.rules) > 0 {
		return nil, usage("this program does not read rules in Falco's language yet")
	}
	return all.Detectors(), nil
}

// mostSources are where events may come from.
var mostSources = []string{bulwark.SourceSyscall, bulwark.SourceEngine, bulwark.SourceK8sAudit}

// sensors are those that were asked for.
func (w *watching) sensors(e *watch.Watcher) (list []bulwark.Sensor) {
	for _, s := range w.sources {
		switch s {
		case bulwark.SourceSyscall:
			list = append(list, kernel.New())
		case bulwark.SourceEngine:
			list = append(list, &engine.Events{Note: e.Note})
		case bulwark.SourceK8sAudit:
			list = append(list, w.audit.sensors(e)...)
		}
	}
	return list
}
