//go:build !linux

package response

import (
	"context"
	"fmt"
	"runtime"

	"bulwark"
)

// Responder can do nothing here.
type Responder struct{}

// Victim is a process that was killed.
type Victim struct {
	PID   int
	Start int64
	Name  string
}

const why = "only Linux can"

// Abilities says that there are none.
func (*Responder) Abilities() []bulwark.Ability {
	return []bulwark.Ability{{Name: "freeze", By: "cgroup", Why: why}, {Name: "kill", By: "pidfd", Why: why}}
}

func unable(what string) error {
	return fmt.Errorf("%s on %s: %w", what, runtime.GOOS, bulwark.ErrUnsupported)
}

// Freeze is refused.
func (*Responder) Freeze(context.Context, string) error { return unable("freezing") }

// Thaw is refused.
func (*Responder) Thaw(string) error { return unable("thawing") }

// KillContainer is refused.
func (*Responder) KillContainer(context.Context, string) ([]Victim, error) {
	return nil, unable("killing")
}

// KillTree is refused.
func (*Responder) KillTree(context.Context, int, int64) ([]Victim, error) {
	return nil, unable("killing")
}

// KillWithin is refused.
func (*Responder) KillWithin(context.Context, string, int, int64) ([]Victim, error) {
	return nil, unable("killing")
}

// StopTree is refused.
func (*Responder) StopTree(context.Context, int, int64) ([]Victim, error) {
	return nil, unable("stopping")
}
