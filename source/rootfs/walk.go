package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

// maxDepth bounds how deep folders lie in each other; each level keeps one open.
const maxDepth = 200

// tree walks a folder. It goes from one open folder to the next and never resolves a
// path or a link, so nothing leads it out, whatever is moved about meanwhile.
type tree struct {
	dir  string
	skip skips
}

var _ bulwark.Tree = (*tree)(nil)

// Walk visits folders before what is in them, all in the order of their names. What
// vanishes meanwhile is left out; what cannot be read is an entry with Err. Sockets,
// pipes and devices are left out.
func (t *tree) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	w := &walker{ctx: ctx, skip: t.skip, visit: visit}
	fd, err := unix.Open(t.dir, folderFlags&^unix.O_NOFOLLOW, 0)
	if err != nil {
		return w.unreadable("", err)
	}
	return w.folder(fd, "", 0)
}

const folderFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

type walker struct {
	ctx   context.Context
	skip  skips
	visit func(*bulwark.Entry) error
	entry bulwark.Entry // the one that is visited
	stat  unix.Stat_t
	body  body
	names [32 << 10]byte // buffer of list
}

// folder visits what is in an open folder, whose path is empty for the walk's root, and
// closes it.
func (w *walker) folder(fd int, dir string, depth int) error {
	defer unix.Close(fd)
	names, err := w.list(fd)
	if err != nil {
		if err := w.unreadable(dir, err); err != nil {
			return err
		}
	}
	slices.Sort(names)
	if dir != "" {
		dir += "/"
	}
	for _, name := range names {
		if err := w.one(fd, name, dir+name, depth); err != nil {
			return err
		}
	}
	return nil
}

// list gives the names of what is in a folder, sorted.
func (w *walker) list(fd int) (names []string, err error) {
	for {
		n, err := unix.ReadDirent(fd, w.names[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			slices.Sort(names)
			return names, err
		}
		_, _, names = unix.ParseDirent(w.names[:n], -1, names)
	}
}

// one visits an entry, and what is in it.
func (w *walker) one(dir int, name, p string, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	if w.skip.base[name] || w.skip.path[p] {
		return nil
	}
	if err := unix.Fstatat(dir, name, &w.stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return w.unreadable(p, err)
	}
	w.describe(name, p)
	switch w.entry.Mode.Type() {
	case 0:
		w.body = body{dir: dir, name: name, size: w.entry.Size}
		w.entry.Body, w.entry.At = &w.body, &w.body
		err := w.visit(&w.entry)
		w.body.close()
		return err
	case fs.ModeSymlink:
		link, err := readLink(dir, name)
		if err != nil {
			return w.unreadable(p, err)
		}
		w.entry.Link = link
		return w.visit(&w.entry)
	case fs.ModeDir:
		if err := w.visit(&w.entry); err != nil {
			return err
		}
		return w.enter(dir, name, p, depth)
	}
	return nil
}

func (w *walker) enter(dir int, name, p string, depth int) error {
	if depth >= maxDepth {
		return w.unreadable(p, fmt.Errorf("folders more than %d deep: %w", maxDepth, bulwark.ErrLimit))
	}
	fd, err := unix.Openat(dir, name, folderFlags, 0)
	if err != nil {
		return w.unreadable(p, err)
	}
	return w.folder(fd, p, depth+1)
}

func readLink(dir int, name string) (string, error) {
	var buf [4096]byte // the longest there can be
	n, err := unix.Readlinkat(dir, name, buf[:])
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// describe fills in the entry from w.stat.
func (w *walker) describe(name, p string) {
	w.entry = bulwark.Entry{FileInfo: bulwark.FileInfo{
		Path: p, Base: name, Mode: mode(uint32(w.stat.Mode)), UID: int(w.stat.Uid), GID: int(w.stat.Gid),
		ModTime: time.Unix(w.stat.Mtim.Unix()),
	}}
	if w.entry.Mode.IsRegular() {
		w.entry.Size = w.stat.Size
	}
}

// mode turns the kernel's mode into Go's. What is no file, folder or link is a device.
func mode(m uint32) fs.FileMode {
	out := fs.FileMode(m & 0o777)
	switch m & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		out |= fs.ModeDir
	case unix.S_IFLNK:
		out |= fs.ModeSymlink
	default:
		out |= fs.ModeDevice
	}
	if m&unix.S_ISUID != 0 {
		out |= fs.ModeSetuid
	}
	if m&unix.S_ISGID != 0 {
		out |= fs.ModeSetgid
	}
	if m&unix.S_ISVTX != 0 {
		out |= fs.ModeSticky
	}
	return out
}

// unreadable passes on why something could not be read, unless it is just gone.
func (w *walker) unreadable(p string, err error) error {
	if errors.Is(err, fs.ErrNotExist) && p != "" {
		return nil
	}
	if p == "" {
		p = "."
	}
	if !errors.Is(err, bulwark.ErrLimit) {
		err = fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
	}
	w.entry = bulwark.Entry{Err: err}
	w.entry.SetPath(p)
	return w.visit(&w.entry)
}
