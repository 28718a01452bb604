package action

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bulwark"
)

// settling finds the processes by which the files of containers are found.
type settling struct {
	Hierarchies []string       // where cgroups are; none: where they usually are
	pids        map[string]int // by the container's id
	young       map[string]int // how often a container was looked at that has none yet
}

// mostLooks is how often a container is looked at that has no process, before it is taken for one that ended.
const mostLooks = 500

// settled are the containers with such a process each: not one that still has the files of the node, since its engine
// is not done with it. waiting tells that there are some whose engine is not.
func (s *settling) settled(list []*bulwark.Container) (out []*bulwark.Container, waiting bool) {
	pids, young := make(map[string]int, len(list)), map[string]int{}
	for _, c := range list {
		own := *c
		own.PID = s.pid(c)
		if pids[c.ID] = own.PID; own.PID == 0 && s.young[c.ID] < mostLooks {
			young[c.ID] = s.young[c.ID] + 1
			waiting = true
		} else if own.PID == 0 {
			young[c.ID] = mostLooks
		}
		out = append(out, &own)
	}
	s.pids, s.young = pids, young
	return out, waiting
}

// pid is one that lives in the container; 0: none is there yet, or any more.
func (s *settling) pid(c *bulwark.Container) int {
	known := s.pids[c.ID]
	for _, pid := range s.processes(c.Cgroup) {
		if pid == known {
			return pid // it was looked at
		}
	}
	for _, pid := range s.processes(c.Cgroup) {
		if inside(pid) {
			return pid
		}
	}
	return 0
}

// processes are those of a cgroup, in the first hierarchy that has any.
func (s *settling) processes(cgroup string) (list []int) {
	places := s.Hierarchies
	if places == nil {
		places = []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/systemd"}
	}
	if cgroup == "" {
		return nil
	}
	for _, dir := range places {
		b, _ := os.ReadFile(filepath.Join(dir, cgroup, "cgroup.procs"))
		for word := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
				list = append(list, pid)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// inside tells whether a process has the files of its container, and runs its program.
func inside(pid int) bool {
	process := "/proc/" + strconv.Itoa(pid)
	name, err := os.ReadFile(process + "/comm")
	if err != nil || strings.HasPrefix(string(name), "runc:[") {
		return false
	}
	node, err := os.Stat("/")
	if err != nil {
		return false
	}
	root, err := os.Stat(process + "/root/")
	return err == nil && !os.SameFile(node, root)
}
