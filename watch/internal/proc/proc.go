// Package proc reads processes of this node from /proc.
package proc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"bulwark"
)

const (
	ticks  = 100 // a second, on every architecture that Go knows
	most   = 4096
	second = int64(1e9)
)

// FS is a /proc; the zero value is this node's.
type FS struct{ Dir string }

func (f FS) dir() string { return cmp.Or(f.Dir, "/proc") }

// PIDs are the processes that there are.
func (f FS) PIDs() ([]int, error) {
	dir := f.dir()
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
func (f FS) Stat(pid int) (Stat, error) { return NewReader(f).Stat(pid) }

// Process reads all that /proc tells of a process. What it could not read is named by Missing.
func (f FS) Process(pid int) (bulwark.Process, error) { return NewReader(f).Process(pid) }

// Stat reads the short description of a process.
func (r *Reader) Stat(pid int) (Stat, error) {
	p, err := r.open(pid)
	if err != nil {
		return Stat{}, err
	}
	defer p.close()
	return p.stat()
}

// Process reads all that /proc tells of a process. What it could not read is named by Missing.
func (r *Reader) Process(pid int) (bulwark.Process, error) {
	from, err := r.open(pid)
	if err != nil {
		return bulwark.Process{}, err
	}
	defer from.close()
	st, err := from.stat()
	if err != nil {
		return bulwark.Process{}, err
	}
	p := bulwark.Process{PID: pid, PPID: st.PPID, PGID: st.PGID, SID: st.SID, VPID: pid, VPGID: st.PGID, VSID: st.SID, Name: st.Name, TTY: st.TTY, Start: st.Start, Before: true}
	from.status(&p)
	from.login(&p)
	from.texts(&p)
	from.executable(&p.File)
	from.namespaces(&p.Namespaces)
	p.Cgroup = from.cgroup()
	return p, nil
}

// Texts reads what the kernel's own list of processes does not have: the path, arguments, environment and folder.
func (r *Reader) Texts(p *bulwark.Process) {
	from, err := r.open(p.PID)
	if err != nil {
		return
	}
	defer from.close()
	from.texts(p)
}

func (d folder) stat() (Stat, error) {
	data, err := d.read("stat", most)
	if err != nil {
		return Stat{}, err
	}
	return parseStat(data, d.text)
}

// parseStat reads the line; the name stands in brackets and may have any bytes.
func parseStat(data []byte, text func([]byte) string) (Stat, error) {
	from, to := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if from < 0 || to < from {
		return Stat{}, fmt.Errorf("stat of a process: %w", bulwark.ErrMalformed)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data[:from])))
	if err != nil {
		return Stat{}, fmt.Errorf("stat of a process: %w", bulwark.ErrMalformed)
	}
	var rest [20][]byte
	n := 0
	for word := range bytes.FieldsSeq(data[to+1:]) {
		if rest[n] = word; n == len(rest)-1 {
			break
		}
		n++
	}
	if rest[len(rest)-1] == nil {
		return Stat{}, fmt.Errorf("stat of a process: %w", bulwark.ErrMalformed)
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(string(rest[i]), 10, 64); return n }
	return Stat{
		PID: pid, Name: text(data[from+1 : to]), PPID: int(num(1)), PGID: int(num(2)), SID: int(num(3)),
		TTY: uint32(num(4)), Start: num(19) * (second / ticks), Zombie: rest[0][0] == 'Z' || rest[0][0] == 'X',
	}, nil
}

func (d folder) status(p *bulwark.Process) {
	data, err := d.read("status", 16<<10)
	if err != nil {
		p.Missing = "its status could not be read"
		return
	}
	for line := range bytes.Lines(data) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "Uid":
			p.UID = second32(value)
		case "Gid":
			p.GID = second32(value)
		case "NSpid":
			p.VPID = int(last(value, 10))
		case "NSpgid":
			p.VPGID = int(last(value, 10))
		case "NSsid":
			p.VSID = int(last(value, 10))
		case "CapInh":
			p.Inheritable = last(value, 16)
		case "CapPrm":
			p.Permitted = last(value, 16)
		case "CapEff":
			p.Effective = last(value, 16)
		}
	}
}

// second32 is the second of several numbers: of ids the effective one.
func second32(value []byte) uint32 {
	i := 0
	for word := range bytes.FieldsSeq(value) {
		if i++; i == 2 {
			n, _ := strconv.ParseUint(string(word), 10, 32)
			return uint32(n)
		}
	}
	return 0
}

// last is the last of several numbers: of ids that in the innermost namespace.
func last(value []byte, base int) uint64 {
	value = bytes.TrimSpace(value)
	n, _ := strconv.ParseUint(string(value[bytes.LastIndexAny(value, " \t")+1:]), base, 64)
	return n
}

const deleted = " (deleted)"

func (d folder) texts(p *bulwark.Process) {
	if args := d.list("cmdline"); len(args) > 0 {
		p.Exe, p.Args = args[0], args[1:]
	}
	p.Env = d.list("environ")
	if cwd, err := d.link("cwd"); err == nil {
		p.CWD = d.text(cwd)
	}
	link, err := d.link("exe")
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			p.Missing = "its executable could not be read: " + os.ErrPermission.Error()
		}
		return // a thread of the kernel has none
	}
	path, gone := bytes.CutSuffix(link, []byte(deleted))
	p.File.Memory, p.File.Deleted = bytes.HasPrefix(path, []byte("/memfd:")), gone
	p.Path = d.text(path)
}

func (d folder) login(p *bulwark.Process) {
	p.Login = ^uint32(0)
	if data, err := d.read("loginuid", 32); err == nil {
		if n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 32); err == nil {
			p.Login = uint32(n)
		}
	}
}

func (d folder) namespaces(n *bulwark.Namespaces) {
	for _, one := range [...]struct {
		name string
		to   *uint32
	}{{"ns/cgroup", &n.Cgroup}, {"ns/ipc", &n.IPC}, {"ns/mnt", &n.Mount}, {"ns/net", &n.Net}, {"ns/pid", &n.PID}, {"ns/user", &n.User}, {"ns/uts", &n.UTS}} {
		link, err := d.link(one.name)
		if err != nil {
			continue
		}
		_, id, _ := bytes.Cut(bytes.TrimSuffix(link, []byte("]")), []byte("["))
		num, _ := strconv.ParseUint(string(id), 10, 32)
		*one.to = uint32(num)
	}
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
func (d folder) cgroup() uint64 {
	data, err := d.read("cgroup", 16<<10)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		path, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("0::"))
		if !ok {
			continue
		}
		if id, ok := d.cgroups[string(path)]; ok {
			return id
		}
		id := inode(filepath.Join(hierarchy(), filepath.Clean("/"+string(path))))
		if id != 0 && len(d.cgroups) < mostKept {
			d.cgroups[string(path)] = id
		}
		return id
	}
	return 0
}
