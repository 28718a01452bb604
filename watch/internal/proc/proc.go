// Package proc reads processes of this node from /proc.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"unique"

	"golang.org/x/sys/unix"

	"bulwark"
)

const (
	ticks  = 100 // a second, on every architecture that Go knows
	most   = 4096
	second = int64(1e9)
)

// FS is a /proc; the zero value is this node's.
type FS struct{ Dir string }

func (f FS) path(pid int, name string) string {
	dir := f.Dir
	if dir == "" {
		dir = "/proc"
	}
	return filepath.Join(dir, strconv.Itoa(pid), name)
}

// PIDs are the processes that there are.
func (f FS) PIDs() ([]int, error) {
	dir := f.Dir
	if dir == "" {
		dir = "/proc"
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	var list []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			list = append(list, pid)
		}
	}
	return list, nil
}

// Stat is the line that the kernel has ready for each process.
type Stat struct {
	PID, PPID, PGID, SID int
	Name                 string
	TTY                  uint32
	Start                int64 // nanoseconds since the node started, as exact as 10 ms
	Zombie               bool
}

// Stat reads the short description of a process.
func (f FS) Stat(pid int) (Stat, error) {
	data, err := read(f.path(pid, "stat"), most)
	if err != nil {
		return Stat{}, err
	}
	return parseStat(data)
}

// parseStat reads the line; the name stands in brackets and may have any bytes.
func parseStat(data []byte) (Stat, error) {
	from, to := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if from < 0 || to < from {
		return Stat{}, fmt.Errorf("stat of a process: %w", bulwark.ErrMalformed)
	}
	rest := strings.Fields(string(data[to+1:]))
	pid, err := strconv.Atoi(strings.TrimSpace(string(data[:from])))
	if err != nil || len(rest) < 20 {
		return Stat{}, fmt.Errorf("stat of a process: %w", bulwark.ErrMalformed)
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(rest[i], 10, 64); return n }
	return Stat{
		PID: pid, Name: unique.Make(string(data[from+1 : to])).Value(), PPID: int(num(1)), PGID: int(num(2)), SID: int(num(3)),
		TTY: uint32(num(4)), Start: num(19) * (second / ticks), Zombie: rest[0] == "Z" || rest[0] == "X",
	}, nil
}

// Process reads all that /proc tells of a process. What it could not read is named by Missing.
func (f FS) Process(pid int) (bulwark.Process, error) {
	st, err := f.Stat(pid)
	if err != nil {
		return bulwark.Process{}, err
	}
	p := bulwark.Process{PID: pid, PPID: st.PPID, PGID: st.PGID, SID: st.SID, VPID: pid, VPGID: st.PGID, VSID: st.SID, Name: st.Name, TTY: st.TTY, Start: st.Start, Before: true}
	f.status(&p)
	f.texts(&p)
	f.program(&p)
	p.Namespaces = f.namespaces(pid)
	p.Cgroup = f.cgroup(pid)
	return p, nil
}

func (f FS) status(p *bulwark.Process) {
	data, err := read(f.path(p.PID, "status"), 16<<10)
	if err != nil {
		p.Missing = "its status could not be read"
		return
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		words := strings.Fields(value)
		if len(words) == 0 {
			continue
		}
		last := words[len(words)-1]
		switch name {
		case "Uid":
			p.UID = number(words, 1)
		case "Gid":
			p.GID = number(words, 1)
		case "NSpid":
			p.VPID = decimal(last)
		case "NSpgid":
			p.VPGID = decimal(last)
		case "NSsid":
			p.VSID = decimal(last)
		case "CapInh":
			p.Inheritable, _ = strconv.ParseUint(last, 16, 64)
		case "CapPrm":
			p.Permitted, _ = strconv.ParseUint(last, 16, 64)
		case "CapEff":
			p.Effective, _ = strconv.ParseUint(last, 16, 64)
		}
	}
}

func number(words []string, i int) uint32 {
	if i >= len(words) {
		return 0
	}
	n, _ := strconv.ParseUint(words[i], 10, 32)
	return uint32(n)
}

func decimal(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func (f FS) texts(p *bulwark.Process) {
	if args := list(f.path(p.PID, "cmdline")); len(args) > 0 {
		p.Exe, p.Args = args[0], args[1:]
	}
	p.Env = list(f.path(p.PID, "environ"))
	p.Login = ^uint32(0)
	if data, err := read(f.path(p.PID, "loginuid"), 32); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 32); err == nil {
			p.Login = uint32(n)
		}
	}
	if cwd, err := os.Readlink(f.path(p.PID, "cwd")); err == nil {
		p.CWD = unique.Make(cwd).Value()
	}
}

// list reads texts that end with zero bytes: 4 KB of them at most.
func list(name string) []string {
	data, err := read(name, most)
	if err != nil || len(data) == 0 {
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
	for i, s := range parts {
		parts[i] = unique.Make(s).Value()
	}
	return parts
}

const deleted = " (deleted)"

func (f FS) program(p *bulwark.Process) {
	name := f.path(p.PID, "exe")
	path, err := os.Readlink(name)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			p.Missing = "its executable could not be read: " + fs.ErrPermission.Error()
		}
		return // a thread of the kernel has none
	}
	p.File.Memory = strings.HasPrefix(path, "/memfd:")
	if strings.HasSuffix(path, deleted) {
		p.File.Deleted, path = true, strings.TrimSuffix(path, deleted)
	}
	p.Path = unique.Make(path).Value()
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		return
	}
	p.File.Inode, p.File.Device = st.Ino, uint64(st.Dev)
	p.File.Changed, p.File.Modified = st.Ctim.Nano(), st.Mtim.Nano()
}

func (f FS) namespaces(pid int) bulwark.Namespaces {
	var n bulwark.Namespaces
	for name, to := range map[string]*uint32{"cgroup": &n.Cgroup, "ipc": &n.IPC, "mnt": &n.Mount, "net": &n.Net, "pid": &n.PID, "user": &n.User, "uts": &n.UTS} {
		link, err := os.Readlink(f.path(pid, "ns/"+name))
		if err != nil {
			continue
		}
		_, id, _ := strings.Cut(strings.TrimSuffix(link, "]"), "[")
		num, _ := strconv.ParseUint(id, 10, 32)
		*to = uint32(num)
	}
	return n
}

// hierarchy is where the unified one is mounted.
var hierarchy = sync.OnceValue(func() string {
	const beside = "/sys/fs/cgroup/unified" // the hierarchies of version 1
	if _, err := os.Stat(beside + "/cgroup.controllers"); err == nil {
		return beside
	}
	return "/sys/fs/cgroup"
})

// cgroup is the id of the process's cgroup in the unified hierarchy: the inode of its folder.
func (f FS) cgroup(pid int) uint64 {
	data, err := read(f.path(pid, "cgroup"), 16<<10)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(filepath.Join(hierarchy(), filepath.Clean("/"+path)), &st) == nil {
			return st.Ino
		}
	}
	return 0
}

// read gives the first bytes of a file.
func read(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
