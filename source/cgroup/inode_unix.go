//go:build unix

package cgroup

import (
	"os"
	"syscall"
)

// inode is the number of a folder, by which events name a cgroup; 0: it is gone.
func inode(dir string) uint64 {
	st, err := os.Stat(dir)
	if err != nil {
		return 0
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return sys.Ino
	}
	return 0
}
