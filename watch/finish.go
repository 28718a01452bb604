package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/watch/trace"
)

// loss is what a sensor lost of a class of events, as far as it was told.
type loss struct {
	told uint64
	at   int64 // when it was told last, by the clock of events
	rest int64 // until it may be told again
}

// Losses are told at once, and those that follow together: after this long, then after twice as long, up to the most.
const (
	lossRest     = int64(5 * time.Second)
	mostLossRest = int64(5 * time.Minute)
)

// drops tells what sensors lost since the last time; all of it where now is set.
func (c *core) drops(now bool) {
	for _, s := range c.Sensors {
		name := s.Info().Name
		for _, n := range s.Counts() {
			if n.Dropped != 0 {
				c.drop(name, n, now)
			}
		}
	}
}

func (c *core) drop(sensor string, n bulwark.Count, now bool) {
	l := c.counted[sensor+" "+n.Class]
	if l == nil {
		l = &loss{}
		c.counted[sensor+" "+n.Class] = l
	}
	quiet := c.clock.now - l.at
	if n.Dropped <= l.told || l.rest > 0 && quiet < l.rest && !now {
		return
	}
	if l.rest = min(2*l.rest, mostLossRest); l.rest == 0 || quiet > 4*l.rest {
		l.rest = lossRest
	}
	c.note(sensor, fmt.Sprintf("%s dropped, %d in all: detectors did not see them", count(n.Dropped-l.told, "event of class "+n.Class+" was", "events of class "+n.Class+" were"), n.Dropped), true)
	l.told, l.at = n.Dropped, c.clock.now
}

// count says how many of something there are.
func count[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// finish lets all go that waits, and tells how it went. o is nil where records are taken as they come.
func (c *core) finish(o *output) {
	if o != nil && !c.ready {
		return // nothing was watched
	}
	c.release(true)
	if o != nil {
		c.tell = o.last
	}
	c.alerts.flush(true)
	c.drops(true)
	c.traces.end()
	for _, s := range c.Sensors {
		for _, n := range s.Counts() {
			if n.Seen+n.Sent+n.Dropped > 0 {
				c.last(s.Info().Name, fmt.Sprintf("events of class %s: %d seen, %d filtered, %d sent, %d dropped", n.Class, n.Seen, n.Filtered, n.Sent, n.Dropped))
			}
		}
	}
	for _, d := range c.all {
		if d.panics > 1 {
			c.last(d.name, fmt.Sprintf("it panicked %d times", d.panics))
		}
	}
	c.last("watch", c.alerts.summary())
	if c.alerts.unsaid > 0 {
		c.last("watch", count(c.alerts.unsaid, "note was", "notes were")+" held back")
	}
	if o != nil && o.missed > 0 {
		c.last("watch", count(o.missed, "finding or note was", "findings and notes were")+" not told: whoever takes them is too slow")
	}
	s := bulwark.Summary{Complete: true, Counts: map[bulwark.Severity]int{}, Excepted: c.alerts.excepted}
	for _, level := range bulwark.Severities() {
		s.Counts[level] = c.alerts.told[level]
	}
	s.Complete = !c.incomplete
	c.tell(bulwark.Record{Summary: &s})
	c.tell = func(bulwark.Record) {} // nothing comes behind it
}

// last is a note of the end, which is never held back.
func (c *core) last(plugin, text string) {
	c.tell(bulwark.Record{Note: &bulwark.Note{Plugin: plugin, Text: text}})
}

func (a *alerts) summary() string {
	parts := []string{"detectors saw " + count(a.num, "event", "events") + " and made " + count(a.seen, "finding", "findings")}
	told := 0
	for _, n := range a.told {
		told += n
	}
	parts = append(parts, fmt.Sprintf("%d told", told))
	if a.excepted > 0 {
		parts = append(parts, fmt.Sprintf("%d excepted", a.excepted))
	}
	if a.below > 0 {
		parts = append(parts, fmt.Sprintf("%d below what was asked for", a.below))
	}
	return strings.Join(parts, ", ")
}

// unrecorded says what detectors want that was not looked at when the trace was recorded.
func (c *core) unrecorded(h trace.Header) {
	var missing []string
	for i, who := range c.byKind {
		if k := bulwark.Kind(i); len(who) > 0 && !slices.Contains(h.Kinds, k.String()) {
			missing = append(missing, k.String())
		}
	}
	if len(missing) == 0 {
		return
	}
	slices.Sort(missing)
	rest := ""
	if len(missing) > 12 {
		rest = fmt.Sprintf(" and %d more", len(missing)-12)
		missing = missing[:12]
	}
	c.note("watch/trace", "the recording was made without events that are asked for now: "+strings.Join(missing, " ")+rest, true)
}
