package bulwark

import (
	"context"
	"net/netip"
	"time"
)

// Interest is what a detector has to see: of each kind, the events that meet any of its conditions. A sensor
// may give more, never less.
type Interest map[Kind][]Where

// Where is met when all that it says is met; the zero Where always is. It is over facts that the kernel has at
// hand, and has no negation but of what is two-valued.
type Where struct {
	Container Tri // the thread is in a container
	Failed    Tri // the call failed
	// Paths: the path of what the call opened, or where that is not known of its FD or a path argument as it was given,
	// meets any of them; none: whatever it is.
	Paths []PathMatch
	// AsGiven: the argument counts also where it is known what was opened.
	AsGiven bool
	// Climbs: a path argument as it was given has "../" in it.
	Climbs bool
	// Flags: of the argument with that index, any of the bits is set.
	Flags []FlagMatch
	Ports []uint16       // the remote port is one of them; none: whatever it is
	Nets  []netip.Prefix // the remote address is in one of them; none: wherever
	Write Tri            // an open for writing

	// Of payloads: the local or the remote port is one of EitherPort; the first byte is one of First; none: whatever it is.
	EitherPort []uint16
	First      []byte
}

// Tri is a question that may be open.
type Tri uint8

// The answers.
const (
	Either Tri = iota
	Yes
	No
)

// PathMatch is met by a path that has the text where By says.
type PathMatch struct {
	By   PathBy
	Text string
}

// PathBy is where a text stands in a path.
type PathBy uint8

// The places.
const (
	PathIs PathBy = iota
	PathBegins
	PathEnds
	PathHas // anywhere
)

// FlagMatch is met when any of the bits of an argument is set.
type FlagMatch struct {
	Param int
	Any   int64
}

// Count is what became of the events of a class. A class is a ring or a queue that fills on its own.
type Count struct {
	Class    string
	Seen     uint64 // by the sensor's programs
	Filtered uint64 // nobody's interest
	Sent     uint64
	Dropped  uint64 // for want of room: events that detectors should have seen
	Held     uint64 // bytes of events that wait to be read
	Room     uint64 // bytes that may wait; 0: the class is not bounded by bytes
}

// Ability is something that a sensor can see or a guard can stop here, or cannot.
type Ability struct {
	Name string // "see file opens", "deny exec"
	By   string // what does it: "tracepoint sys_exit_openat", "fanotify"
	Why  string // why it cannot; "": it can
}

// Sensor gives events.
type Sensor interface {
	Plugin
	// Abilities are what it can see on this machine.
	Abilities() []Ability
	// Run gives what meets the interest until ctx is done, then returns nil; what it took of the kernel is let go of at once or
	// within seconds. ready is
	// called once, when nothing that happens from then on is missed. Events are those of one slice only until emit
	// returns; an error of emit ends the run. It wraps ErrUnsupported or ErrUnavailable where it cannot work.
	Run(ctx context.Context, want Interest, ready func(), emit func([]Event) error) error
	// Counts may be called at any time.
	Counts() []Count
}

// Detector turns events into findings.
type Detector interface {
	Plugin
	// Interest is asked once, before the first event.
	Interest() Interest
	// Observe sees the events of its interest, and perhaps more, one at a time and in their order. What
	// it gives has Kind, Rule, Severity, Title, Evidence and Tags; the engine adds the rest. It
	// keeps nothing of the event.
	Observe(*Event) []Finding
}

// Ticker is a detector that has something to tell when nothing happens.
type Ticker interface {
	// Tick is called once a second or so, with the time.
	Tick(now time.Time) []Finding
}
