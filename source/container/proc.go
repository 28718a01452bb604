package container

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bulwark/internal/mountinfo"
)

// number reads a file that holds a positive number; 0: it does not.
func number(path string) int {
	b, err := read(path, 64)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// proc takes what the container's first process tells: where its writes go, and which of the node's namespaces it has.
func (r *reading) proc() {
	c := &r.c
	if c.PID == 0 || !r.member(c.PID) {
		c.PID = r.first()
	}
	if c.PID == 0 {
		return
	}
	if c.Upper == "" {
		c.Upper = r.upper(c.PID)
	}
	if r.joined && r.f.namespace(strconv.Itoa(c.PID), "mnt") != r.f.namespace("1", "mnt") {
		host, own := r.f.namespace("1", "net"), r.f.namespace(strconv.Itoa(c.PID), "net")
		if host != "" && own != "" { // who may not look takes what files tell
			c.HostNetwork = host == own
		}
	}
}

// namespace is what a process's namespace is called; "": it cannot be read.
func (f *Finder) namespace(pid, kind string) string {
	s, _ := os.Readlink(f.at("/proc", pid, "ns", kind))
	return s
}

// member tells whether a process is one of the container's: ids of processes come again.
func (r *reading) member(pid int) bool {
	return strings.Contains(r.f.pathOf(pid), r.it.path)
}

// first is the first process of the container's cgroup that is not its runtime's own.
func (r *reading) first() int {
	dir := r.f.hierarchy()
	if dir == "" || r.it.path == "" {
		return 0
	}
	for _, name := range []string{"", "init", "container", "init.scope"} {
		b, err := read(filepath.Join(dir, r.it.path, name, "cgroup.procs"), 1<<16)
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if pid, err := strconv.Atoi(line); err == nil && pid > 0 {
			return pid
		}
	}
	return 0
}

// upper is the folder that an overlay's writes go to: that of the root of the process, or while its runtime has not
// gone there yet, that of the container's root as it was told.
func (r *reading) upper(pid int) string {
	list, _ := mountinfo.ReadFile(r.f.at("/proc", strconv.Itoa(pid), "mountinfo"))
	for _, m := range list {
		if upper := m.Upper(); upper != "" && (m.Point == "/" || r.root != "" && m.Point == r.root) {
			return clip(upper)
		}
	}
	return ""
}

// shim finds the bundle by the process that watches the container: a shim of containerd stands in it, and conmon
// has it in its arguments.
func (r *reading) shim() string {
	if !isID(r.c.ID) {
		return ""
	}
	pid := r.first()
	for range 3 { // the process itself while it is its runtime, that runtime, its parent
		if pid = r.f.parent(pid); pid <= 1 {
			return ""
		}
		b, err := read(r.f.at("/proc", strconv.Itoa(pid), "cmdline"), 1<<16)
		if err != nil {
			return ""
		}
		args := strings.Split(string(b), "\x00")
		bundle := ""
		switch name := filepath.Base(args[0]); {
		case strings.HasPrefix(name, shims):
			if at, err := os.Readlink(r.f.at("/proc", strconv.Itoa(pid), "cwd")); err == nil {
				bundle = filepath.Join(filepath.Dir(at), r.c.ID) // it stands in the pod's first, and watches all of the pod
			}
			r.it.address = after(args, "-address")
			r.inNamespace(after(args, "-namespace"))
		case name == "conmon":
			bundle = after(args, "-b")
		default:
			_, bundle = created(args)
		}
		if strings.Contains(bundle, "/"+r.c.ID) && filepath.IsAbs(bundle) {
			return r.f.at(bundle)
		}
	}
	return ""
}

func after(args []string, flag string) string {
	for i, a := range args {
		if a == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// parent is the parent of a process; 0: it is not known.
func (f *Finder) parent(pid int) int {
	if pid == 0 {
		return 0
	}
	b, err := read(f.at("/proc", strconv.Itoa(pid), "stat"), 4096)
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(fields[1])
	return n
}
