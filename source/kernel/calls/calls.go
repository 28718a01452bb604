// Package calls sees which system calls the containers of this node make and which capabilities they use: an event when
// a control group does so for the first time, at the cost of a look at a bit for all that follow.
package calls

import (
	"strconv"
	"strings"
	"sync"

	"bulwark"
)

// Sensor gives an event of kind syscall_used or capability_used for each first time. Their argument "program" is 0 where a
// program did it that lies elsewhere than in the container: the runtime's, which makes the container ready.
type Sensor struct {
	mu    sync.Mutex
	count func() []bulwark.Count // of the run that is under way
	last  []bulwark.Count
}

var _ bulwark.Sensor = (*Sensor)(nil)

// New gives a sensor.
func New() *Sensor { return &Sensor{} }

// Info describes the sensor.
func (*Sensor) Info() bulwark.Info {
	return bulwark.Info{
		Name: "source/kernel/calls", Summary: "Which system calls and capabilities containers use, seen with eBPF.",
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

// Compat stands for the system calls of 32-bit programs.
const Compat = "32-bit"

const compat = 511

// parseNames reads a table of names: each has the number behind that of the one before, or says its own.
func parseNames(table string) (list [compat + 1]string) {
	nr := 0
	for w := range strings.FieldsSeq(table) {
		if number, name, ok := strings.Cut(w, ":"); ok {
			nr, _ = strconv.Atoi(number)
			w = name
		}
		list[nr] = w
		nr++
	}
	list[compat] = Compat
	return list
}

// capabilities are the names of Linux' capabilities by number.
var capabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP
CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO
CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG
CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND
CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`)
