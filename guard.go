package bulwark

import "net/netip"

// Guard stops what blocks name, before it takes effect.
type Guard interface {
	Plugin
	// Abilities are what it can stop on this machine.
	Abilities() []Ability
	// Load puts these blocks in force in the place of those before. It does so as a whole, or not at all: its
	// error then names every block that cannot be enforced here, and why, and wraps ErrUnsupported where the
	// kernel is the reason. A block whose cgroup has gone holds for nobody, and is no error.
	Load([]Block) error
	// Close leaves nothing blocked. So does the end of the process, however it comes.
	Close() error
}

// Block is one thing that is to be stopped. Every block denies what it denies: what one lets pass
// another may stop.
type Block struct {
	Rule  string // by which rule
	Deed  Deed
	Scope Scope
	// Below are the folders of DeedExecBelow, as the processes of the scope call them.
	Below []string
	// Nets are where DeedConnect must not go. Where there are none, it must not go but to Except.
	Nets   []Destination
	Except []Destination
}

// BlockError is why one of the blocks that a guard was to load cannot be enforced.
type BlockError struct {
	Index int // of the block
	Err   error
}

func (e *BlockError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *BlockError) Unwrap() error { return e.Err }

// Deed is what a block stops. Guards may know more of them.
type Deed string

// The deeds.
const (
	DeedNone       Deed = "none"        // nothing: it takes a container out of what holds for those that will begin (Scope.New)
	DeedExecDrift  Deed = "exec-drift"  // executing what was not in the container's image: the upper layer, and memory file systems
	DeedExecBelow  Deed = "exec-below"  // executing a file below a folder
	DeedExecMemory Deed = "exec-memory" // executing what has no name: memfd_create, deleted files
	DeedConnect    Deed = "connect"     // connecting or sending to an address
	DeedMine       Deed = "mine"        // sending stratum, the protocol of mining pools, in plain text
)

// Scope is for whom a block holds: the processes of one cgroup and of all below it. That of the root is the
// whole node; that of an engine ("/docker", "/kubepods.slice") is all its containers, from their first instruction.
type Scope struct {
	Path   string // in the unified hierarchy, or in any where deeds of executing are concerned: "/docker/<id>"
	Cgroup uint64 // its id in the unified hierarchy; 0: whichever has the path
	// New is in the place of all others: every container that begins from now on, from before its first process, until a
	// block of its own, or one of DeedNone, says what holds for it instead.
	New bool
	PID int // of a process whose files those of the scope are; 0: those of the node
}

// Destination is where a connection goes.
type Destination struct {
	Net   netip.Prefix
	Ports [2]uint16 // first and last; both 0: all
	Proto uint8     // IPPROTO_TCP, IPPROTO_UDP, ...; 0: all
}

// Decision is one attempt that a guard stopped, or had to let pass.
type Decision struct {
	Time   int64 // nanoseconds since 1970, by the node's clock
	Rule   string
	Deed   Deed
	Act    Act
	PID    int    // in the node's own pid namespace; 0: not known
	Start  int64  // of the process, as Process.Start has it, perhaps rounded down to 10 ms; 0: not known
	Name   string // comm
	Cgroup uint64 // in the unified hierarchy; 0: not known
	Path   string // of deeds of executing: the file
	Remote netip.AddrPort
	Proto  uint8
}

// Act is what a guard did.
type Act uint8

// The acts.
const (
	Denied Act = iota // the call returned EPERM
	Killed            // before its first own instruction
	Cut               // the packet was dropped
	Passed            // it could not decide in time, and let it pass
)

// String says what was done.
func (a Act) String() string {
	return [...]string{"denied", "killed", "cut", "let pass"}[min(a, Passed)]
}
