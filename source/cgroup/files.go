package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFile is the most that is read of a file.
const maxFile = 64 << 10

// file reads a file of the kernel; "" where it cannot be read.
func (s *Sensor) file(dir, name string) string {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	if s.buf == nil {
		s.buf = make([]byte, maxFile)
	}
	n := 0
	for n < len(s.buf) {
		m, err := f.Read(s.buf[n:])
		if n += m; err != nil || m == 0 {
			break
		}
	}
	return string(s.buf[:n])
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func link(path string) string { to, _ := os.Readlink(path); return to }

// number reads a number; -1 where there is none, and where there is no limit.
func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > 1<<60 {
		return -1
	}
	return n
}

// field is the n-th word of the line that begins with the name, which is the first one.
func field(text, name string, n int) string {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, name) {
			continue
		}
		if words := strings.Fields(line); len(words) > n && words[0] == name {
			return words[n]
		}
	}
	return ""
}

// sumOf adds up what stands behind a word in all lines: "rbytes=12", or "Read 12".
func sumOf(text, word string) (sum int64) {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return sum
		}
		text = text[i+len(word):]
		end := strings.IndexAny(text, " \n")
		if end < 0 {
			end = len(text)
		}
		if n := number(text[:end]); n > 0 {
			sum += n
		}
	}
}

func times(n, by int64) int64 {
	if n < 0 {
		return n
	}
	return n * by
}

// processors reads cpu.stat and its limits.
func (r *reading) processors(s *Sensor, f *figures, fresh bool) {
	two := r.dirs[""]
	if dir := r.dirs["cpuacct"]; dir != "" {
		f.cpu = number(s.file(dir, "cpuacct.usage"))
	} else if two != "" {
		f.cpu = times(number(field(s.file(two, "cpu.stat"), "usage_usec", 1)), 1000)
	}
	one := r.dirs["cpu"]
	if one != "" {
		f.throttled = number(field(s.file(one, "cpu.stat"), "throttled_time", 1))
	} else if two != "" {
		f.throttled = times(number(field(s.file(two, "cpu.stat"), "throttled_usec", 1)), 1000)
	}
	if !fresh {
		return
	}
	f.limit = whole()
	quota, period := int64(-1), int64(0)
	if one != "" {
		quota, period = number(s.file(one, "cpu.cfs_quota_us")), number(s.file(one, "cpu.cfs_period_us"))
	} else if words := strings.Fields(s.file(two, "cpu.max")); len(words) == 2 {
		quota, period = number(words[0]), number(words[1])
	}
	if quota > 0 && period > 0 {
		f.limit = min(f.limit, quota*1e9/period)
	}
}

func (r *reading) memories(s *Sensor, f *figures, fresh bool) {
	dir, now, most, cache, events := r.dirs["memory"], "memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file", "memory.oom_control"
	if dir == "" {
		dir, now, most, cache, events = r.dirs[""], "memory.current", "memory.max", "inactive_file", "memory.events"
	}
	if dir == "" {
		return
	}
	if f.memory = number(s.file(dir, now)); f.memory > 0 {
		f.memory = max(f.memory-max(number(field(s.file(dir, "memory.stat"), cache, 1)), 0), 0)
	}
	f.oom = number(field(s.file(dir, events), "oom_kill", 1))
	if fresh {
		f.memoryLimit = number(s.file(dir, most))
	}
}

func (r *reading) disks(s *Sensor, f *figures) {
	if dir := r.dirs["blkio"]; dir != "" {
		text := s.file(dir, "blkio.throttle.io_service_bytes")
		f.read, f.written = sumOf(text, " Read "), sumOf(text, " Write ")
	} else if dir := r.dirs[""]; dir != "" {
		text := s.file(dir, "io.stat")
		f.read, f.written = sumOf(text, "rbytes="), sumOf(text, "wbytes=")
	}
}

func (r *reading) processes(s *Sensor, f *figures, fresh bool) {
	dir := r.dirs["pids"]
	if dir == "" {
		dir = r.dirs[""]
	}
	if dir == "" {
		return
	}
	f.pids = number(s.file(dir, "pids.current"))
	f.refused = number(field(s.file(dir, "pids.events"), "max", 1))
	if fresh {
		f.pidsLimit = number(s.file(dir, "pids.max"))
	}
}

// network adds up what all interfaces but the loopback have, and what listeners had no room for.
func (r *reading) network(s *Sensor, f *figures) {
	if r.proc == "" {
		return
	}
	text := s.file(r.proc, "net/dev")
	if text == "" {
		return
	}
	f.recv, f.sent = 0, 0
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		if words := strings.Fields(rest); ok && len(words) > 8 && strings.TrimSpace(name) != "lo" {
			f.recv += max(number(words[0]), 0)
			f.sent += max(number(words[8]), 0)
		}
	}
	f.overflows = overflows(s.file(r.proc, "net/netstat"))
}

// overflows are the connections for which listeners had no room, and those that were answered without a place for them.
func overflows(text string) int64 {
	var names []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "TcpExt:")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		if names == nil {
			names = words
			continue
		}
		sum := int64(0)
		for i, name := range names {
			if i < len(words) && (name == "SyncookiesSent" || name == "TCPReqQFullDrop" || name == "ListenOverflows") {
				sum += max(number(words[i]), 0)
			}
		}
		return sum
	}
	return -1
}

// pressures are hundredths of a percent of the last ten seconds in which somebody waited.
func (r *reading) pressures(s *Sensor, f *figures) {
	for name, to := range map[string]*int64{"cpu": &f.pressureCPU, "memory": &f.pressureMemory, "io": &f.pressureInputs} {
		*to = -1
		_, rest, ok := strings.Cut(s.file(r.dirs[""], name+".pressure"), "some avg10=")
		if end := strings.IndexByte(rest, ' '); ok && end > 0 && r.dirs[""] != "" {
			if share, err := strconv.ParseFloat(rest[:end], 64); err == nil && share >= 0 && share <= 100 {
				*to = int64(share * 100)
			}
		}
	}
}
