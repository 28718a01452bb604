//go:build linux && (amd64 || arm64)

package guard

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/mountinfo"
)

// verdict is why a file must not be executed; no rule: it may.
type verdict struct {
	rule, path, name string
	deed             bulwark.Deed
	cgroup           uint64
}

// judge looks at the open file itself: it is what will be executed, whatever its path is by then.
func (w *watcher) judge(pid, fd int) verdict {
	process := strconv.Itoa(pid)
	m, ok := w.mountOf(process, fd)
	if !ok {
		return verdict{}
	}
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return verdict{}
	}
	var onNode, asked bool
	for _, s := range w.scopes {
		if !s.devices[m.Device] {
			continue
		}
		rule, deed := s.stops(m, path, fd)
		if rule == "" {
			continue
		}
		if !asked {
			ns, _ := os.Readlink("/proc/" + process + "/ns/mnt")
			onNode, asked = ns == w.node.mounts, true
		}
		// A process that went to another cgroup still executes its container's files.
		if inScope(process, s.path) || s.pid != 0 && !onNode && s.owns(m) {
			_, id, _ := w.node.cgroup(s.path)
			return verdict{rule: rule, deed: deed, path: path, cgroup: id}
		}
	}
	return verdict{}
}

// owns tells whether nobody else has the file system.
func (s *watched) owns(m mountinfo.Mount) bool { return m.Device == s.root && s.upper != "" }

// stops says which rule forbids the file.
func (s *watched) stops(m mountinfo.Mount, path string, fd int) (string, bulwark.Deed) {
	if s.drift != "" && s.drifted(m, path, fd) {
		return s.drift, bulwark.DeedExecDrift
	}
	for _, f := range s.below {
		if below(path, f.path) {
			return f.rule, bulwark.DeedExecBelow
		}
	}
	return "", ""
}

func (s *watched) drifted(m mountinfo.Mount, path string, fd int) bool {
	if s.memory[m.Device] {
		return true
	}
	if m.Device != s.root || s.upper == "" {
		return false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Nlink == 0 {
		return true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(m.Point, "/"))
	if !ok {
		return false
	}
	_, err := os.Lstat(filepath.Join(s.upper, m.Root, rest))
	return err == nil
}

// mountOf is the mount through which a file was opened.
func (w *watcher) mountOf(process string, fd int) (mountinfo.Mount, bool) {
	var st unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st) != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return mountinfo.Mount{}, false
	}
	w.mu.Lock()
	m, ok := w.mounts[st.Mnt_id]
	w.mu.Unlock()
	if ok {
		return m, true
	}
	w.learn(mountsOf(process))
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok = w.mounts[st.Mnt_id]
	return m, ok
}

const maxMounts = 1 << 16

func (w *watcher) learn(list []mountinfo.Mount) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mounts) > maxMounts {
		clear(w.mounts)
	}
	for _, m := range list {
		w.mounts[m.ID] = m
	}
}
