package bulwark

import (
	"net/netip"
	"slices"
)

// The sources that events come from, by the names that rules give them.
const (
	SourceSyscall  = "syscall"   // the kernel of this node
	SourceK8sAudit = "k8s_audit" // the audit log of an API server
	SourceEngine   = "engine"    // what container engines say of their own
)

// Event is one thing that happened: a system call that was made, a process that began or ended, a line of
// an audit log. Sensors use events again: whoever keeps one longer than the call that gives it
// keeps a Clone.
type Event struct {
	Num    uint64 // of this run, from 1, in the order in which detectors see them
	Time   int64  // nanoseconds since 1970, by the node's clock
	CPU    int
	Source string // one of the Source constants
	Kind   Kind
	Result int64 // what the call returned; minus the errno of one that failed; 0 where nothing returns
	Args   []Arg // as Kind.Params has them; may be shorter: the rest is not known
	FD     FD    // the file or socket that the event is about, as it was after the call
	TID    int   // in the node's own pid namespace
	// Process is whose thread it is. A sensor gives what the kernel told with the event (PID, Start and
	// Cgroup at least); the engine puts the one of its tree in the place, with parents and container. Nil
	// where no process of this node did it.
	Process *Process
	// Doc is the document of an event that is one: JSON, at most a megabyte.
	Doc []byte
}

// Arg is one argument of an event: a number, or a text as it was given, which may hold any bytes.
type Arg struct {
	Num  int64
	Text []byte
}

// Clone is a copy that shares only the Process with e.
func (e *Event) Clone() *Event {
	c := *e
	c.Args = slices.Clone(e.Args)
	for i := range c.Args {
		c.Args[i].Text = slices.Clone(c.Args[i].Text)
	}
	c.FD.Name, c.FD.Raw, c.Doc = slices.Clone(e.FD.Name), slices.Clone(e.FD.Raw), slices.Clone(e.Doc)
	return &c
}

// Arg is the argument of that name; ok is false where the event has none.
func (e *Event) Arg(name string) (a Arg, ok bool) {
	for i, p := range e.Kind.Params() {
		if p.Name == name && i < len(e.Args) {
			return e.Args[i], true
		}
	}
	return Arg{}, false
}

// FDKind is what a file descriptor stands for.
type FDKind uint8

// The kinds of file descriptor.
const (
	FDNone FDKind = iota // the event is about none, or the call failed
	FDFile
	FDDirectory
	FDIPv4
	FDIPv6
	FDUnix
	FDPipe
	FDEvent
	FDSignal
	FDEventPoll
	FDInotify
	FDTimer
	FDNetlink
	FDBPF
	FDUserfault
	FDIOURing
	FDMemory // memfd_create
	FDPID
	FDPacket // AF_PACKET
	FDOther
)

// FD is a file descriptor, read from the kernel's own objects when the call returned: what was opened, not
// what the caller's memory said would be.
type FD struct {
	Num  int // in its process; -1: none
	Kind FDKind
	// Name is the path from the root of the process (what it would call it), or that of a unix socket.
	// Outside tells that the file is not below that root: Name is then as the file's mount has it.
	Name    []byte
	Raw     []byte // the path as the caller gave it, where it gave one
	Outside bool
	Upper   bool // in the upper layer of an overlay: it was written since the container began

	Inode, Device uint64
	Magic         uint64 // of the file system (statfs's f_type)

	Proto     uint8          // of a socket: IPPROTO_TCP, IPPROTO_UDP, ...
	Local     netip.AddrPort // of a socket
	Remote    netip.AddrPort // of a connected one, or whom the call names
	Server    bool           // the local side listens: accept made the socket
	Connected bool
}
