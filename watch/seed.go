package watch

import (
	"cmp"
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
	list func() []bulwark.Process
	next atomic.Int64 // of those that nobody reads yet
	// walks is how often what changed since was looked for; walking is held meanwhile.
	walks   atomic.Int64
	walking sync.Mutex
}

// seed reads the processes that are there before sensors are, those that began last first: they end soonest, and with them what
// could be read. Who calls it while another does helps: one is enough while sensors begin, which need the processors more.
func (c *core) seed(ctx context.Context) {
	list := c.before.list()
	r := proc.NewReader(c.proc)
	for ctx.Err() == nil {
		n := len(list) - int(c.before.next.Add(1))
		if n < 0 {
			return
		}
		c.adopt(r, list[n])
	}
}

// first are the processes that are there now, those that began last behind the others.
func (c *core) first() []bulwark.Process {
	list, err := c.there()
	if err != nil {
		c.lock()
		c.note("watch", fmt.Sprintf("processes that were there before are not known: %v", err), true)
		c.unlock()
	}
	slices.SortFunc(list, func(a, b bulwark.Process) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return list
}

// there are the processes that there are: all that the kernel says of each, or no more than its PID.
func (c *core) there() ([]bulwark.Process, error) {
	if c.Proc == "-" {
		return nil, nil
	}
	if c.Processes != nil {
		if list, err := c.Processes(); err == nil {
			return list, nil
		}
	}
	pids, err := c.proc.PIDs()
	list := make([]bulwark.Process, 0, len(pids))
	for _, pid := range pids {
		list = append(list, bulwark.Process{PID: pid})
	}
	return list, err
}

// adopt reads one process without holding anybody up. One that ended meanwhile is no matter.
func (c *core) adopt(r *proc.Reader, p bulwark.Process) {
	if p.Start != 0 {
		r.Texts(&p)
	} else if all, err := r.Process(p.PID); err == nil {
		p = all
	} else {
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
	list, err := c.there()
	if err != nil || list == nil {
		return
	}
	alive := make(map[int]bool, len(list))
	r := proc.NewReader(c.proc)
	for _, p := range list {
		if ctx.Err() != nil {
			return
		}
		start, name := p.Start, p.Name
		if start == 0 {
			st, err := r.Stat(p.PID)
			if err != nil {
				continue
			}
			start, name = st.Start, st.Name
		}
		alive[p.PID] = true
		c.lock()
		known := c.tree.Known(p.PID, start, name)
		c.unlock()
		if !known {
			c.adopt(r, p)
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
