//go:build !linux || !(amd64 || arm64)

package guard

import (
	"fmt"
	"runtime"

	"bulwark"
)

// Guard stops nothing here.
type Guard struct{}

// New returns a guard that has no abilities on this kind of machine.
func New(func(bulwark.Decision)) *Guard { return &Guard{} }

// Abilities says that there are none.
func (*Guard) Abilities() []bulwark.Ability {
	return []bulwark.Ability{{Name: "stop", By: "hooks of Linux", Why: "this is " + runtime.GOOS + "/" + runtime.GOARCH}}
}

// Load refuses every block.
func (*Guard) Load(blocks []bulwark.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	return fmt.Errorf("stopping on %s/%s: %w", runtime.GOOS, runtime.GOARCH, bulwark.ErrUnsupported)
}

// Close does nothing.
func (*Guard) Close() error { return nil }

// Counts has nothing to count.
func (*Guard) Counts() []bulwark.Count { return nil }
