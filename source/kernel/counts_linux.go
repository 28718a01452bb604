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

// counts reads the counters of the programs.
func (r *run) counts() []bulwark.Count {
	list := make([]bulwark.Count, len(classes))
	m := r.programs.Maps["counts"]
	for i := range list {
		list[i].Class = classes[i]
		if i == interrupted {
			n := r.interrupted()
			list[i].Seen, list[i].Dropped = n, n
			continue
		}
		whats := []*uint64{&list[i].Filtered, &list[i].Sent, &list[i].Dropped, &list[i].Filtered, &list[i].Sent} // as bpf/sensor.h has them
		for what, to := range whats {
			var cpus []uint64
			if m.Lookup(uint32(len(whats)*i+what), &cpus) != nil {
				continue
			}
			for _, n := range cpus {
				*to += n
				list[i].Seen += n
			}
		}
	}
	for i, ring := range []*ring{r.critical, r.volume} {
		list[i].Held, list[i].Room = ring.held(), ring.room()
	}
	return list
}

// interrupted is how often a program could not run since one did already on its processor: what it would have seen is lost.
// Kernels before 5.12 do not count it.
func (r *run) interrupted() uint64 {
	now := time.Now().UnixNano()
	if now-r.asked.Load() < int64(time.Second) {
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
