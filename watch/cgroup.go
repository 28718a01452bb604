package watch

import (
	"fmt"
	"slices"
	"time"

	"bulwark"
)

// cgroup is one with what is known of its container.
type cgroup struct {
	id        uint64
	container *bulwark.Container
	more      <-chan struct{} // closed when more is known; nil: nothing is awaited
	gaveUp    bool
	unknown   bool // nobody told of it, and no process of it could be looked at
	queue     []*bulwark.Event
	since     time.Time // when the first of the queue came
}

// waits tells whether more is soon known of it.
func (g *cgroup) waits() bool {
	if g.more == nil || g.gaveUp {
		return false
	}
	select {
	case <-g.more:
		return false
	default:
		return true
	}
}

const mostCgroups = 1 << 16

// cgroup is that of a process as its event tells it; nil: it is in none that is known by its id.
func (c *core) cgroup(p *bulwark.Process) *cgroup {
	if c.Containers == nil || p.Cgroup <= 1 {
		return nil
	}
	g := c.cgroups[p.Cgroup]
	if g == nil {
		if len(c.cgroups) >= mostCgroups {
			c.forgetCgroups()
		}
		g = &cgroup{id: p.Cgroup}
		c.cgroups[p.Cgroup] = g
		c.lookup(g, p.PID)
	} else if g.unknown || g.more != nil && !g.waits() && !g.gaveUp {
		c.lookup(g, p.PID)
	}
	return g
}

// lookup asks what is known now.
func (c *core) lookup(g *cgroup, pid int) {
	found, more, ok := c.Containers.Lookup(g.id)
	if !ok && c.asked < mostAsked {
		c.asked++
		found, more = c.Containers.Process(pid, g.id)
		_, _, ok = c.Containers.Lookup(g.id)
		ok = ok || found != nil || more != nil
	}
	switch {
	case ok:
		g.container, g.more, g.unknown = found, more, false
	case g.container == nil && !g.unknown:
		g.container, g.more, g.unknown = &bulwark.Container{Missing: fmt.Sprintf("cgroup %d was not seen to be made, and its process had ended", g.id)}, nil, true
	}
}

// forgetCgroups makes room; they are asked for again when events name them.
func (c *core) forgetCgroups() {
	for id, g := range c.cgroups {
		if len(g.queue) == 0 {
			delete(c.cgroups, id)
		}
	}
}

// freshen takes over what engines have told since.
func (c *core) freshen() {
	if c.Containers == nil {
		return
	}
	for id, g := range c.cgroups {
		found, more, ok := c.Containers.Lookup(id)
		if !ok {
			if len(g.queue) == 0 {
				delete(c.cgroups, id)
			}
			continue
		}
		if found != nil {
			g.container = found
		}
		if g.more = more; more == nil {
			g.gaveUp = false
		}
	}
	c.late(c.Now().UnixNano())
}

// place gives the process its container.
func (c *core) place(p *bulwark.Process, e *bulwark.Event) {
	if c.Containers == nil {
		return
	}
	now := p.Container
	switch g := c.cgroups[p.Cgroup]; {
	case p.Cgroup <= 1 && p.PID == 0: // nobody in particular, as packets are: of the node now, whatever was before
		now = nil
	case p.Cgroup <= 1:
		if e == nil || e.Kind == bulwark.KindExec {
			now, _ = c.Containers.Process(p.PID, p.Cgroup)
		}
	case g == nil:
		g = c.cgroup(p)
		now = g.container
	default:
		now = g.container
	}
	if now != p.Container {
		p.Container = now
		c.changed(p)
	}
}

// hold keeps a copy of an event until its container is known; false: there is no room, and it goes on as it is.
func (c *core) hold(g *cgroup, e *bulwark.Event) bool {
	if c.held >= c.Limits.Held {
		c.note("watch", fmt.Sprintf("more than %d events wait to know their container: they are told with what is known now", c.Limits.Held), true)
		for len(c.holding) > 0 {
			c.giveUp(c.holding[0], "too many events came before its engine told of it")
		}
		return false
	}
	if len(g.queue) == 0 {
		g.since = c.Now()
		c.holding = append(c.holding, g)
	}
	kept := e.Clone()
	if kept.Process != nil { // the sensor uses its own again
		p := *kept.Process
		p.Args, p.Env = slices.Clone(p.Args), slices.Clone(p.Env)
		kept.Process = &p
	}
	g.queue = append(g.queue, kept)
	if c.held++; c.held == 1 {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// release lets events go whose container is known by now, or that waited for long enough; all of them at the end.
func (c *core) release(all bool) {
	if len(c.holding) == 0 {
		return
	}
	now := c.Now()
	for _, g := range slices.Clone(c.holding) {
		switch waited := now.Sub(g.since); {
		case len(g.queue) == 0:
		case !g.waits():
			c.lookup(g, g.queue[0].Process.PID)
			c.let(g)
		case all:
			c.giveUp(g, "the run ended before its engine told of it")
		case waited >= c.Limits.Hold || waited < 0:
			c.giveUp(g, fmt.Sprintf("its engine told nothing of it within %v", c.Limits.Hold))
		}
	}
}

// giveUp lets the events of a cgroup go with what is known.
func (c *core) giveUp(g *cgroup, why string) {
	c.lookup(g, g.queue[0].Process.PID)
	if g.waits() {
		g.gaveUp = true
		c.meager(g, why)
	}
	c.let(g)
}

// meager says of a container why no more is known of it. A cgroup that may be no container's stays without one.
func (c *core) meager(g *cgroup, why string) {
	if g.container == nil {
		c.note("watch", fmt.Sprintf("cgroup %d is taken to be no container's: %s", g.id, why), false)
		return
	}
	known := *g.container
	if known.Missing = why; g.container.Missing != "" {
		known.Missing += " (" + g.container.Missing + ")"
	}
	g.container = &known
	c.note("watch", "container "+known.ShortID()+" is told with less than there is to know: "+known.Missing, false)
}

// let delivers what waits for a cgroup.
func (c *core) let(g *cgroup) {
	queue := g.queue
	g.queue = nil
	c.held -= len(queue)
	c.holding = slices.DeleteFunc(c.holding, func(h *cgroup) bool { return h == g })
	for _, e := range queue {
		c.deliver(e)
	}
}
