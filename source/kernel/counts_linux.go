//go:build amd64 || arm64

package kernel

import (
	"time"

	"bulwark"
)

// tellDrops emits an event for each class of which events were dropped since it last did.
func (r *run) tellDrops(emit func([]bulwark.Event) error) error {
	for i, c := range r.counts() {
		lost := max(c.Dropped, r.decoder.lost(i)) // what counters and sequence numbers say is the same, if all is well
		if lost <= r.dropped[i] {
			continue
		}
		n := lost - r.dropped[i]
		r.dropped[i] = lost
		e := bulwark.Event{
			Time: time.Now().UnixNano(), Source: bulwark.SourceSyscall, Kind: bulwark.KindDrop, FD: bulwark.FD{Num: -1},
			Args: []bulwark.Arg{{Text: []byte(c.Class)}, {Num: int64(n)}},
		}
		if err := emit([]bulwark.Event{e}); err != nil {
			return err
		}
	}
	return nil
}

// counts reads the counters of the programs, with one question to the kernel.
func (r *run) counts() []bulwark.Count {
	list := make([]bulwark.Count, len(classes))
	var cpus [][interrupted][5]uint64 // by class: filtered, sent, dropped, unwanted, told, as bpf/sensor.h has them
	if r.programs.Maps["counts"].Lookup(uint32(0), &cpus) != nil {
		cpus = nil
	}
	for i := range list {
		list[i].Class = classes[i]
	}
	for _, of := range cpus {
		for i, n := range of {
			c := &list[i]
			c.Filtered += n[0] + n[3]
			c.Sent += n[1] + n[4]
			c.Dropped += n[2]
			c.Seen = c.Filtered + c.Sent + c.Dropped
		}
	}
	n := r.interrupted()
	list[interrupted].Seen, list[interrupted].Dropped = n, n
	for i, ring := range []*ring{r.critical, r.volume} {
		list[i].Held, list[i].Room = ring.held(), ring.room()
	}
	return list
}

// askAgain is how often the kernel is asked how much each program missed: it is a question for each.
const askAgain = 5 * time.Second

// interrupted is how often a program could not run since one did already on its processor: what it would have seen is lost.
// Kernels before 5.12 do not count it.
func (r *run) interrupted() uint64 {
	now := time.Now().UnixNano()
	if now-r.asked.Load() < int64(askAgain) {
		return r.missed.Load()
	}
	r.asked.Store(now)
	var n uint64
	for _, p := range r.programs.Programs {
		if s, err := p.Stats(); err == nil {
			n += s.RecursionMisses
		}
	}
	r.missed.Store(n)
	return n
}
