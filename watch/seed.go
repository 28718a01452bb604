package watch

import (
	"context"
	"fmt"
	"sync"

	"bulwark"
)

// seed reads the processes that are there before sensors are.
func (c *core) seed() {
	if c.Proc == "-" {
		return
	}
	pids, err := c.proc.PIDs()
	if err != nil {
		c.lock()
		c.note("watch", fmt.Sprintf("processes that were there before are not known: %v", err), true)
		c.unlock()
		return
	}
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			for n := i; n < len(pids); n += readers {
				c.adopt(pids[n])
			}
		})
	}
	all.Wait()
}

// readers is how many processes are read at a time: the kernel takes most of that time.
const readers = 4

// adopt reads one process without holding anybody up. One that ended meanwhile is no matter.
func (c *core) adopt(pid int) {
	p, err := c.proc.Process(pid)
	if err != nil {
		return
	}
	c.lock()
	defer c.unlock()
	c.tree.Add(p)
}

// refresh reads what changed since seed began: no process is missed that way, since the sensor sees by now, and its
// events are taken up after this.
func (c *core) refresh(ctx context.Context) {
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
	for _, pid := range pids {
		st, err := c.proc.Stat(pid)
		if err != nil {
			continue
		}
		alive[pid] = true
		c.lock()
		known := c.tree.Known(pid, st.Start, st.Name)
		c.unlock()
		if !known {
			c.adopt(pid)
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
