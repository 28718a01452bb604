package container

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"bulwark"
)

// controllers are the older hierarchies in which a container's cgroup is looked for, in this order, where there is no unified one.
var controllers = []string{"memory", "pids", "cpu,cpuacct", "cpu", "devices", "systemd"}

const deepest = 32 // folders below each other

// hierarchy is the folder of the cgroups that the kernel's events name: the unified one where there is one.
func (f *Finder) hierarchy() string {
	base := f.at("/sys/fs/cgroup")
	for _, at := range []string{"", "unified"} {
		if exists(filepath.Join(base, at, "cgroup.controllers")) {
			return filepath.Join(base, at)
		}
	}
	for _, c := range controllers {
		if exists(filepath.Join(base, c, "cgroup.procs")) {
			return filepath.Join(base, c)
		}
	}
	return ""
}

// Walk takes all cgroups that are there. The error wraps ErrUnavailable where there are none.
// Call it once [Finder.Made] is told of all that come, so that none is missed.
func (f *Finder) Walk(ctx context.Context) error {
	root := f.hierarchy()
	if root == "" {
		return fmt.Errorf("no cgroups are mounted at %s: %w", f.at("/sys/fs/cgroup"), bulwark.ErrUnavailable)
	}
	seen := 0
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || !d.IsDir():
			return nil // it was removed just now, or is a file of the kernel's
		case strings.Count(file[len(root):], "/") > deepest:
			return fs.SkipDir
		}
		if seen++; seen > f.o.Max {
			return fmt.Errorf("more than %d cgroups: %w", f.o.Max, bulwark.ErrLimit)
		}
		st, err := d.Info()
		if err != nil {
			return nil
		}
		if id, ok := inode(st); ok {
			path := filepath.Clean("/" + filepath.ToSlash(file[len(root):]))
			f.Made(id, path, nil)
		}
		return nil
	})
}

// pathOf is the cgroup of a process, of those that it has: the one that tells a container, the unified one first.
func (f *Finder) pathOf(pid int) string {
	b, err := read(f.at("/proc", strconv.Itoa(pid), "cgroup"), 1<<16)
	if err != nil {
		return ""
	}
	best := ""
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		number, rest, _ := strings.Cut(lines.Text(), ":")
		_, path, _ := strings.Cut(rest, ":")
		if path, _ = strings.CutSuffix(path, " (deleted)"); path == "" || len(path) > 4096 {
			continue
		}
		if number == "0" && identify(path).id != "" {
			return path
		}
		if best == "" || identify(best).id == "" && (number == "0" || identify(path).id != "") {
			best = path
		}
	}
	return best
}
