package limit

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"bulwark"
)

// Open opens a regular file below root, which a name with slashes leads to. A pipe that
// nobody writes to is not waited for: what is no regular file is an error that wraps
// ErrUnsupported.
func Open(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", name, bulwark.ErrUnsupported)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
