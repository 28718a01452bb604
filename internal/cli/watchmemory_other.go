//go:build !linux || cgo

package cli

// slim and unpage do nothing here: programs that are linked by cgo have pages of their file that the linker changed when they were loaded.
func slim()   {}
func unpage() {}
