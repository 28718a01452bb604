package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"

	"bulwark"
)

// body is the content of a file, which is opened when it is first read. A file that
// has vanished is empty; one that has grown ends where it ended when it was described.
type body struct {
	dir  int // the open folder that it lies in
	name string
	size int64
	at   int64 // where Read goes on
	fd   int
	done bool // it was tried to open it
	open bool // fd is to be closed
	err  error
}

func (b *body) close() {
	if b.open {
		unix.Close(b.fd) // read only: nothing is lost
	}
	*b = body{done: true, err: fs.ErrClosed}
}

// ready opens the file, if it still is one: never a link, nor a pipe that would block.
func (b *body) ready() error {
	if b.done {
		return b.err
	}
	b.done = true
	fd, err := unix.Openat(b.dir, b.name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO):
		b.err = io.EOF
	case err != nil:
		b.err = b.unavailable("open", err)
	default:
		b.fd, b.open = fd, true
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
			b.err = io.EOF
		}
	}
	return b.err
}

func (b *body) unavailable(op string, err error) error {
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, &fs.PathError{Op: op, Path: b.name, Err: err})
}

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadAt(p, b.at)
	b.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// ReadAt reads anywhere in the file.
func (b *body) ReadAt(p []byte, off int64) (n int, err error) {
	if err := b.ready(); err != nil {
		return 0, err
	}
	end := min(max(b.size-off, 0), int64(len(p)))
	for n < int(end) {
		m, err := unix.Pread(b.fd, p[n:end], off+int64(n))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return n, b.unavailable("read", err)
		}
		if m == 0 {
			break
		}
		n += m
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}
