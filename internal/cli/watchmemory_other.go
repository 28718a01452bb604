//go:build !linux

package cli

// slim does nothing here.
func slim() {}
