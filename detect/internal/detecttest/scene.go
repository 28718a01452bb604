// Package detecttest plays scenes to detectors: containers, processes and what they do, as a sensor and the engine
// would give it.
package detecttest

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"

	"bulwark"
)

// The flags of opens that scenes use.
const (
	Read   = 0
	Write  = 1
	Create = 0o101
	Trunc  = 0o1001
)

// Scene is a node on which things happen.
type Scene struct {
	Findings []bulwark.Finding
	Now      time.Time

	detector bulwark.Detector
	only     bulwark.Interest // nil: give all
	pid, num int
	init     *Proc
	cgroup   uint64
	Passed   int // events that were given
}

// Proc is a process of a scene.
type Proc struct {
	*bulwark.Process
	s *Scene
}

// NewScene is a node with systemd, on which nothing happened yet. only: events that do not meet it are left out.
func NewScene(d bulwark.Detector, only bulwark.Interest) *Scene {
	s := &Scene{detector: d, only: only, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), cgroup: 100}
	s.init = &Proc{s.process(nil, "/usr/lib/systemd/systemd"), s}
	s.init.Effective, s.init.Permitted = 1<<41-1, 1<<41-1
	return s
}

func (s *Scene) process(parent *Proc, file string, args ...string) *bulwark.Process {
	s.pid++
	p := &bulwark.Process{
		PID: s.pid, Start: int64(s.pid) * 1e9, VPID: s.pid, Name: comm(file), Exe: file, Path: file, Args: args, CWD: "/", Login: 0xffffffff,
		Namespaces: bulwark.Namespaces{Cgroup: 0xeffffffb, IPC: 0xefffffff, Mount: 4026531841, Net: 4026531833, PID: 0xeffffffc, User: 0xeffffffd, UTS: 0xeffffffe},
		Cgroup:     1, File: bulwark.Program{Inode: uint64(1000 + s.pid), Device: 1}, Stdio: [3]bulwark.FDKind{bulwark.FDPipe, bulwark.FDPipe, bulwark.FDPipe},
	}
	if parent != nil {
		q := parent.Process
		p.Parent, p.PPID, p.Container, p.Cgroup, p.Namespaces, p.UID, p.GID = q, q.PID, q.Container, q.Cgroup, q.Namespaces, q.UID, q.GID
		p.Permitted, p.Effective, p.TTY, p.CWD, p.Env, p.File, p.Stdio = q.Permitted, q.Effective, q.TTY, q.CWD, q.Env, q.File, q.Stdio
		if q.Container != nil && !q.Container.HostPID {
			p.VPID = s.pid%1000 + 1
		}
	}
	return p
}

func comm(file string) string { return path.Base(file)[:min(15, len(path.Base(file)))] }

// Wait lets time pass, and ticks.
func (s *Scene) Wait(d time.Duration) {
	const step = 5 * time.Second
	for ; d > step; d -= step {
		s.pass(step)
	}
	s.pass(d)
}

func (s *Scene) pass(d time.Duration) {
	s.Now = s.Now.Add(d)
	if t, ok := s.detector.(bulwark.Ticker); ok {
		s.Findings = append(s.Findings, t.Tick(s.Now)...)
	}
}

// Stall has the watch stand still for a time; signal is what made it go on, 0: none that is known. What happens in that time is seen
// behind it: see Late.
func (s *Scene) Stall(d time.Duration, signal int) {
	s.Now = s.Now.Add(d)
	s.emit(nil, "stall", nil, "late", int64(d-time.Second), "sig", signal)
	s.pass(0)
}

// Late has things happen that long ago, which are seen now.
func (s *Scene) Late(ago time.Duration, do func()) {
	now := s.Now
	s.Now = now.Add(-ago)
	do()
	s.Now = now
}

// Node is a program that systemd started on the node.
func (s *Scene) Node(file string, args ...string) *Proc { return s.init.Run(file, args...) }

// Container starts a container of an image with a program, by a containerd-shim and runc as engines do.
func (s *Scene) Container(image string, command ...string) *Proc {
	return s.ContainerAs(&bulwark.Container{Image: image}, command...)
}

// ContainerAs is Container with more said of it.
func (s *Scene) ContainerAs(c *bulwark.Container, command ...string) *Proc {
	if len(command) == 0 {
		command = []string{"/usr/sbin/nginx", "-g", "daemon off;"}
	}
	s.cgroup++
	c.ID, c.Engine, c.Command = strings.Repeat(fmt.Sprintf("%04x", s.cgroup), 16), "containerd", command
	c.Name, c.Started = "c"+fmt.Sprint(s.cgroup), s.Now.UnixNano()
	return s.enter(s.shim(c.ID), c, nil, 1, command)
}

func (s *Scene) shim(id string) *Proc {
	return s.init.Run("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", id)
}

// enter does what runc does until the container's program runs.
func (s *Scene) enter(shim *Proc, c *bulwark.Container, like *Proc, vpid int, command []string) *Proc {
	runc := shim.Run("/usr/bin/runc", "--root", "/run/runc", "create", c.ID)
	s.emit(runc, "memfd_create", nil, "name", "runc_cloned:/proc/self/exe")
	runc.Path, runc.File.Memory = "/memfd:runc_cloned:/proc/self/exe (deleted)", true
	s.emit(runc, "execve", nil)
	p := runc.Fork()
	p.Name, p.Parent, p.PPID = "runc:[2:INIT]", shim.Process, shim.PID
	p.Container, p.Cgroup, p.VPID = c, s.cgroup, vpid
	s.emit(p, "unshare", nil, "flags", 0x6c020000)
	s.emit(p, "setns", FD("net:[4026532600]"), "nstype", 0x40000000)
	s.emit(p, "keyctl", nil, "op", 1)
	s.emit(p, "mount", nil, "dev", "proc", "dir", "/var/lib/docker/overlay2/x/merged/proc", "type", "proc", "flags", 14)
	s.emit(p, "mount", nil, "dev", "/dev/sda1", "dir", "/var/lib/docker/overlay2/x/merged/etc/hosts", "type", "bind", "flags", 0x5000)
	s.emit(p, "mknodat", nil, "path", "/var/lib/docker/overlay2/x/merged/dev/null", "mode", 0o20666)
	s.emit(p, "openat", Outside("/proc/self/fd", 0), "name", "/proc/self/fd", "flags", Read)
	s.emit(p, "openat", FD("/proc/sys/net/ipv4/ip_unprivileged_port_start"), "name", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "flags", Write)
	s.emit(p, "pivot_root", nil, "newroot", ".", "putold", ".")
	s.emit(p, "capset", nil, "cap_effective", 0xa80425fb)
	if c.Privileged {
		p.Permitted, p.Effective = 1<<41-1, 1<<41-1
	} else {
		p.Permitted, p.Effective = 0xa80425fb, 0xa80425fb
	}
	if c.HostPID {
		p.VPID = p.PID
	} else {
		p.Namespaces.PID = 4026532000 + uint32(s.cgroup)*4
	}
	p.Namespaces.Mount, p.Namespaces.Cgroup = 4026532001+uint32(s.cgroup)*4, 4026532002+uint32(s.cgroup)*4
	if like == nil {
		c.PID = p.PID
	}
	p.File.Memory, p.File.Lower = false, true
	return p.Exec(command[0], command[1:]...)
}

// Enter brings a program into the process's container by its engine: "docker exec".
func (p *Proc) Enter(file string, args ...string) *Proc {
	shim := &Proc{&bulwark.Process{PID: 90, Name: "containerd-shim", Path: "/usr/bin/containerd-shim-runc-v2", Parent: p.s.init.Process}, p.s}
	return p.s.enter(shim, p.Container, p, p.s.pid%1000+20, append([]string{file}, args...))
}

// Fork makes a child.
func (p *Proc) Fork() *Proc {
	q := &Proc{p.s.process(p, p.Path, p.Args...), p.s}
	q.Name, q.Exe = p.Name, p.Exe
	p.s.emit(q, "clone", nil, "res", 0)
	return q
}

// Exec has the process execute a program of the image.
func (p *Proc) Exec(file string, args ...string) *Proc {
	return p.ExecAs(bulwark.Program{Inode: uint64(len(file) * 100), Device: 1, Lower: p.Container != nil}, file, args...)
}

// ExecAs has the process execute a file of which more is said.
func (p *Proc) ExecAs(f bulwark.Program, file string, args ...string) *Proc {
	p.Path, p.Exe, p.Name, p.Args, p.File, p.Process.Exec = file, file, comm(file), args, f, p.s.Now.UnixNano()
	p.s.emit(p, "execve", nil, "exe", file, "filename", file)
	return p
}

// Run is a child that executes a program of the image.
func (p *Proc) Run(file string, args ...string) *Proc { return p.Fork().Exec(file, args...) }

// RunUpper is a child that executes a program that the container wrote.
func (p *Proc) RunUpper(file string, args ...string) *Proc {
	return p.Fork().ExecAs(bulwark.Program{Inode: 7, Device: 1, Upper: true, Writable: true, Changed: p.s.Now.Add(-9 * time.Second).UnixNano()}, file, args...)
}

// Exit ends the process.
func (p *Proc) Exit(code int) {
	p.Ended = true
	p.s.emit(p, "procexit", nil, "status", code<<8, "ret", code)
}

// Open opens a file; the result is a file descriptor.
func (p *Proc) Open(file string, flags int) *Proc {
	return p.Do("openat", FD(file), "name", file, "flags", flags)
}

// Connect connects to an address.
func (p *Proc) Connect(to string) *Proc {
	return p.Do("connect", Socket("172.17.0.2:40000", to))
}

// Refused connects to an address, and fails at once.
func (p *Proc) Refused(errno int64, to string) *Proc {
	p.s.emitResult(p, -errno, "connect", Socket("172.17.0.2:40000", to))
	return p
}

// Do makes a call. args are names and values: numbers and texts.
func (p *Proc) Do(kind string, fd *bulwark.FD, args ...any) *Proc {
	p.s.emit(p, kind, fd, args...)
	return p
}

// Fail makes a call that fails.
func (p *Proc) Fail(errno int64, kind string, args ...any) *Proc {
	p.s.emitResult(p, -errno, kind, nil, args...)
	return p
}

// Says has the process send or get a first payload.
func (p *Proc) Says(from, to, data string) *Proc {
	return p.Do("payload", Socket(from, to), "data", data, "size", len(data))
}

// Flows tells how many bytes and packets went over a connection since that was last told.
func (p *Proc) Flows(from, to string, sent, received, packets int) *Proc {
	return p.Do("flow", Socket(from, to), "sent", sent, "received", received, "packets", packets)
}

// Asks has the process ask a server of names.
func (p *Proc) Asks(name string, rcode int) *Proc {
	return p.Do("dns", Socket("172.17.0.2:40000", "10.96.0.10:53"), "name", name, "type", 1, "rcode", rcode)
}

func (s *Scene) emit(p *Proc, kind string, fd *bulwark.FD, args ...any) {
	s.emitResult(p, 0, kind, fd, args...)
}

func (s *Scene) emitResult(p *Proc, result int64, kind string, fd *bulwark.FD, args ...any) {
	k, ok := bulwark.KindNamed(kind)
	if !ok {
		panic("no kind " + kind)
	}
	s.num++
	e := &bulwark.Event{Num: uint64(s.num), Time: s.Now.UnixNano(), Source: bulwark.SourceSyscall, Kind: k, Result: result, Args: make([]bulwark.Arg, len(k.Params())), FD: bulwark.FD{Num: -1}}
	if p != nil {
		e.Process, e.TID = p.Process, p.PID
	}
	if fd != nil {
		e.FD = *fd
	}
	for i := 0; i+1 < len(args); i += 2 {
		set(e, args[i].(string), args[i+1])
	}
	if a, ok := e.Arg("res"); ok && a.Num != 0 {
		e.Result = a.Num
	}
	s.Now = s.Now.Add(time.Millisecond)
	if s.only != nil && !Admits(s.only, e) {
		return
	}
	s.Passed++
	s.Findings = append(s.Findings, s.detector.Observe(e)...)
}

func set(e *bulwark.Event, name string, value any) {
	for i, p := range e.Kind.Params() {
		if p.Name != name {
			continue
		}
		switch v := value.(type) {
		case int:
			e.Args[i].Num = int64(v)
		case int64:
			e.Args[i].Num = v
		case string:
			e.Args[i].Text = []byte(v)
		}
		return
	}
	panic(e.Kind.String() + " has no " + name)
}

// FD is an open file.
func FD(file string) *bulwark.FD {
	return &bulwark.FD{Num: 3, Kind: bulwark.FDFile, Name: []byte(file), Inode: 4242, Magic: magic(file)}
}

func magic(file string) uint64 {
	for _, m := range []struct {
		dir   string
		magic uint64
	}{{"/proc/", 0x9fa0}, {"/sys/fs/cgroup/", 0x27e0eb}, {"/dev/shm/", 0x01021994}, {"/dev/pts/", 0x1cd1}, {"/sys/kernel/", 0x62656572}} {
		if strings.Contains(file, m.dir) {
			return m.magic
		}
	}
	return 0x794c7630
}

// Outside is an open file that is not below the root of the process, on a file system.
func Outside(file string, magic uint64) *bulwark.FD {
	return &bulwark.FD{Num: 3, Kind: bulwark.FDFile, Name: []byte(file), Outside: true, Inode: 4242, Magic: magic}
}

// Socket is a connected TCP socket.
func Socket(from, to string) *bulwark.FD {
	l, r := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	kind := bulwark.FDIPv4
	if r.Addr().Is6() {
		kind = bulwark.FDIPv6
	}
	return &bulwark.FD{Num: 3, Kind: kind, Proto: 6, Local: l, Remote: r, Connected: true}
}

// Unix is a socket that is connected to a path.
func Unix(file string) *bulwark.FD {
	return &bulwark.FD{Num: 3, Kind: bulwark.FDUnix, Name: []byte(file), Connected: true}
}
