//go:build !amd64

// Package mxcsr has tests round numbers as miners of RandomX do, where there is such a register.
package mxcsr

// How numbers are rounded, by the bits that say so.
const (
	Nearest = 0
	Up      = 0x4000
	Bits    = 0x6000
)

// Round does nothing: there is no such register.
func Round(uint32, int) (ok bool) { return false }
