//go:build linux

package response

import (
	"os"

	"golang.org/x/sys/unix"

	"bulwark"
)

// Responder freezes and kills. Its zero value works.
type Responder struct{}

// Abilities are what it can do on this machine.
func (r *Responder) Abilities() []bulwark.Ability {
	freeze := ""
	if os.Getuid() != 0 {
		freeze = "needs root"
	} else if len(r.roots()) == 0 {
		freeze = "there is neither cgroup v2 nor the freezer of v1"
	}
	kill := ""
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err != nil {
		kill = "needs Linux 5.3 (pidfd_open: " + err.Error() + ")"
	} else {
		unix.Close(fd)
	}
	by := "freezer of cgroup v1"
	for _, g := range r.roots() {
		if g.unified {
			by = "cgroup.freeze"
		}
	}
	return []bulwark.Ability{{Name: "freeze", By: by, Why: freeze}, {Name: "kill", By: "pidfd", Why: kill}}
}
