// Package cgroup tells what containers take: processors, memory, disks, network and processes, and how long they wait.
package cgroup

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"bulwark"
)

// Sensor reads the figures of each container every ten seconds. Fields are set before Run.
type Sensor struct {
	Containers func() []*bulwark.Container // those that run now; perhaps others
	Every      time.Duration               // 0: ten seconds
	Root       string                      // the folder that stands for the node's root; "": /
	Now        func() time.Time            // nil: time.Now

	seen, sent atomic.Uint64
	last       map[string]*reading
	own        string // the network namespace that is the node's
	round      int
	buf        []byte
}

var _ bulwark.Sensor = (*Sensor)(nil)

// most is how many containers are read.
const most = 4096

// Info describes the sensor.
func (*Sensor) Info() bulwark.Info {
	return bulwark.Info{Name: "source/cgroup", Summary: "What containers take of this machine.", Version: 1, Needs: bulwark.Needs{Linux: true}}
}

// Abilities are one: that the figures can be read.
func (s *Sensor) Abilities() []bulwark.Ability {
	a := bulwark.Ability{Name: "see what containers take", By: "the files of control groups"}
	if _, err := os.Stat(s.at("/sys/fs/cgroup/cgroup.procs")); err != nil && !s.older() {
		a.Why = "no control groups are mounted at " + s.at("/sys/fs/cgroup")
	}
	return []bulwark.Ability{a}
}

func (s *Sensor) older() bool {
	for _, c := range []string{"memory", "cpuacct", "unified"} {
		if _, err := os.Stat(s.at("/sys/fs/cgroup/" + c)); err == nil {
			return true
		}
	}
	return false
}

// Counts tells how many figures were read; none is ever dropped.
func (s *Sensor) Counts() []bulwark.Count {
	return []bulwark.Count{{Class: "usage", Seen: s.seen.Load(), Sent: s.sent.Load()}}
}

// Run gives an event for each container, every ten seconds, once it was read twice.
func (s *Sensor) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	ready()
	if len(want[bulwark.KindUsage]) == 0 || s.Containers == nil {
		<-ctx.Done()
		return nil
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	s.read()
	every := time.NewTicker(cmp.Or(s.Every, 10*time.Second))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		if list := s.read(); len(list) > 0 {
			if err := emit(list); err != nil {
				return err
			}
			s.sent.Add(uint64(len(list)))
		}
	}
}

// read takes the figures of all containers, and gives what changed since the last time.
func (s *Sensor) read() []bulwark.Event {
	var list []bulwark.Event
	now := s.Now()
	s.own, _ = os.Readlink(s.at("/proc/self/ns/net"))
	next := make(map[string]*reading, len(s.last))
	for _, c := range s.Containers() {
		if c == nil || c.ID == "" || next[c.ID] != nil || len(next) >= most {
			continue
		}
		r := s.last[c.ID]
		if r == nil || !r.there(s) {
			if r = s.find(c); r == nil {
				continue
			}
		}
		next[c.ID] = r
		s.seen.Add(1)
		before := r.figures
		r.take(s, now)
		if before.at != 0 {
			list = append(list, r.event(&before))
		}
	}
	s.last = next
	s.round++
	return list
}

func (s *Sensor) at(path string) string { return filepath.Join(cmp.Or(s.Root, "/"), path) }
