// Package mxcsr has tests round numbers as miners of RandomX do: by the register of that name.
package mxcsr

import (
	"runtime"
	"time"
)

// How numbers are rounded, by the bits that say so.
const (
	Nearest = 0
	Up      = 0x4000
	Bits    = 0x6000
)

// usual are the register's other bits: all exceptions are masked.
const usual = 0x1f80

// Round sleeps that often, for a millisecond each, while numbers are rounded so. ok is false where there is no such register.
func Round(to uint32, times int) (ok bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer set(usual)
	for range times {
		set(usual | to)
		time.Sleep(time.Millisecond)
	}
	return true
}

func set(to uint32)
