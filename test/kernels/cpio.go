// Package kernels runs tests of what asks the kernel on kernels that the machine does not run: Debian's, in
// virtual machines without hardware support.
package kernels

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// archive writes a cpio archive of the "new" format, which the kernel unpacks as its first file system
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	w     io.Writer
	at    int64
	inode int
	err   error
}

// add adds an entry: a file with its content, a folder, or a link with its target as the content.
func (a *archive) add(name string, mode fs.FileMode, data []byte) {
	bits := uint32(mode.Perm())
	switch mode.Type() {
	case fs.ModeDir:
		bits |= 0o040000
	case fs.ModeSymlink:
		bits |= 0o120000
	default:
		bits |= 0o100000
	}
	a.inode++
	a.put([]byte("070701"))
	for _, field := range []uint32{uint32(a.inode), bits, 0, 0, 1, 0, uint32(len(data)), 0, 0, 0, 0, uint32(len(name) + 1), 0} {
		a.put(fmt.Appendf(nil, "%08X", field))
	}
	a.put(append([]byte(name), 0))
	a.pad()
	a.put(data)
	a.pad()
}

// close ends the archive.
func (a *archive) close() error {
	a.add("TRAILER!!!", 0, nil)
	return a.err
}

func (a *archive) put(b []byte) {
	if a.err != nil {
		return
	}
	n, err := a.w.Write(b)
	a.at, a.err = a.at+int64(n), err
}

func (a *archive) pad() { a.put([]byte(strings.Repeat("\x00", int((4-a.at%4)%4)))) }
