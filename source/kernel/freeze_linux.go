//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// freeze takes from everybody, this process too, the right to change what the programs were told to look for. Who gets
// hold of such a map can read it, and no more.
func (r *run) freeze() error {
	for _, name := range []string{"calls", "heads", "firsts", "seconds", "tails", "paths", "ends", "ports", "nets"} {
		m := r.programs.Maps[name]
		if m == nil {
			continue
		}
		if err := m.Freeze(); err != nil && !errors.Is(err, ebpf.ErrNotSupported) {
			return fmt.Errorf("freezing what is looked for (%s): %w", name, err)
		}
	}
	return nil
}
