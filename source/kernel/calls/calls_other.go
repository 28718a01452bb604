//go:build !linux || !(amd64 || arm64)

package calls

import (
	"context"
	"fmt"

	"bulwark"
)

// Run says that nothing can be seen here.
func (*Sensor) Run(context.Context, bulwark.Interest, func(), func([]bulwark.Event) error) error {
	return fmt.Errorf("seeing which system calls are made needs Linux on amd64 or arm64: %w", bulwark.ErrUnsupported)
}

// Abilities are none.
func (*Sensor) Abilities() []bulwark.Ability { return nil }

const table = ""
