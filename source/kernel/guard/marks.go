//go:build linux && (amd64 || arm64)

package guard

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"bulwark/internal/mountinfo"
)

// memoryKinds are file systems that are empty when a container begins.
var memoryKinds = map[string]bool{"tmpfs": true, "ramfs": true, "hugetlbfs": true}

// add marks what the scope is asked about.
func (w *watcher) add(f fileScope) error {
	process := "self"
	if f.pid != 0 {
		process = strconv.Itoa(f.pid)
	}
	list := mountsOf(process)
	if len(list) == 0 {
		return nil // it has gone
	}
	s := &watched{fileScope: f, memory: map[string]bool{}, devices: map[string]bool{}}
	if root, ok := holding(list, "/"); ok {
		s.root, s.upper = root.Device, root.Upper()
	}
	root, err := unix.Open("/proc/"+process+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return whenThere(err)
	}
	defer unix.Close(root)
	for _, f := range s.below {
		s.addReal(root, f)
	}
	marks := s.marks(list)
	w.learn(list)
	w.scopes = append(w.scopes, s)
	for _, m := range marks {
		if err := w.mark(root, m, f.pid == 0 || s.owns(m) || s.memory[m.Device]); err != nil {
			return fmt.Errorf("%s: %w", m.Point, err)
		}
	}
	return nil
}

// addReal adds what a folder is called where links on the way to it are followed.
func (s *watched) addReal(root int, f folder) {
	fd, err := unix.Openat2(root, "."+f.path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return
	}
	defer unix.Close(fd)
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err == nil && path != f.path {
		s.below = append(s.below, folder{path, f.rule})
	}
}

// marks are the mounts that hold what the scope must not execute.
func (s *watched) marks(list []mountinfo.Mount) []mountinfo.Mount {
	var marks []mountinfo.Mount
	for i, m := range list {
		if top, _ := holding(list, m.Point); top.ID != m.ID {
			continue // another is mounted on it
		}
		memory := s.pid != 0 && memoryKinds[m.Type]
		if memory {
			s.memory[m.Device] = true
		}
		if s.drift != "" && (memory || m.Point == "/") || s.asksBelow(list, m) {
			s.devices[m.Device] = true
			marks = append(marks, list[i])
		}
	}
	return marks
}

func (s *watched) asksBelow(list []mountinfo.Mount, m mountinfo.Mount) bool {
	for _, f := range s.below {
		if below(m.Point, f.path) {
			return true
		}
		if h, ok := holding(list, f.path); ok && h.ID == m.ID {
			return true
		}
	}
	return false
}

// mark asks for the executions of a whole file system, or only of those through this mount where the node and other
// containers have the file system too. Paths are resolved below the root, whatever their links say.
func (w *watcher) mark(root int, m mountinfo.Mount, whole bool) error {
	fd, err := unix.Openat2(root, cmp.Or(m.Point[1:], "."), &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return whenThere(err)
	}
	defer unix.Close(fd)
	flags := uint(unix.FAN_MARK_ADD | unix.FAN_MARK_MOUNT)
	if whole {
		flags = unix.FAN_MARK_ADD | unix.FAN_MARK_FILESYSTEM
	}
	return whenThere(unix.FanotifyMark(w.fd, flags, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd)))
}

// whenThere is no error for what has gone in between.
func whenThere(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
