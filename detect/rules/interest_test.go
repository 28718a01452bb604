package rules

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// admits is what sensor.go says of an interest, word for word.
func admits(want bulwark.Interest, e *bulwark.Event) bool {
	return slices.ContainsFunc(want[e.Kind], func(w bulwark.Where) bool { return met(&w, e) })
}

func met(w *bulwark.Where, e *bulwark.Event) bool {
	write := false
	if a, ok := e.Arg("flags"); ok {
		write = a.Num&accessMode == writeOnly || a.Num&accessMode == readWrite
	}
	return agrees(w.Container, e.Process != nil && e.Process.Container != nil) && agrees(w.Failed, e.Result < 0) && agrees(w.Write, write) &&
		metPath(w, e) && !slices.ContainsFunc(w.Flags, func(f bulwark.FlagMatch) bool { return f.Param < len(e.Args) && e.Args[f.Param].Num&f.Any == 0 }) &&
		(len(w.Ports) == 0 || slices.Contains(w.Ports, e.FD.Remote.Port())) &&
		(len(w.Nets) == 0 || slices.ContainsFunc(w.Nets, func(n netip.Prefix) bool { return n.Contains(e.FD.Remote.Addr()) }))
}

func agrees(t bulwark.Tri, b bool) bool { return t == bulwark.Either || (t == bulwark.Yes) == b }

func metPath(w *bulwark.Where, e *bulwark.Event) bool {
	if w.Climbs && !slices.ContainsFunc(e.Kind.Params(), func(p bulwark.Param) bool {
		a, ok := e.Arg(p.Name)
		return ok && p.Type == bulwark.ParamPath && bytes.Contains(a.Text, []byte("../"))
	}) {
		return false
	}
	if len(w.Paths) == 0 {
		return true
	}
	paths := [][]byte{e.FD.Name}
	opened := slices.Contains(openers, e.Kind) && e.Result >= 0 && len(e.FD.Name) > 0
	for i, p := range e.Kind.Params() {
		if p.Type == bulwark.ParamPath && i < len(e.Args) && (!opened || w.AsGiven) {
			paths = append(paths, e.Args[i].Text)
		}
	}
	for _, m := range w.Paths {
		for _, p := range paths {
			switch {
			case m.By == bulwark.PathIs && string(p) == m.Text,
				m.By == bulwark.PathBegins && bytes.HasPrefix(p, []byte(m.Text)),
				m.By == bulwark.PathEnds && bytes.HasSuffix(p, []byte(m.Text)),
				m.By == bulwark.PathHas && bytes.Contains(p, []byte(m.Text)):
				return true
			}
		}
	}
	return false
}

// dice makes events and conditions of words that they share.
type dice struct{ *rand.Rand }

func (d dice) one(list ...string) string { return list[d.IntN(len(list))] }

var somePaths = []string{"/etc/shadow", "/etc/pam.d/x", "/etc/pam.d", "/var/log/auth.log", "/home/u/.ssh/id_rsa", "/root/.ssh/authorized_keys", "/", "/tmp/release_agent", "/dev/shm/x", "/usr/bin/x"}

func (d dice) event() *bulwark.Event {
	kind := d.one("open", "openat", "openat2", "creat", "connect", "connect", "accept4", "sendto", "dup2", "unshare", "ptrace", "socket", "execve", "rename", "unlink", "chmod", "fchmod", "symlink", "bpf", "mount")
	if d.IntN(2) == 0 {
		kind = d.one("open", "openat", "creat")
	}
	args := map[string]any{}
	for _, p := range named(kind).Params() {
		if isText(p.Type) {
			args[p.Name] = d.one(append(somePaths, "shadow", "shadow", "shadow", "../etc/shadow", "/etc/../etc/shadow", d.link(), d.link(), d.link())...)
		} else {
			args[p.Name] = d.IntN(1 << d.IntN(31))
		}
	}
	if d.IntN(2) == 0 {
		args["dirfd"] = cwdFD
	}
	e := put(kind, args)
	if e.Kind == bulwark.KindExec {
		e.Args = nil
	}
	e.Result = int64(d.IntN(12) - 4)
	if d.IntN(2) == 0 {
		e.Process.Container = nil
	}
	e.Process.CWD = d.one("/", "/etc", "/etc", "/etc/pam.d", "/tmp", "/proc", "/proc/1", "/proc/1/fd")
	e.Process.UID = uint32(d.IntN(2))
	e.Process.Name = d.one("sh", "cat", "sshd", "nginx", "find")
	d.descriptor(e)
	return e
}

// link is a path through a link of a process, written in one of many ways.
func (d dice) link() string {
	path := d.one("/", "/", "", "//", "/./", "./", "/../", "../") + d.one("proc/", "proc/", "proc/", "proc//", "proc/./", "proc/x/../", "") + d.one("self", "self", "thread-self", "1", "12") +
		d.one("/", "/", "/", "//", "/./", "/fd/../") + d.one("exe", "exe", "fd/3", "fd//3", "root/etc", "cwd/x", "environ")
	return path + d.one("", "", "", "/", "/.")
}

func (d dice) descriptor(e *bulwark.Event) {
	if e.Result < 0 && (makesFD(e.Kind) || d.IntN(2) == 0) {
		return
	}
	e.FD = bulwark.FD{Num: max(int(e.Result), 0), Kind: bulwark.FDFile, Name: []byte(d.one(somePaths...))}
	switch e.Kind.String() {
	case "connect", "accept4", "sendto", "dup2", "socket":
		e.FD.Kind = []bulwark.FDKind{bulwark.FDIPv4, bulwark.FDIPv6, bulwark.FDUnix}[d.IntN(3)]
		if e.FD.Kind == bulwark.FDUnix {
			return
		}
		e.FD.Name = nil
		e.FD.Proto = []uint8{6, 17}[d.IntN(2)]
		e.FD.Connected, e.FD.Server = d.IntN(2) == 0, d.IntN(2) == 0
		e.FD.Local, e.FD.Remote = d.end(e), d.end(e)
	default:
		if d.IntN(4) == 0 {
			e.FD.Kind = bulwark.FDDirectory
		}
	}
}

func (d dice) end(e *bulwark.Event) netip.AddrPort {
	a := netip.MustParseAddr(d.one("10.1.2.3", "127.0.0.1", "8.8.8.8", "169.254.169.254"))
	if e.FD.Kind == bulwark.FDIPv6 {
		a = netip.AddrFrom16(a.As16())
	}
	return netip.AddrPortFrom(a, uint16([]int{22, 53, 80, 443, 4444}[d.IntN(5)]))
}

// aboutLinks are conditions that see the path as it was given.
var aboutLinks = []string{
	"fd.name = /proc/self/exe", "fd.name startswith /proc/self/fd/", "fd.name startswith /proc/self", "fd.name in (/etc/shadow, /proc/1/exe)", "fd.name pmatch (/proc/self, /etc)", "fd.name pmatch (/proc/*/root)",
	"fd.name glob /proc/*/exe", "fd.name glob '/proc/[0-9s]*/fd/*'", "fd.name contains /proc/self/", "fd.name endswith /proc/self/exe", "fd.directory = /proc/self/fd", "fd.directory startswith /proc/1/root",
	"fd.name startswith anyof (/proc/self/fd/, /etc)", "fd.name regex '/proc/self/.*'", "fd.name icontains /proc/self/EXE", "fd.name != /proc/self/exe",
}

// condition is one of so many levels.
func (d dice) condition(depth int) string {
	if depth == 0 || d.IntN(4) == 0 {
		return d.check()
	}
	switch d.IntN(5) {
	case 0:
		return "not (" + d.condition(depth-1) + ")"
	case 1, 2:
		return "(" + d.condition(depth-1) + " or " + d.condition(depth-1) + ")"
	}
	return "(" + d.condition(depth-1) + " and " + d.condition(depth-1) + ")"
}

func (d dice) check() string {
	path := d.one(somePaths...)
	if d.IntN(5) == 0 {
		return d.one(aboutLinks...)
	}
	if d.IntN(5) == 0 {
		return d.one("fd.name = /etc/shadow", "fd.directory = /etc", "fd.name startswith /etc/", "fd.name endswith /shadow", "fd.name pmatch (/etc)")
	}
	return d.one(
		"container.id != host", "container.id = host", "container.id in (host, abc)", "container.image.repository = x", "container.privileged = true", "not container.name = web",
		"evt.type = open", "evt.type in (open, openat, creat)", "evt.type != connect", "evt.type = connect", "evt.type = execve", "evt.type in (unshare, chmod, ptrace, socket)",
		"evt.failed = true", "evt.failed = false", "evt.res = SUCCESS", "evt.res != SUCCESS", "evt.res startswith E", "evt.rawres >= 0", "evt.rawres < 0", "evt.rawres in (-1, -2)", "evt.rawres > -2", "evt.res = ENOENT",
		"fd.num >= 0", "fd.num = -1", "fd.num > 3", "evt.is_open_write = true", "evt.is_open_write = false", "evt.is_open_write != true", "evt.is_open_read = true",
		"fd.name = "+path, "fd.name startswith "+path, "fd.name endswith "+path[len(path)/2:], "fd.name in ("+path+", /etc/shadow)", "fd.name pmatch ("+path+", /etc/*)", "fd.name glob "+path[:len(path)/2]+"*",
		"fd.directory = "+path, "fd.directory in (/etc, /etc/pam.d)", "fd.directory startswith "+path, "fd.filename = shadow", "fd.filename in (x, auth.log)", "fd.filename endswith .log", "fd.nameraw contains ..", "fd.nameraw contains ../", "fd.nameraw glob *../*", "fd.nameraw startswith ../", "not fd.nameraw contains ../", "fd.name != "+path,
		"fd.rport = 443", "fd.sport in (22, 53)", "fd.sport = 80", "fd.rip = 8.8.8.8", "fd.sip = 127.0.0.1", "fd.snet in (\"10.0.0.0/8\")", "fd.rnet = \"127.0.0.0/8\"", "fd.net = \"10.0.0.0/8\"", "fd.sip != 8.8.8.8", "fd.port = 53", "fd.l4proto = tcp",
		"evt.arg.flags contains O_TRUNC", "evt.arg.flags contains CLONE_NEW", "evt.arg.flags contains O_RDONLY", "evt.arg.mode contains S_ISUID", "evt.arg.request contains PTRACE_ATTACH", "evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE)", "evt.arg.domain = AF_PACKET", "evt.arg.domain = 17", "evt.arg.cmd contains LOAD", "evt.arg.flags = 5",
		"proc.name = sh", "user.uid = 0", "evt.num = 0", "evt.num >= 0", "fs.path.name startswith /etc", "fd.typechar = f",
	)
}

// TestInterestIsSound: what a rule matches, its interest admits; and the code for one kind says what that for all says.
func TestInterestIsSound(t *testing.T) {
	d := dice{rnd(1)}
	matched, narrowed := 0, 0
	for range 1500 {
		depth, events := d.IntN(5), 60
		if depth == 0 {
			events = 500 // little hides what is wrong with one comparison
		}
		condition := d.condition(depth)
		if d.IntN(4) > 0 { // what is true of few kinds is narrowed for each of them
			condition = "evt.type in (open, openat, creat, connect, accept4, sendto, dup2, socket, fchmod, chmod, unshare, ptrace, bpf, unlink) and (" + condition + ")"
		}
		det := detector(t, "syscall", condition, "x")
		want := det.Interest()
		for range events {
			e := d.event()
			found := len(det.Observe(e)) > 0
			if found {
				matched++
			}
			if !admits(want, e) {
				narrowed++
				if found {
					t.Fatalf("%s\nmatches, and is not admitted by\n%v\n%s", condition, want[e.Kind], tell(e))
				}
			}
			if naive := holdsFor(det, e); naive != found {
				t.Fatalf("%s: %v, but code for all kinds says %v\n%s", condition, found, naive, tell(e))
			}
		}
	}
	if matched < 1000 || narrowed < 1000 {
		t.Errorf("%d matched and %d were not admitted: too few to mean anything", matched, narrowed)
	}
}

// TestGivenPathsAreAdmitted: however a path through a link is written, what a condition is met by is asked for.
func TestGivenPathsAreAdmitted(t *testing.T) {
	d := dice{rnd(5)}
	for _, condition := range aboutLinks {
		det := detector(t, "syscall", "evt.type = openat and evt.rawres >= 0 and "+condition, "x")
		want, matched := det.Interest(), 0
		for range 15000 {
			e := opened("/usr/bin/x", 0, 4)
			e.Args[2].Text = []byte(d.link())
			e.Process.CWD = d.one("/", "/tmp", "/proc", "/proc", "/proc/1", "/proc/1/fd")
			if len(det.Observe(e)) == 0 {
				continue
			}
			matched++
			if !admits(want, e) {
				t.Fatalf("%s\nmatches, and is not admitted by\n%v\n%s", condition, want[e.Kind], tell(e))
			}
		}
		if matched < 50 {
			t.Errorf("%s matches %d", condition, matched)
		}
	}
}

// holdsFor evaluates without any knowledge of kinds.
func holdsFor(d *Detector, e *bulwark.Event) bool {
	d.view.set(e)
	return d.rules[0].cond.holds(&d.view)
}

func tell(e *bulwark.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s res=%d container=%v cwd=%s fd=%d %q %v->%v server=%v", e.Kind, e.Result, e.Process.Container != nil, e.Process.CWD, e.FD.Kind, e.FD.Name, e.FD.Local, e.FD.Remote, e.FD.Server)
	for i, a := range e.Args {
		fmt.Fprintf(&b, " %s=%d %q", e.Kind.Params()[i].Name, a.Num, a.Text)
	}
	return b.String()
}

// TestUpstreamInterestIsSound is the same with upstream's rules.
func TestUpstreamInterestIsSound(t *testing.T) {
	d := dice{rnd(3)}
	o := options(upstream(t)...)
	o.MatchAll = true
	det, _ := New(o)
	want := det.Interest()
	matched := 0
	for range 60000 {
		e := d.event()
		if len(det.Observe(e)) == 0 {
			continue
		}
		matched++
		if !admits(want, e) {
			t.Fatalf("matches, and is not admitted by\n%v\n%s", want[e.Kind], tell(e))
		}
	}
	t.Logf("%d matched", matched)
}

func rnd(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
