//go:build !linux || !(amd64 || arm64)

package kernel

import (
	"context"
	"fmt"

	"bulwark"
)

// Run says that nothing can be seen here.
func (*Sensor) Run(context.Context, bulwark.Interest, func(), func([]bulwark.Event) error) error {
	return fmt.Errorf("seeing what the kernel does needs Linux on amd64 or arm64: %w", bulwark.ErrUnsupported)
}

// Abilities are none.
func (*Sensor) Abilities() []bulwark.Ability { return nil }

var numbers = map[string]uint32{}

// Processes tell which processes there are.
type Processes struct{}

// List says that the kernel does not tell here.
func (*Processes) List() ([]bulwark.Process, error) {
	return nil, fmt.Errorf("listing processes needs Linux on amd64 or arm64: %w", bulwark.ErrUnsupported)
}

// Close does nothing.
func (*Processes) Close() {}
