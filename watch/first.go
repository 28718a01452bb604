package watch

import (
	"slices"
	"strings"

	"bulwark"
)

// firsts are the first processes of containers, by which detectors are told that these run: events of kind container.
type firsts struct {
	told map[string]uint64           // by container: the cgroup of its first process
	soon map[string]*bulwark.Process // of containers of which more is awaited
}

// unbegun is how runc names itself in a container before it executes what that is for.
const unbegun = "runc:["

// executed begins a container with the first program of its own: its runtime executes itself in its cgroup before, which
// has still the node's mounts.
func (c *core) executed(e *bulwark.Event) {
	p := e.Process
	if p.Container == nil || e.Result != 0 {
		return
	}
	if node := c.tree.Find(1, 0); node != nil && node.Namespaces.Mount == p.Namespaces.Mount && node.Namespaces.Mount != 0 {
		return
	}
	c.begins(p, e.Time)
}

// begins tells detectors once that the container of a process runs, as soon as no more is awaited of it.
func (c *core) begins(p *bulwark.Process, at int64) {
	if strings.HasPrefix(p.Name, unbegun) {
		return // it executes the program of the container next
	}
	f := &c.firsts
	id := p.Container.ID
	if _, ok := f.told[id]; ok || id == "" {
		return
	}
	if f.told == nil || len(f.told)+len(f.soon) >= mostCgroups {
		f.told, f.soon = map[string]uint64{}, map[string]*bulwark.Process{}
	}
	if c.awaited(p) {
		if f.soon[id] == nil {
			f.soon[id] = p
		}
		return
	}
	delete(f.soon, id)
	if c.renew(p); p.Container == nil || p.Container.ID != id {
		return
	}
	f.told[id] = p.Cgroup
	c.see(&bulwark.Event{Time: at, Source: bulwark.SourceSyscall, Kind: bulwark.KindContainer, FD: bulwark.FD{Num: -1}, TID: p.PID, Process: p})
}

// awaited tells whether the engine of the process's container was asked and did not answer yet.
func (c *core) awaited(p *bulwark.Process) bool {
	var more <-chan struct{}
	if p.Cgroup > 1 {
		_, more, _ = c.Containers.Lookup(p.Cgroup)
	} else if !p.Ended {
		_, more = c.Containers.Process(p.PID, p.Cgroup)
	}
	if more == nil {
		return false
	}
	select {
	case <-more:
		return false
	default:
		return true
	}
}

// renew gives the process its container as it is known now.
func (c *core) renew(p *bulwark.Process) {
	if g := c.cgroups[p.Cgroup]; g != nil && p.Cgroup > 1 {
		c.lookup(g, p.PID)
	}
	if p.Cgroup > 1 || !p.Ended {
		c.place(p, nil)
	}
}

// late tells of the containers of which all is known by now.
func (c *core) late(at int64) {
	for id, p := range c.firsts.soon {
		if c.tree.Find(p.PID, p.Start) != p || p.Container == nil || p.Container.ID != id {
			delete(c.firsts.soon, id) // it ended, or went elsewhere
			continue
		}
		c.begins(p, at)
	}
}

// running tells of the containers that were there before, by the process that began first.
func (c *core) running() {
	if c.Containers == nil {
		return
	}
	first := map[string]*bulwark.Process{}
	c.tree.Each(func(p *bulwark.Process) {
		k := p.Container
		if k == nil {
			return
		}
		if now := first[k.ID]; now == nil || p.PID == k.PID || now.PID != k.PID && p.Start < now.Start {
			first[k.ID] = p
		}
	})
	list := make([]*bulwark.Process, 0, len(first))
	for _, p := range first {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *bulwark.Process) int { return a.PID - b.PID })
	for _, p := range list {
		c.begins(p, max(c.began.UnixNano(), c.clock.last))
	}
}

// ended forgets the container whose first process had the cgroup, which is no more: it may be begun again.
func (c *core) ended(cgroup uint64) {
	g := c.cgroups[cgroup]
	if g == nil || g.container == nil {
		return
	}
	if at, ok := c.firsts.told[g.container.ID]; ok && at == cgroup {
		delete(c.firsts.told, g.container.ID)
	}
}
