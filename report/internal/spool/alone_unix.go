//go:build unix

package spool

import (
	"os"
	"syscall"
)

// alone fails when another process holds the file.
func alone(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
