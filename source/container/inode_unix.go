//go:build unix

package container

import (
	"io/fs"
	"syscall"
)

func inode(st fs.FileInfo) (uint64, bool) {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Ino, true
}
