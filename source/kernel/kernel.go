// Package kernel sees what the kernel of this node does: programs that start and end, the system calls that somebody
// is interested in, control groups, signals. Its programs (bpf/) are attached for what is wanted, and for nothing else.
//
// Arguments are those that the kernel was given, read when the call returned; files and sockets are described out of
// the kernel's own objects, so that neither links nor changes of the caller's memory mislead. A process that is made has an
// event of kind clone with Result 0 whose Process is the new one; execve stands for every program that starts. Events
// of one thread come in their order.
package kernel

import (
	"sync"

	"bulwark"
)

// Sensor gives the events of this node. The zero one is ready; it may run more than once, and several may run at a time.
type Sensor struct {
	// Self: events of this process are told as well.
	Self bool
	// Critical and Volume are the sizes of the two rings in bytes, powers of two; 0: 4 MB and 8 MB. What security depends on
	// has a ring of its own, which opens, reads and the like can not fill.
	Critical, Volume uint32

	older bool // in tests: control groups of the first version are those that count
	mu    sync.Mutex
	count func() []bulwark.Count // of the run that is under way
	last  []bulwark.Count
	lost  [len(classes)]uint64 // by the sequence numbers of the last run
}

var _ bulwark.Sensor = (*Sensor)(nil)

// New gives a sensor.
func New() *Sensor { return &Sensor{} }

// Info describes the sensor.
func (*Sensor) Info() bulwark.Info {
	return bulwark.Info{
		Name: "source/kernel", Summary: "Programs, system calls, control groups and signals of this node, seen with eBPF.",
		Version: 1, Needs: bulwark.Needs{Root: true, Linux: true},
	}
}

// Counts are those of the run that is under way, or of the last one.
func (s *Sensor) Counts() []bulwark.Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count != nil {
		return s.count()
	}
	return s.last
}

// classes are the rings by their number, and what was lost since a program was interrupted.
var classes = [...]string{"critical", "volume", "interrupted"}

const interrupted = 2
