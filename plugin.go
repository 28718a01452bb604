package bulwark

import (
	"context"
	"io"
)

// Info describes a plugin.
type Info struct {
	Name    string // its folder: "extract/dpkg"
	Summary string // one sentence for people
	// Version changes whenever the plugin gives other facts for the same bytes; it is
	// part of what names a cached layer.
	Version int
	Needs   Needs
	// Project is true for a plugin that judges the files of a project: it is not asked
	// about images and whole systems, which hold other people's.
	Project bool
	// Past is true for an inspector that is asked also about versions of files that are no
	// longer there ([Target.Past]): what it finds stays a problem when the file is gone.
	Past bool
}

// Needs is what a plugin cannot work without.
type Needs struct {
	Network bool
	Root    bool
	Linux   bool
}

// Plugin is anything that can be listed and explained.
type Plugin interface {
	Info() Info
}

// Source opens what a reference names.
type Source interface {
	// Open reads what it needs to list layers, but no layer. It returns an error
	// wrapping ErrNotFound if there is no such thing, ErrUnavailable if it cannot be
	// reached, ErrUntrusted, ErrMalformed, ErrUnsupported or ErrLimit. The caller
	// calls the target's Close.
	Open(ctx context.Context, ref string) (*Target, error)
}

// Facts is what a plugin learned from one file. A plugin leaves out what the engine
// knows: Asset, Layer, FromBase, OwnedBy, and Path where it is the file itself. A
// thing inside an archive has a path with "!": "app/x.war!WEB-INF/lib/y.jar".
type Facts struct {
	Packages     []Package
	Findings     []Finding
	Owned        []Owned
	Release      *Release
	Repositories []Repository
	Licensed     []Licensed
	Documents    []Document
	Recorded     []Recorded
	Executables  []Executable
}

// Extractor turns a file into facts about its layer. It is used by several
// goroutines at once.
type Extractor interface {
	Plugin
	// Wants is pure and cheap: it looks at the file's description alone.
	Wants(*FileInfo) bool
	// Extract may return facts along with an error (wrapping ErrMalformed or
	// ErrLimit): what was read before it went wrong. It keeps nothing of the file.
	Extract(context.Context, *File) (Facts, error)
}

// Inspector is pushed the bytes of files as they stream by, so that files of any
// size cost bounded memory. It is used by several goroutines at once.
type Inspector interface {
	Plugin
	// Begin returns nil when the file is of no interest.
	Begin(*FileInfo) Sink
}

// Sink takes one file. The engine calls Write with consecutive pieces, then Close,
// from one goroutine.
type Sink interface {
	// Write returns ErrSkip when no more bytes are needed; Close is still called.
	io.Writer
	// Close may return facts along with an error, as Extract does. When the file could
	// not be read to its end, the engine drops the sink without calling Close.
	Close() (Facts, error)
}

// Resolver settles what needs the whole image, after the layers are merged: it
// changes the inventory in place (an extractor may implement it too).
type Resolver interface {
	Plugin
	Resolve(context.Context, *Inventory) error
}

// Check reasons about a target and its inventory.
type Check interface {
	Plugin
	// Check emits findings and notes, and assets that are parts of the target and have
	// findings of their own; the engine fills in Asset where it is empty. An
	// error becomes a note and makes the run incomplete; what was emitted stays.
	Check(ctx context.Context, t *Target, inv *Inventory, emit func(Record)) error
}

// Advisor says what to do first about the findings of one target.
type Advisor interface {
	Plugin
	Advise(ctx context.Context, t *Target, inv *Inventory, findings []Finding) ([]Advice, error)
}

// Policy decides which findings do not count.
type Policy interface {
	// Apply sets Exception where the policy covers the finding.
	Apply(*Asset, *Finding)
}

// TargetPolicy is a policy that decides by what it sees of a target: by labels of its
// objects, or by what the target itself says.
type TargetPolicy interface {
	Policy
	// For gives the policy for the findings of one target, and what there is to tell of it.
	For(context.Context, *Target) (Policy, []Note)
}
