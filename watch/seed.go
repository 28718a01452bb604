package watch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"bulwark"
	"bulwark/watch/internal/proc"
)

// before are the processes that were there before sensors were.
type before struct {
	list func() []int
	next atomic.Int64 // of those that nobody reads yet
	// walks is how often what changed since was looked for; walking is held meanwhile.
	walks   atomic.Int64
	walking sync.Mutex
}

// seed reads the processes that are there before sensors are, those that began last first: they end soonest, and with them what
// could be read. Who calls it while another does helps: one is enough while sensors begin, which need the processors more.
func (c *core) seed(ctx context.Context) {
	pids := c.before.list()
	r := proc.NewReader(c.proc)
	for ctx.Err() == nil {
		n := len(pids) - int(c.before.next.Add(1))
		if n < 0 {
			return
		}
		c.adopt(r, pids[n])
	}
}

// pids are those of processes that are there now.
func (c *core) pids() []int {
	if c.Proc == "-" {
		return nil
	}
	pids, err := c.proc.PIDs()
	slices.Sort(pids)
	if err != nil {
		c.lock()
		c.note("watch", fmt.Sprintf("processes that were there before are not known: %v", err), true)
		c.unlock()
	}
	return pids
}

// adopt reads one process without holding anybody up. One that ended meanwhile is no matter.
func (c *core) adopt(r *proc.Reader, pid int) {
	p, err := r.Process(pid)
	if err != nil {
		return
	}
	c.lock()
	defer c.unlock()
	c.tree.Add(p)
}

// refresh reads what changed since seed began, unless somebody does after the number of walks that is given: no process is missed
// that way, since the sensor sees by now, and its events are taken up after this.
func (c *core) refresh(ctx context.Context, walks int64) {
	c.before.walking.Lock()
	defer c.before.walking.Unlock()
	if c.before.walks.Load() > walks {
		return
	}
	c.before.walks.Add(1)
	if c.Containers != nil {
		if err := c.Containers.Walk(ctx); err != nil && ctx.Err() == nil {
			c.lock()
			c.note("watch", fmt.Sprintf("containers that were there before are not known: %v", err), true)
			c.unlock()
		}
	}
	if c.Proc == "-" {
		return
	}
	pids, err := c.proc.PIDs()
	if err != nil {
		return
	}
	alive := make(map[int]bool, len(pids))
	r := proc.NewReader(c.proc)
	for _, pid := range pids {
		if ctx.Err() != nil {
			return
		}
		st, err := r.Stat(pid)
		if err != nil {
			continue
		}
		alive[pid] = true
		c.lock()
		known := c.tree.Known(pid, st.Start, st.Name)
		c.unlock()
		if !known {
			c.adopt(r, pid)
		}
	}
	c.lock()
	defer c.unlock()
	c.tree.Missed(alive, c.Now().UnixNano())
	c.tree.Attach()
	c.tree.Each(func(p *bulwark.Process) {
		if p.Cgroup > 1 {
			c.place(p, nil)
		}
	})
	c.running()
}

// mostAsked is how many processes /proc is asked about in a second: who makes thousands in that time would else hold up
// all events.
const mostAsked = 500

func (c *core) ask(pid int) (bulwark.Process, bool) {
	if c.replay != nil || c.asked >= mostAsked {
		return bulwark.Process{}, false
	}
	c.asked++
	p, err := c.proc.Process(pid)
	return p, err == nil
}
