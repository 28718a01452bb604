//go:build linux && (amd64 || arm64)

package guard

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The first pid namespace has this inode on every kernel.
const firstPIDNamespace = "pid:[4026531836]"

// node is the machine as the guard sees it.
type node struct {
	unified string // where the unified hierarchy is mounted; "": nowhere
	mounts  string // id of the mount namespace of this process, as /proc writes it
	pidsWhy string // why pids mean nothing here; "": they do
	execWhy string // why fanotify gives no permission events
}

func look() *node {
	n := &node{}
	n.mounts, _ = os.Readlink("/proc/self/ns/mnt")
	if ns, err := os.Readlink("/proc/self/ns/pid"); err != nil || ns != firstPIDNamespace {
		n.pidsWhy = "bulwark has to run in the node's own pid namespace"
	}
	for _, m := range mountsOf("self") {
		if m.Type == "cgroup2" && m.Root == "/" {
			n.unified = m.Point
			break
		}
	}
	n.execWhy = whyNoPermissionEvents()
	return n
}

func whyNoPermissionEvents() string {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err != nil {
		return "fanotify_init: " + reason(err, unix.EPERM, "needs CAP_SYS_ADMIN")
	}
	defer unix.Close(fd)
	err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, "/proc/self/exe")
	if err != nil {
		return "fanotify_mark: " + reason(err, unix.EINVAL, "needs Linux 5.0 with CONFIG_FANOTIFY_ACCESS_PERMISSIONS")
	}
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return "statx: telling mounts apart needs Linux 5.8"
	}
	return ""
}

func reason(err, known error, text string) string {
	if errors.Is(err, known) {
		return text
	}
	return err.Error()
}

// without says why a hook cannot be had, whatever the programs say: one of BPF LSM can be attached where
// nobody asks it.
func (n *node) without(k hookKind) string {
	if k != hookDeny {
		return ""
	}
	b, err := os.ReadFile("/sys/kernel/security/lsm")
	if err != nil {
		return "whether BPF LSM is on cannot be told: " + err.Error()
	}
	if !slices.Contains(strings.Split(strings.TrimSpace(string(b)), ","), "bpf") {
		return "BPF LSM is off (boot with lsm=...,bpf)"
	}
	return ""
}

// cgroup is the folder and the id of a cgroup; ok is false when it has gone.
func (n *node) cgroup(path string) (dir string, id uint64, ok bool) {
	dir = filepath.Join(n.unified, filepath.Clean("/"+path))
	var st unix.Stat_t
	if n.unified == "" || unix.Stat(dir, &st) != nil {
		return dir, 0, false
	}
	return dir, st.Ino, true
}

// inScope tells whether a process is in the cgroup with the path, or below, in any hierarchy.
func inScope(pid, path string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) == 3 && below(parts[2], path) {
			return true
		}
	}
	return false
}

// below tells whether path is folder, or in it.
func below(path, folder string) bool {
	folder = strings.TrimSuffix(folder, "/")
	rest, ok := strings.CutPrefix(path, folder)
	return ok && (rest == "" || rest[0] == '/')
}
