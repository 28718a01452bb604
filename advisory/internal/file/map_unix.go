//go:build unix

package file

import (
	"os"
	"syscall"
)

// mapFile maps f read-only. A database is only ever replaced by a rename, which leaves
// the mapped file as it is.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	b, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return b, func() error { return syscall.Munmap(b) }, nil
}
