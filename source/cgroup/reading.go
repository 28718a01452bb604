package cgroup

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bulwark"
)

// reading is a container with where its figures are and what they were.
type reading struct {
	dirs    map[string]string // of each controller; "": of the unified hierarchy
	process bulwark.Process
	proc    string // folder of the process; "": its network is the node's
	figures figures
}

// figures are as the kernel has them: sums since the container began, and what is now.
type figures struct {
	at                                          int64 // nanoseconds since 1970
	cpu, throttled, read, written, recv, sent   int64
	oom, refused, overflows                     int64
	memory, pids                                int64
	limit, memoryLimit, pidsLimit               int64
	pressureCPU, pressureMemory, pressureInputs int64
}

// find looks where the figures of a container are; nil: it has no process any more.
func (s *Sensor) find(c *bulwark.Container) *reading {
	pid := c.PID
	if pid == 0 {
		pid = s.first(c.Cgroup)
	}
	folder := s.at("/proc/" + strconv.Itoa(pid))
	groups := s.file(folder, "cgroup")
	if pid <= 0 || groups == "" {
		return nil
	}
	r := &reading{dirs: map[string]string{}, process: bulwark.Process{PID: pid}, proc: folder}
	for line := range strings.Lines(groups) {
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		names, path, _ := strings.Cut(rest, ":")
		path = within(path, c)
		if path == "" {
			continue // another process has that number
		}
		if number == "0" {
			r.unified(s, path)
			continue
		}
		for name := range strings.SplitSeq(names, ",") {
			if dir := s.at("/sys/fs/cgroup/" + name + path); exists(dir) {
				r.dirs[name] = dir
			}
		}
	}
	for _, name := range []string{"", "memory", "pids", "cpu", "devices"} {
		if dir := r.dirs[name]; dir != "" && r.process.Cgroup == 0 {
			r.process.Cgroup = inode(dir)
		}
	}
	if len(r.dirs) == 0 {
		return nil
	}
	if link(folder+"/ns/net") == s.own {
		r.proc = ""
	}
	r.process.UID = uint32(number(field(s.file(folder, "status"), "Uid:", 2)))
	return r
}

func (r *reading) unified(s *Sensor, path string) {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if dir := s.at(root + path); exists(filepath.Join(dir, "cgroup.procs")) {
			r.dirs[""] = dir
			return
		}
	}
}

// within is the cgroup of the container that the cgroup of its process is in, itself perhaps.
func within(path string, c *bulwark.Container) string {
	if c.Cgroup != "" && (path == c.Cgroup || strings.HasPrefix(path, c.Cgroup+"/")) {
		return c.Cgroup
	}
	i := strings.Index(path, c.ID)
	if i < 0 {
		return ""
	}
	end := strings.IndexByte(path[i:], '/')
	if end < 0 {
		return path
	}
	return path[:i+end]
}

// first is a process of a cgroup; 0: it has none.
func (s *Sensor) first(path string) int {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"} {
		line, _, _ := strings.Cut(s.file(s.at(root+path), "cgroup.procs"), "\n")
		if pid := number(line); path != "" && pid > 0 {
			return int(pid)
		}
	}
	return 0
}

// there tells whether the container is still where it was. Its process may be another one.
func (r *reading) there(s *Sensor) bool {
	return exists(s.at("/proc/"+strconv.Itoa(r.process.PID))) && exists(r.any())
}

func (r *reading) any() string {
	for _, dir := range r.dirs {
		return dir
	}
	return ""
}

// take reads the figures of now. Limits are read every minute.
func (r *reading) take(s *Sensor, now time.Time) {
	old := r.figures
	f := figures{at: now.UnixNano(), limit: old.limit, memoryLimit: old.memoryLimit, pidsLimit: old.pidsLimit, throttled: -1, cpu: -1, memory: -1, pids: -1, read: -1, written: -1, recv: -1, sent: -1, oom: -1, refused: -1, overflows: -1}
	fresh := old.at == 0 || s.round%6 == 0
	r.processors(s, &f, fresh)
	r.memories(s, &f, fresh)
	r.disks(s, &f)
	r.processes(s, &f, fresh)
	r.network(s, &f)
	r.pressures(s, &f)
	r.figures = f
}

// event tells what the container took since an earlier reading.
func (r *reading) event(before *figures) bulwark.Event {
	f, b := &r.figures, before
	args := make([]bulwark.Arg, len(bulwark.KindUsage.Params()))
	for i, n := range []int64{
		f.at - b.at, since(b.cpu, f.cpu), f.limit, since(b.throttled, f.throttled), f.memory, f.memoryLimit, since(b.read, f.read), since(b.written, f.written), since(b.recv, f.recv), since(b.sent, f.sent),
		f.pids, f.pidsLimit, f.pressureCPU, f.pressureMemory, f.pressureInputs, since(b.oom, f.oom), since(b.refused, f.refused), since(b.overflows, f.overflows),
	} {
		args[i].Num = n
	}
	p := r.process
	return bulwark.Event{Time: f.at, Source: bulwark.SourceSyscall, Kind: bulwark.KindUsage, FD: bulwark.FD{Num: -1}, TID: p.PID, Process: &p, Args: args}
}

// since is by how much a sum grew; -1 where it is not known.
func since(before, now int64) int64 {
	if before < 0 || now < 0 {
		return -1
	}
	return max(now-before, 0)
}

// whole is how many nanoseconds of processors there are in a second.
func whole() int64 { return int64(runtime.NumCPU()) * 1e9 }
