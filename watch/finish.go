package watch

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/watch/trace"
)

// drops tells at once what sensors lost since the last time.
func (c *core) drops() {
	for _, s := range c.Sensors {
		name := s.Info().Name
		for _, n := range s.Counts() {
			key := name + " " + n.Class
			if lost := n.Dropped - c.counted[key].Dropped; n.Dropped > c.counted[key].Dropped {
				c.note(name, fmt.Sprintf("%d events of class %s were dropped, %d in all: detectors did not see them", lost, n.Class, n.Dropped), true)
			}
			c.counted[key] = n
		}
	}
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
	c.drops()
	c.traces.end()
	for _, s := range c.Sensors {
		for _, n := range s.Counts() {
			c.last(s.Info().Name, fmt.Sprintf("events of class %s: %d seen, %d filtered, %d sent, %d dropped", n.Class, n.Seen, n.Filtered, n.Sent, n.Dropped))
		}
	}
	for _, d := range c.all {
		if d.panics > 1 {
			c.last(d.name, fmt.Sprintf("it panicked %d times", d.panics))
		}
	}
	c.last("watch", c.alerts.summary())
	if c.alerts.unsaid > 0 {
		c.last("watch", fmt.Sprintf("%d notes were held back", c.alerts.unsaid))
	}
	if o != nil && o.missed > 0 {
		c.last("watch", fmt.Sprintf("%d findings and notes were not told: whoever takes them is too slow", o.missed))
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
	parts := []string{fmt.Sprintf("detectors saw %d events and made %d findings", a.num, a.seen)}
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
