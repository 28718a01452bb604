package watch

import (
	"fmt"
	"time"

	"bulwark"
)

// self is what the engine knows of the program's own running.
type self struct {
	beat    time.Time     // of the last second
	late    time.Duration // how late that one came, which nothing explained yet
	dropped uint64        // until what was late began
}

// Continued tells that a signal stopped the program, and that it goes on. For how long it did not run is found out by itself.
func (w *Watcher) Continued() {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	c, now := w.core, w.Now()
	long := max(c.self.late, now.Sub(c.self.beat)-time.Second, 0)
	c.told(bulwark.SeverityHigh, "watch/stopped", "This watcher was stopped for a while", now,
		fmt.Sprintf("a signal stopped it and another made it go on; its clock was late by %v", long.Round(100*time.Millisecond)), c.meanwhile())
	c.self.beat, c.self.late = now, 0
}

// alive notes, once a second, how late the second comes: a signal may explain it just after.
func (c *core) alive(now time.Time) {
	s := &c.self
	late := now.Sub(s.beat) - time.Second
	if s.beat.IsZero() {
		late = 0
	}
	if s.beat, s.late = now, late; late < time.Second {
		s.dropped = c.lostSoFar()
	}
}

// meanwhile says what became of events.
func (c *core) meanwhile() string {
	lost := c.lostSoFar() - c.self.dropped
	if c.self.dropped += lost; lost == 0 {
		return "what happened meanwhile waited in the rings, and nothing of it is lost"
	}
	return "what happened meanwhile waited in the rings, of which " + count(lost, "event is", "events are") + " lost"
}

func (c *core) lostSoFar() (n uint64) {
	for _, s := range c.Sensors {
		for _, one := range s.Counts() {
			n += one.Dropped
		}
	}
	return n
}

// told tells a finding of the engine's own.
func (c *core) told(level bulwark.Severity, rule, title string, at time.Time, evidence ...string) {
	c.found(bulwark.Finding{Rule: rule, Severity: level, Title: title, Subject: "bulwark", Time: at.UTC(), Evidence: evidence, Tags: []string{"attack:T1562.001"},
		Fix: &bulwark.Fix{Text: "Look at who may send it signals or change its control group, and at what happened in that time."}}, nil, &detector{name: "watch"})
}

// Tell tells a finding that no detector made, in its order among the others.
func (w *Watcher) Tell(f bulwark.Finding) {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	w.core.found(f, nil, &detector{name: "watch"})
}
