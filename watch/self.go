package watch

import (
	"time"

	"bulwark"
)

// self is what the engine knows of the program's own running.
type self struct {
	beat    time.Time     // of the last second
	late    time.Duration // how late that one came
	dropped uint64        // until what was late began
}

const (
	sigCont = 18
	// stalls is how late the clock has to be for detectors to be told.
	stalls = time.Second
)

// Continued tells that a signal made the program go on, which another had stopped. For how long it did not run is found out by itself.
func (w *Watcher) Continued() {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	c, now := w.core, w.Now()
	late := max(c.self.late, now.Sub(c.self.beat)-time.Second, 0)
	c.self.beat, c.self.late = now, 0
	c.stalled(now, late, sigCont)
}

// alive notes, once a second, how late the second comes, and tells detectors where that is much.
func (c *core) alive(now time.Time) {
	s := &c.self
	late := max(now.Sub(s.beat)-time.Second, 0)
	if s.beat.IsZero() {
		late = 0
	}
	s.beat, s.late = now, late
	if late < stalls {
		s.dropped = c.lostSoFar()
		return
	}
	c.stalled(now, late, 0)
}

// awake has the second that is overdue come before the events that waited meanwhile.
func (c *core) awake() {
	if now := c.Now(); !c.self.beat.IsZero() && now.Sub(c.self.beat) >= time.Second+stalls {
		c.second(now)
	}
}

// stalled tells detectors that the program did not run, and what was lost meanwhile.
func (c *core) stalled(now time.Time, late time.Duration, signal int64) {
	lost := c.lostSoFar() - c.self.dropped
	c.self.dropped += lost
	c.see(&bulwark.Event{
		Time: now.UnixNano(), Source: bulwark.SourceSyscall, Kind: bulwark.KindStall, FD: bulwark.FD{Num: -1},
		Args: []bulwark.Arg{{Num: int64(late)}, {Num: int64(lost)}, {Num: signal}},
	})
}

func (c *core) lostSoFar() (n uint64) {
	for _, s := range c.Sensors {
		for _, one := range s.Counts() {
			n += one.Dropped
		}
	}
	return n
}

// Tell tells a finding that no detector made, in its order among the others.
func (w *Watcher) Tell(f bulwark.Finding) {
	w.settle()
	w.core.lock()
	defer w.core.unlock()
	w.core.found(f, nil, &detector{name: "watch"})
}
