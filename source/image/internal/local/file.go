// Package local opens files of this machine that hold images.
package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"bulwark"
)

// File is an open regular file that may be asked whether it was written to since.
type File struct {
	*os.File
	was string
}

// Open opens a file in root, or anywhere when root is nil. What is no regular file is an
// error wrapping ErrUnsupported: a pipe would block, a device never ends.
func Open(root *os.Root, name string) (*File, int64, error) {
	f, err := open(root, name)
	if err != nil {
		return nil, 0, Named(err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", name, bulwark.ErrUnsupported)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return New(f), st.Size(), nil
}

// New remembers what the file is now.
func New(f *os.File) *File { return &File{f, identity(f)} }

// Identity names the bytes that the file had when it was opened: whoever writes to it
// changes its times. It is empty when the system does not tell.
func (f *File) Identity() string { return f.was }

// Unchanged fails with ErrUntrusted when the file has been written to since.
func (f *File) Unchanged() error {
	if identity(f.File) != f.was {
		return fmt.Errorf("%s was changed while it was read: %w", f.Name(), bulwark.ErrUntrusted)
	}
	return nil
}

func open(root *os.Root, name string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	if root == nil {
		return os.OpenFile(name, flags, 0)
	}
	return root.OpenFile(name, flags, 0)
}

// Named wraps the errors of the file system in ours.
func Named(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", bulwark.ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
	case !errors.As(err, new(syscall.Errno)):
		// os.Root has refused to follow a link out of the folder.
		return fmt.Errorf("%w: %w", bulwark.ErrUntrusted, err)
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
}
