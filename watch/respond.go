package watch

import (
	"sync"
	"time"

	"bulwark"
)

// responses are under way.
type responses struct {
	all   sync.WaitGroup
	now   int
	ended bool
}

// mostResponses is how many are under way beside all else. With more, the events wait.
const mostResponses = 256

// respond does what is to be done about a finding, and tells it then; false: nothing is to be done.
func (c *core) respond(f *bulwark.Finding, e *bulwark.Event, asset bulwark.Asset) bool {
	if c.Respond == nil {
		return false
	}
	var p *bulwark.Process
	if e != nil {
		p = e.Process
	}
	do := c.Respond(f, p)
	if do == nil {
		return false
	}
	if c.responses.ended || c.responses.now >= mostResponses {
		c.responded(f, asset, do())
		return true
	}
	c.responses.now++
	c.responses.all.Go(func() {
		r := do()
		c.lock()
		defer c.unlock()
		c.responses.now--
		c.responded(f, asset, r)
	})
	return true
}

func (c *core) responded(f *bulwark.Finding, asset bulwark.Asset, r bulwark.Response) {
	f.Response = &r
	f.Evidence = append(f.Evidence, r.Text)
	c.alerts.add(f, asset)
}

// end waits for those that are under way; later ones are waited for one by one.
func (r *responses) end() {
	r.all.Wait()
	r.ended = true
}

// Culprit is whom a finding is about that no event made: a process by what is known of it.
type Culprit struct {
	PID    int
	Start  int64 // since boot, perhaps rounded down; 0: not known
	Name   string
	Path   string
	Cgroup uint64
}

// Report tells a finding that something beside the detectors made, with process, parents and container. It waits a little where the
// events that tell of those have not been seen yet. It may be called by any goroutine but one that holds up events.
func (w *Watcher) Report(f bulwark.Finding, who Culprit) {
	w.settle()
	const step = 5 * time.Millisecond
	for waited := time.Duration(0); !w.core.report(f, who, waited >= w.Limits.Hold); waited += step {
		time.Sleep(step)
	}
}

func (c *core) report(f bulwark.Finding, who Culprit, last bool) bool {
	c.lock()
	defer c.unlock()
	p := c.tree.Find(who.PID, who.Start)
	if p == nil || who.PID == 0 {
		if !last && who.PID != 0 {
			return false
		}
		p = &bulwark.Process{PID: who.PID, Start: who.Start, Name: who.Name, Path: who.Path, Cgroup: who.Cgroup, Missing: "it was not seen to begin"}
	}
	if p.Container == nil {
		if p.Cgroup == 0 {
			p.Cgroup = who.Cgroup
		}
		if g := c.cgroup(p); g != nil && g.waits() && !last {
			return false
		}
		c.place(p, nil)
	}
	c.clock.at(f.Time.UnixNano())
	e := &bulwark.Event{Time: f.Time.UnixNano(), Source: bulwark.SourceSyscall, Process: p}
	asset := c.complete(&f, e, &detector{name: "watch"})
	for _, policy := range c.Policies {
		policy.Apply(&asset, &f)
	}
	c.alerts.seen++
	if f.Exception != nil {
		c.alerts.excepted++
	}
	c.alerts.add(&f, asset) // what was stopped is told whoever excepted it: somebody may wonder why
	return true
}
