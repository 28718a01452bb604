package profile

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

var (
	inside   = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}
	loadable = bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Flags: []bulwark.FlagMatch{{Param: 3, Any: protExec}}}
)

const (
	protExec = 4
	atCWD    = -100

	magicTmpfs = 0x01021994

	firstEphemeral = 32768 // ports that the kernel gives begin here, mostly
)

// pseudo are file systems that hold no files of anybody.
var pseudo = map[uint64]bool{0x9fa0: true, 0x62656572: true, 0x1cd1: true, 0x27e0eb: true, 0x63677270: true, magicTmpfs: true, 0x19800202: true, 0x64626720: true, 0x74726163: true}

const (
	noiseNew  = "A release of the program that does something new under the same image tag is another image, and has no profile. Rare work (log rotation, backups, failures, upgrades of data) that learning was too short to see."
	fixNew    = "Find out who made the container do it. Where it belongs to the image, add it to the profile as the last line of the evidence says, or learn for longer (bulwark watch --learn FOLDER)."
	techniqEx = "attack:T1059"
)

// changers are the calls by which files are changed without being opened.
const changers = "mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 symlink symlinkat link linkat mknod mknodat chmod fchmodat fchmodat2 chown lchown fchownat truncate utimensat"

// rules are what deviates; each look learns where the image is still learned.
func (d *Detector) rules() []family.Rule {
	const opens = "open openat openat2 creat open_by_handle_at"
	list := []family.Rule{
		{Name: "executable", Title: "A container executes a program that its image never executed", Severity: bulwark.SeverityHigh, Tags: []string{techniqEx}, References: []string{"https://attack.mitre.org/techniques/T1059/"},
			Why:   "Containers of one image do the same all their life. A program that none of them executed while the profile was learned is a shell of an intruder, a tool that was brought along, or work that is rare. High.",
			Noise: noiseNew + " Administrators who enter containers by exec.", Fix: fixNew, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: inside, If: d.executable, Do: d.tellPath("executable", func(h *family.Hit) string { return program(h.P) })}}},
		{Name: "file", Title: "A container uses files that its image never used", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1005", "attack:T1083"}, References: []string{"https://attack.mitre.org/techniques/T1005/"},
			Why:   "The file lies where no container of the image read or wrote while the profile was learned. Medium where it is written, low where it is read.",
			Noise: noiseNew, Fix: fixNew, Every: time.Hour,
			Looks: []family.Look{
				{Kinds: opens, Where: inside, If: d.opened, Do: d.tellFile},
				{Kinds: "mmap", Where: loadable, If: d.mapped, Do: d.tellFile},
				{Kinds: changers, Where: inside, If: d.changed, Do: d.tellFile},
			}},
		{Name: "destination", Title: "A container connects to where its image never connected", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1071", "attack:T1041"}, References: []string{"https://attack.mitre.org/techniques/T1071/"},
			Why:   "No container of the image went there while the profile was learned. Whoever took over a container fetches tools, asks for orders or looks at the network. Medium; high for the sockets of container engines.",
			Noise: noiseNew + " Addresses of one name that change: a new address is excused where the same name was asked for just before and the port is known.", Fix: fixNew, Every: time.Hour,
			Looks: []family.Look{
				{Kinds: "connect", Where: bulwark.Where{Container: bulwark.Yes}, If: d.connected, // refused ones as well: the attempt tells
					Do: d.tellEnd("destination")},
				{Kinds: "flow dns", Where: bulwark.Where{Container: bulwark.Yes}, If: d.flows, Do: d.tellEnd("destination")},
			}},
		{Name: "listener", Title: "A container listens where its image never listened", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1571", "attack:T1090"}, References: []string{"https://attack.mitre.org/techniques/T1571/"},
			Why:   "No container of the image listened on the port while the profile was learned. A new listener is a back door or a proxy. High; ports that the kernel chooses are one.",
			Noise: noiseNew + " Another configuration of the port.", Fix: fixNew, Every: time.Hour,
			Looks: []family.Look{{Kinds: "listen bind", Where: inside, If: d.listens, Do: d.tellEnd("listener")}}},
		{Name: "syscall", Title: "A container makes a system call that its image never made", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1611", "attack:T1106"}, References: []string{"https://attack.mitre.org/techniques/T1106/"},
			Why:   "Exploits of the kernel and escapes need calls that services do not make. High for calls that change namespaces, mounts, other processes or the kernel; low for the others.",
			Noise: noiseNew + " Paths of the program's code that are rare.", Fix: fixNew, Every: time.Hour,
			Looks: []family.Look{{Kinds: "syscall_used", Where: bulwark.Where{Container: bulwark.Yes}, If: d.calls, Do: d.tellCall}}},
		{Name: "capability", Title: "A container uses a capability that its image never used", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1548", "attack:T1611"}, References: []string{"https://attack.mitre.org/techniques/T1548/"},
			Why:   "The kernel granted something for a capability that no container of the image needed while the profile was learned. It could be dropped. High.",
			Noise: noiseNew, Fix: fixNew + " Drop the capability where it is not needed.", Every: time.Hour,
			Looks: []family.Look{{Kinds: "capability_used", Where: bulwark.Where{Container: bulwark.Yes}, If: d.granted, Do: func(h *family.Hit) {
				name := string(h.Text("name"))
				d.tell(h, bulwark.SeverityHigh, name, name+" in "+string(h.Text("call")), d.allow(h, "capability", name))
			}}}},
	}
	gone := family.Look{Kinds: "cgroup_rmdir", If: d.gone, Do: func(*family.Hit) {}}
	list[0].Looks = append(list[0].Looks, gone)
	if d.Learn {
		list[3].Looks = append(list[3].Looks, family.Look{Kinds: "accept accept4", Where: inside, If: d.accepted})
	}
	return list
}

// learn adds something to a profile that is learned; else it tells whether it is a deviation.
func (e *entry) learn(h *family.Hit, set string, known bool, keep func()) bool {
	if known {
		return false
	}
	if e.learning {
		keep()
		e.saw(h)
		return false
	}
	return e.Full[set] == 0
}

// program is the path of what a process executes.
func program(p *bulwark.Process) string {
	return strings.TrimSuffix(p.Path, " (deleted)")
}

func (d *Detector) executable(h *family.Hit) bool {
	if who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	b := d.boxes.Of(h.C.ID)
	if e.learning && who.First(h.P) && !h.P.Before && b.first != h.P.Start {
		b.first = h.P.Start
		e.Starts++
		e.changed = true
	}
	name := program(h.P)
	if e.learning {
		e.began(h, name)
	}
	_, known := e.Executables[name]
	return e.learn(h, "executables", known, func() {
		add(e.Profile, "executables", e.Executables, mostExecutables, name, func() *Use { return use(h, family.Command(h.P)) })
	})
}

// began learns what the start of a program tells beside its name.
func (e *entry) began(h *family.Hit, name string) {
	p := h.P
	if !p.File.Upper && !p.File.Memory {
		e.loads(h, name, "exec")
	}
	if add(e.Profile, "users", e.Users, mostUsers, strconv.Itoa(int(p.UID)), func() *Use { e.saw(h); return use(h, "") }); p.Parent == nil || !who.Together(p, p.Parent) {
		return
	}
	if p.Effective&^p.Parent.Effective != 0 || p.UID == 0 && p.Parent.UID != 0 {
		add(e.Profile, "gains", e.Gains, mostUsers, name, func() *Use {
			e.saw(h)
			return use(h, "uid "+strconv.Itoa(int(p.Parent.UID))+" became "+strconv.Itoa(int(p.UID)))
		})
	}
}

// loads keeps a file of the image that is loaded; those of volumes are none.
func (e *entry) loads(h *family.Hit, name, how string) {
	if old, known := e.Loaded[name]; known && (old == how || how == "module") || len(name) > longestLoaded || mounted(h.C, name) {
		return
	}
	if len(e.Loaded) >= mostLoaded && e.Loaded[name] == "" {
		e.full("loaded")
		return
	}
	e.Loaded[name], e.changed = how, true
}

// modules are the ends of files that interpreters and virtual machines load.
var modules = who.Names(".py .pyc .so .js .mjs .cjs .node .jar .war .ear .class .rb .php .pl .pm .lua .dll .wasm .tcl .beam .jsa")

func (d *Detector) opened(h *family.Hit) bool {
	if h.FD.Kind != bulwark.FDFile && h.FD.Kind != bulwark.FDDirectory || h.FD.Outside || len(h.FD.Name) == 0 || h.FD.Name[0] != '/' || who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	s := reads
	name := string(h.FD.Name)
	if h.Writes() {
		s = writes
		if e.learning && !pseudo[h.FD.Magic] {
			e.changes(h, name)
		}
	} else if e.learning && !h.FD.Upper && (modules[path.Ext(name)] || path.Base(name) == "package.json") {
		e.loads(h, name, "module")
	}
	return d.file(h, e, name, s)
}

func (d *Detector) mapped(h *family.Hit) bool {
	if h.FD.Kind != bulwark.FDFile || h.FD.Outside || len(h.FD.Name) == 0 || h.FD.Name[0] != '/' || who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	name := string(h.FD.Name)
	if e.learning && !h.FD.Upper {
		e.loads(h, name, "map")
	}
	return d.file(h, e, name, maps_)
}

func (d *Detector) file(h *family.Hit, e *entry, name string, s sortOf) bool {
	at := place(name, s == writes)
	known := e.covered(at, s)
	if !known && !e.learning && s == maps_ && e.Executables[name] != nil {
		return false
	}
	return e.learn(h, "files", known, func() { e.file(at, s, func() *Use { return use(h, name) }) })
}

func (d *Detector) changed(h *family.Hit) bool {
	if who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	name, ok := target(h)
	if !ok { // relative to a folder that is not known
		if e.learning {
			add(e.Profile, "changes", e.Changes, mostChanges, "?", func() *Use { e.saw(h); return use(h, h.Kind.String()+" "+name) })
		}
		return false
	}
	if e.learning && !strings.HasPrefix(name, "/proc/") && !strings.HasPrefix(name, "/sys/") && !strings.HasPrefix(name, "/dev/") {
		e.changes(h, name)
	}
	return d.file(h, e, name, writes)
}

// target is the path that a call changes; false: it is relative to an open folder.
func target(h *family.Hit) (string, bool) {
	name, dir := "", ""
	for _, pair := range [...][2]string{{"newpath", "newdirfd"}, {"newpath", "newdir"}, {"linkpath", "linkdirfd"}, {"path", "dirfd"}, {"name", "dirfd"}, {"filename", "dirfd"}, {"pathname", "dirfd"}} {
		if h.Text(pair[0]) == nil {
			continue
		}
		name = h.Where(pair[0])
		if _, has := h.Arg(pair[1]); has {
			dir = pair[1]
		}
		if text := h.Text(pair[0]); dir != "" && text[0] != '/' && h.Num(dir) != atCWD {
			return string(text), false
		} else if text[0] != '/' && h.P.CWD == "" {
			return string(text), false
		}
		if dir != "" {
			break
		}
	}
	return name, name != ""
}

// changes learns that something outside volumes was written.
func (e *entry) changes(h *family.Hit, name string) {
	if mounted(h.C, name) {
		return
	}
	add(e.Profile, "changes", e.Changes, mostChanges, parent(name), func() *Use { e.saw(h); return use(h, h.Kind.String()+" "+name) })
}

// mounted tells whether a path is of a volume.
func mounted(c *bulwark.Container, name string) bool {
	for _, m := range c.Mounts {
		dest := strings.TrimSuffix(m.Dest, "/")
		if rest, ok := strings.CutPrefix(name, dest); ok && dest != "" && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func proto(h *family.Hit) string {
	switch h.FD.Proto {
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 132:
		return "sctp"
	}
	return ""
}

func (d *Detector) connected(h *family.Hit) bool {
	if who.Runtime(h.P) {
		return false
	}
	if h.FD.Kind == bulwark.FDUnix {
		name := string(h.FD.Name)
		e := d.of(h)
		if e == nil || !strings.HasPrefix(name, "/") || len(name) > 200 {
			return false
		}
		key := endKey("unix", name, 0)
		return e.learn(h, "destinations", e.Destinations[key] != nil, func() {
			e.keepDestination(&Destination{Use: *use(h, name), Proto: "unix", Net: name})
		})
	}
	return d.destination(h)
}

func (d *Detector) flows(h *family.Hit) bool {
	if h.FD.Proto != 17 && h.Kind == bulwark.KindFlow || h.FD.Server {
		return false
	}
	if h.Kind == bulwark.KindDNS {
		d.asks(h)
	}
	return d.destination(h)
}

// asks remembers the name that a container asks for.
func (d *Detector) asks(h *family.Hit) {
	e := d.of(h)
	name := strings.ToLower(string(h.Text("name")))
	if e == nil || name == "" {
		return
	}
	b := d.boxes.Of(h.C.ID)
	b.name, b.asked = name, h.Time
	if e.learning && h.Num("rcode") == -1 {
		add(e.Profile, "names", e.Names, mostNames, family.Clean(name), func() *Use { e.saw(h); return use(h, name) })
	}
}

// lately is for how long a name is thought to be why a connection is made.
const lately = 30 * time.Second

func (d *Detector) destination(h *family.Hit) bool {
	to, kind := h.FD.Remote, proto(h)
	if !to.IsValid() || to.Port() == 0 || kind == "" || to.Addr().IsLoopback() || to.Addr().IsUnspecified() || who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	a := to.Addr().Unmap().WithZone("")
	pod := d.pod(a)
	b := d.boxes.Of(h.C.ID)
	name := ""
	if b.name != "" && h.Time-b.asked < int64(lately) && h.Kind != bulwark.KindDNS {
		name = b.name
	}
	return e.learn(h, "destinations", e.to(kind, a, to.Port(), pod, name) != nil, func() {
		what := to.String()
		if name != "" {
			what += " after asking for " + name
		}
		e.keepDestination(&Destination{Use: *use(h, what), Proto: kind, Net: a.String(), Port: to.Port(), Name: family.Clean(name), Pod: pod})
	})
}

// listener is where a call listens; false: it does not.
func listener(h *family.Hit) (key string, l Listener, ok bool) {
	at, kind := h.FD.Local, proto(h)
	if h.Kind.String() == "listen" && kind == "" {
		kind = "tcp"
	}
	if !at.IsValid() || at.Port() == 0 || kind == "" || h.Kind.String() == "bind" && kind != "udp" {
		return "", l, false
	}
	l = Listener{Proto: kind, Port: at.Port(), Local: at.Addr().IsLoopback()}
	if l.Port >= firstEphemeral {
		if kind == "udp" {
			return "", l, false // the near end of a client
		}
		l.Port = 0
	}
	key = kind + " " + strconv.Itoa(int(l.Port))
	if l.Local {
		key += " local"
	}
	return key, l, true
}

func (d *Detector) listens(h *family.Hit) bool {
	key, l, ok := listener(h)
	if !ok || who.Runtime(h.P) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	return e.learn(h, "listeners", e.Listeners[key] != nil || e.Listeners[strings.TrimSuffix(key, " local")] != nil, func() {
		add(e.Profile, "listeners", e.Listeners, mostListeners, key, func() *Listener { l.Use = *use(h, h.FD.Local.String()); return &l })
	})
}

// accepted learns who connects; nobody is a deviation.
func (d *Detector) accepted(h *family.Hit) bool {
	from, kind := h.FD.Remote, proto(h)
	if kind == "" && h.FD.Remote.IsValid() {
		kind = "tcp"
	}
	if !from.IsValid() || kind == "" || from.Addr().IsLoopback() || !h.FD.Local.IsValid() {
		return false
	}
	e := d.of(h)
	if e == nil || !e.learning {
		return false
	}
	a, port := from.Addr().Unmap().WithZone(""), h.FD.Local.Port()
	pod := d.pod(a)
	if e.from(kind, a, port, pod) == nil {
		e.keepPeer(&Peer{Use: *use(h, from.String()), Proto: kind, Port: port, Net: a.String(), Pod: pod})
		e.saw(h)
	}
	return false
}

// runtimes are the names of those that make containers ready, by programs that are in no container.
func runtime(h *family.Hit) bool {
	if h.Num("program") != 0 {
		return false
	}
	comm := string(h.Text("comm"))
	return strings.HasPrefix(comm, "runc") || comm == "crun" || comm == "exe" || comm == "youki" || strings.Trim(comm, "0123456789") == "" || who.Runtime(h.P)
}

func (d *Detector) calls(h *family.Hit) bool {
	if runtime(h) {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	name := string(h.Text("name"))
	if e.learning && !e.Calls {
		e.Calls, e.changed = true, true
	}
	if !e.learning && !e.Calls {
		return false // it never saw any
	}
	_, known := e.Syscalls[name]
	return e.learn(h, "syscalls", known, func() {
		add(e.Profile, "syscalls", e.Syscalls, mostSyscalls, name, func() *Use { return use(h, "as "+string(h.Text("comm"))) })
	})
}

// counted are calls in which the kernel asks for CAP_SYS_ADMIN to account memory, and goes on without it.
var counted = who.Names("brk mmap mprotect mremap execve execveat clone clone3 fork vfork shmget shmat mlock madvise munmap")

func (d *Detector) granted(h *family.Hit) bool {
	name, call := string(h.Text("name")), string(h.Text("call"))
	if runtime(h) || name == "CAP_SYS_ADMIN" && counted[call] {
		return false
	}
	e := d.of(h)
	if e == nil {
		return false
	}
	if e.learning && !e.Granted {
		e.Granted, e.changed = true, true
	}
	if !e.learning && !e.Granted {
		return false
	}
	_, known := e.Capabilities[name]
	return e.learn(h, "capabilities", known, func() {
		add(e.Profile, "capabilities", e.Capabilities, mostCapabilities, name, func() *Use { return use(h, "in "+call) })
	})
}

// gone ends the time of the container whose cgroup was removed.
func (d *Detector) gone(h *family.Hit) bool {
	id := d.cgroups.Get(uint64(h.Num("id")))
	if id == nil {
		return false
	}
	if b := d.boxes.Get(*id); b != nil && b.entry != nil && b.cgroup == uint64(h.Num("id")) {
		b.count(h.Time)
		b.over = true
	}
	return false
}

// tell tells a deviation; its subject is what was new.
func (d *Detector) tell(h *family.Hit, s bulwark.Severity, subject string, evidence ...string) {
	d.subject = family.Clean(subject)
	h.TellAs(s, subject, evidence...)
}

// tellPath tells a deviation whose subject is a path.
func (d *Detector) tellPath(sort string, of func(*family.Hit) string) func(*family.Hit) {
	return func(h *family.Hit) { d.tell(h, bulwark.SeverityHigh, of(h), d.allow(h, sort, of(h))) }
}

func (d *Detector) tellFile(h *family.Hit) {
	name, how, severity := h.Path(), "read", bulwark.SeverityLow
	switch {
	case h.Kind.String() == "mmap":
		how, severity = "map", bulwark.SeverityMedium
	case strings.Contains(" "+changers+" ", " "+h.Kind.String()+" "):
		name, _ = target(h)
		how, severity = "write", bulwark.SeverityMedium
	case h.Writes():
		how, severity = "write", bulwark.SeverityMedium
	}
	at := place(name, how == "write")
	d.tell(h, severity, at, d.allow(h, how, at))
}

func (d *Detector) tellEnd(sort string) func(*family.Hit) {
	return func(h *family.Hit) {
		if sort == "listener" {
			key, _, _ := listener(h)
			d.tell(h, bulwark.SeverityHigh, key, "listens on "+h.FD.Local.String()+" ("+key+")", d.allow(h, sort, key))
			return
		}
		if h.FD.Kind == bulwark.FDUnix {
			name := string(h.FD.Name)
			severity := bulwark.SeverityMedium
			if engines[path.Base(name)] {
				severity = bulwark.SeverityHigh
			}
			d.tell(h, severity, "unix:"+name, "unix socket "+name, d.allow(h, sort, endKey("unix", name, 0)))
			return
		}
		to := netip.AddrPortFrom(h.FD.Remote.Addr().Unmap(), h.FD.Remote.Port())
		about := proto(h) + " " + to.String()
		line := ""
		if b := d.boxes.Get(h.C.ID); b != nil && b.name != "" && h.Time-b.asked < int64(lately) {
			line = "the container had asked for " + b.name
		}
		d.tell(h, bulwark.SeverityMedium, about, append(nonEmpty("to "+about, line), d.allow(h, sort, endKey(proto(h), to.Addr().String(), to.Port())))...)
	}
}

var engines = who.Names("docker.sock containerd.sock crio.sock podman.sock")

func nonEmpty(lines ...string) (out []string) {
	for _, l := range lines {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// grave are system calls that services hardly make, and attacks do.
var grave = who.Names(`mount umount2 chroot pivot_root setns unshare ptrace process_vm_readv process_vm_writev bpf perf_event_open userfaultfd keyctl add_key request_key
init_module finit_module delete_module kexec_load kexec_file_load open_by_handle_at name_to_handle_at fsopen fsmount fsconfig move_mount open_tree mount_setattr
reboot swapon swapoff iopl ioperm io_uring_setup memfd_create personality pidfd_getfd quotactl acct settimeofday clock_settime syslog kcmp lookup_dcookie 32-bit`)

func (d *Detector) tellCall(h *family.Hit) {
	name := string(h.Text("name"))
	severity := bulwark.SeverityLow
	if grave[name] {
		severity = bulwark.SeverityHigh
	}
	d.tell(h, severity, name, "system call "+name+" as "+string(h.Text("comm")), d.allow(h, "syscall", name))
}

// allow says how something is added to the profile.
func (d *Detector) allow(h *family.Hit, sort, value string) string {
	e := d.of(h)
	if e == nil {
		return ""
	}
	line := "to allow it: bulwark profile add " + d.Folder + "/" + FileName(e.key) + " " + sort + " '" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	if why := e.Thin(); why != "" {
		line = "the profile may not know all: " + why + "; " + line
	}
	return line
}
