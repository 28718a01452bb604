package container

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bulwark"
)

// Usage is what a container took, as its cgroup counts it.
type Usage struct {
	CPU    time.Duration // of all processors together, since it began; negative: not known
	Memory int64         // bytes now; negative: not known
}

// Usage reads what a container takes. ok is false when its cgroup is no more.
func (f *Finder) Usage(c *bulwark.Container) (u Usage, ok bool) {
	u = Usage{CPU: -1, Memory: -1}
	if c.Cgroup == "" || !filepath.IsLocal(strings.TrimPrefix(c.Cgroup, "/")) {
		return u, false
	}
	base := f.at("/sys/fs/cgroup")
	for _, at := range []string{"", "unified"} {
		dir := filepath.Join(base, at, c.Cgroup)
		if !exists(filepath.Join(dir, "cgroup.procs")) {
			continue
		}
		ok = true
		if n, known := counter(filepath.Join(dir, "cpu.stat"), "usage_usec "); known {
			u.CPU = time.Duration(n) * time.Microsecond
		}
		if n, known := counter(filepath.Join(dir, "memory.current"), ""); known {
			u.Memory = n
		}
	}
	for _, at := range []string{"cpuacct", "cpu,cpuacct"} {
		if n, known := counter(filepath.Join(base, at, c.Cgroup, "cpuacct.usage"), ""); known {
			u.CPU, ok = time.Duration(n), true
		}
	}
	if n, known := counter(filepath.Join(base, "memory", c.Cgroup, "memory.usage_in_bytes"), ""); known {
		u.Memory, ok = n, true
	}
	return u, ok
}

// counter reads a number of a file: the one of the line that begins so.
func counter(file, line string) (int64, bool) {
	b, err := read(file, 4096)
	if err != nil {
		return 0, false
	}
	for text := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(text, []byte(line)); ok {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return n, err == nil && n >= 0
		}
	}
	return 0, false
}
