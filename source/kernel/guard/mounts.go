//go:build linux && (amd64 || arm64)

package guard

import "bulwark/internal/mountinfo"

// mountsOf are the mounts that a process sees, the first of very many; none when it has gone.
func mountsOf(pid string) []mountinfo.Mount {
	list, _ := mountinfo.ReadFile("/proc/" + pid + "/mountinfo")
	return list
}

// holding is the mount that a path is in: the last of those with the longest mount point.
func holding(list []mountinfo.Mount, path string) (best mountinfo.Mount, ok bool) {
	for _, m := range list {
		if below(path, m.Point) && (!ok || len(m.Point) >= len(best.Point)) {
			best, ok = m, true
		}
	}
	return best, ok
}
