package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/errno"
)

// eventFields are those of every event.
func eventFields() []Field {
	return []Field{
		{Name: "evt.num", Type: Number, Doc: "number of the event in this run, from 1", bind: num(func(v *event) (int64, bool) { return int64(v.Num), true })},
		{Name: "evt.time", Type: Text, Doc: "time of day, with nanoseconds", bind: clock("15:04:05.000000000", whole)},
		{Name: "evt.time.s", Type: Text, Doc: "time of day, to the second", bind: clock("15:04:05", whole)},
		{Name: "evt.time.iso8601", Type: Text, Doc: "date and time as ISO 8601 has them, with nanoseconds, in UTC", bind: clock("2006-01-02T15:04:05.000000000-0700", whole)},
		{Name: "evt.datetime", Type: Text, Doc: "date and time, with nanoseconds", bind: clock("2006-01-02 15:04:05.000000000", whole)},
		{Name: "evt.datetime.s", Type: Text, Doc: "date and time, to the second", bind: clock("2006-01-02 15:04:05", whole)},
		{Name: "evt.outputtime", Type: Text, Doc: "time as outputs have it", bind: clock("15:04:05.000000000", whole)},
		{Name: "evt.rawtime", Type: Time, Doc: "nanoseconds since 1970", bind: num(func(v *event) (int64, bool) { return v.Time, true })},
		{Name: "evt.rawtime.s", Type: Number, Doc: "whole seconds since 1970", bind: num(func(v *event) (int64, bool) { return v.Time / 1e9, true })},
		{Name: "evt.rawtime.ns", Type: Number, Doc: "nanoseconds since the last whole second", bind: num(func(v *event) (int64, bool) { return v.Time % 1e9, true })},
		{Name: "evt.reltime", Type: Span, Doc: "nanoseconds since the first event of this run", bind: num(func(v *event) (int64, bool) { return v.Time - v.env.first, true })},
		{Name: "evt.reltime.s", Type: Number, Doc: "seconds since the first event", bind: num(func(v *event) (int64, bool) { return (v.Time - v.env.first) / 1e9, true })},
		{Name: "evt.reltime.ns", Type: Number, Doc: "the part of evt.reltime that is below a second", bind: num(func(v *event) (int64, bool) { return (v.Time - v.env.first) % 1e9, true })},
		{Name: "evt.deltatime", Type: Span, Doc: "nanoseconds since the event before", bind: num(func(v *event) (int64, bool) { return v.Time - v.last, v.last != 0 })},
		{Name: "evt.deltatime.s", Type: Number, Doc: "seconds since the event before", bind: num(func(v *event) (int64, bool) { return (v.Time - v.last) / 1e9, v.last != 0 })},
		{Name: "evt.deltatime.ns", Type: Number, Doc: "the part of evt.deltatime that is below a second", bind: num(func(v *event) (int64, bool) { return (v.Time - v.last) % 1e9, v.last != 0 })},
		{Name: "evt.latency", Type: Span, Source: bulwark.SourceSyscall, Doc: "how long the call took; calls are seen when they return, so no event has it", bind: absent(Span)},
		{Name: "evt.latency.s", Type: Number, Source: bulwark.SourceSyscall, Doc: "as evt.latency", bind: absent(Number)},
		{Name: "evt.latency.ns", Type: Number, Source: bulwark.SourceSyscall, Doc: "as evt.latency", bind: absent(Number)},
		{Name: "evt.latency.quantized", Type: Number, Source: bulwark.SourceSyscall, Doc: "as evt.latency", bind: absent(Number)},
		{Name: "evt.count.procinfo", Type: Number, Source: bulwark.SourceSyscall, Doc: "always 0: there are no events that only tell of processes", bind: num(func(*event) (int64, bool) { return 0, true })},
		{Name: "evt.count.threadinfo", Type: Number, Source: bulwark.SourceSyscall, Doc: "as evt.count.procinfo", bind: num(func(*event) (int64, bool) { return 0, true })},
		{Name: "evt.infra.docker.name", Type: Text, Source: bulwark.SourceSyscall, Doc: "no event has it: what engines say are events of source engine", bind: absent(Text)},
		{Name: "evt.infra.docker.container.id", Type: Text, Source: bulwark.SourceSyscall, Doc: "as evt.infra.docker.name", bind: absent(Text)},
		{Name: "evt.infra.docker.container.name", Type: Text, Source: bulwark.SourceSyscall, Doc: "as evt.infra.docker.name", bind: absent(Text)},
		{Name: "evt.infra.docker.container.image", Type: Text, Source: bulwark.SourceSyscall, Doc: "as evt.infra.docker.name", bind: absent(Text)},
		{Name: "evt.latency.human", Type: Text, Source: bulwark.SourceSyscall, Doc: "as evt.latency", bind: absent(Text)},
		{Name: "evt.wait_latency", Type: Span, Source: bulwark.SourceSyscall, Doc: "as evt.latency", bind: absent(Span)},
		{Name: "evt.source", Type: Text, Doc: "where the event comes from: syscall, k8s_audit, engine", bind: text(func(v *event) (string, bool) { return v.Source, true })},
		{Name: "evt.hostname", Type: Text, Doc: "name of the node", bind: text(func(v *event) (string, bool) { return v.env.host, v.env.host != "" })},
		{Name: "evt.pluginname", Type: Text, Doc: "name of what gave the event, where it is no system call: k8saudit, engine", bind: text(pluginName)},
		{Name: "evt.plugininfo", Type: Text, Doc: "the event's document, where it has one", bind: text(func(v *event) (string, bool) { return str(v.Doc), len(v.Doc) > 0 })},
		{Name: "evt.is_async", Type: Bool, Doc: "always false", bind: flag(func(*event) (bool, bool) { return false, true })},
		{Name: "evt.asynctype", Type: Text, Doc: "no event has it", bind: absent(Text)},
		{Name: "evt.type", Type: Text, Doc: "name of the event: open, execve, ...", bind: text(func(v *event) (string, bool) { return eventName(v), true })},
		{Name: "evt.type.is", Type: Number, Arg: DotOnly, Doc: "1 for events of the type that is named behind the dot, else 0", bind: typeIs},
		{Name: "syscall.type", Type: Text, Source: bulwark.SourceSyscall, Doc: "name of the system call; other events have none", bind: text(func(v *event) (string, bool) { return eventName(v), v.Kind.Syscall() })},
		{Name: "evt.category", Type: Text, Source: bulwark.SourceSyscall, Doc: "what the event is about: file, net, process, memory, signal, user, system, ...", bind: text(func(v *event) (string, bool) { return category(v), true })},
		{Name: "evt.dir", Type: Text, Source: bulwark.SourceSyscall, Doc: "always <: events are seen when the call returns", bind: text(func(*event) (string, bool) { return "<", true })},
		{Name: "evt.cpu", Type: Number, Source: bulwark.SourceSyscall, Doc: "processor that it happened on", bind: num(func(v *event) (int64, bool) { return int64(v.CPU), true })},
		{Name: "evt.count", Type: Number, Doc: "always 1", bind: num(func(*event) (int64, bool) { return 1, true })},
		{Name: "evt.count.exit", Type: Number, Source: bulwark.SourceSyscall, Doc: "always 1", bind: num(func(*event) (int64, bool) { return 1, true })},
		{Name: "evt.count.error", Type: Number, Source: bulwark.SourceSyscall, Doc: "1 where the call failed, 0 where it did not", bind: failures("")},
		{Name: "evt.count.error.file", Type: Number, Source: bulwark.SourceSyscall, Doc: "1 where a call about files failed, 0 where it did not; other calls have none", bind: failures("file")},
		{Name: "evt.count.error.net", Type: Number, Source: bulwark.SourceSyscall, Doc: "1 where a call about the network failed, 0 where it did not; other calls have none", bind: failures("net")},
		{Name: "evt.count.error.memory", Type: Number, Source: bulwark.SourceSyscall, Doc: "1 where a call about memory failed, 0 where it did not; other calls have none", bind: failures("memory")},
		{Name: "evt.count.error.other", Type: Number, Source: bulwark.SourceSyscall, Doc: "1 where another call failed, 0 where it did not; other calls have none", bind: failures("other")},
		{Name: "evt.around", Type: Number, Arg: NeedIndex, Filter: true, Doc: "whether the event is within so many milliseconds of the time in the brackets: evt.around[T]=D", bind: around},
		{Name: "evt.res", Type: Text, Source: bulwark.SourceSyscall, Doc: "SUCCESS, or the name of the error: ENOENT", bind: result},
		{Name: "evt.rawres", Type: Number, Source: bulwark.SourceSyscall, Doc: "what the call returned: a number, below zero where it failed", bind: rawResult},
		{Name: "evt.failed", Type: Bool, Source: bulwark.SourceSyscall, Doc: "whether the call failed", bind: failed},
	}
}

func whole(v *event) int64 { return v.Time }

// pluginName is what Falco's plugin for the source is called, where it has one.
func pluginName(v *event) (string, bool) {
	if v.Source == bulwark.SourceK8sAudit {
		return "k8saudit", true
	}
	return v.Source, v.Source != bulwark.SourceSyscall
}

// clock writes a time; UTC, so that two runs say the same.
func clock(layout string, of func(*event) int64) func(string) (getter, error) {
	return func(string) (getter, error) {
		var k kept
		return getter{cost: dear, text: func(v *event) (string, bool) {
			if !k.fresh(v, nil) {
				k.buf = time.Unix(0, of(v)).UTC().AppendFormat(k.buf, layout)
			}
			return str(k.buf), true
		}}, nil
	}
}

func typeIs(name string) (getter, error) {
	want := named(name)
	if i := slices.Index(eventNames, name); i > 0 {
		want = bulwark.Kind(i)
	}
	if want == 0 && !slices.Contains(strings.Fields(elsewhere), name) {
		return getter{}, noEvent(name)
	}
	return getter{num: func(v *event) (int64, bool) {
		if v.Kind == want && want != 0 {
			return 1, true
		}
		return 0, true
	}}, nil
}

// returns tells whether events of the kind have a result.
func returns(k bulwark.Kind) bool {
	p := k.Params()
	return len(p) > 0 && (p[0].Type == bulwark.ParamResult || k.Syscall())
}

// makesFD tells whether calls of the kind return a file descriptor.
func makesFD(k bulwark.Kind) bool {
	p := k.Params()
	return k.Syscall() && len(p) > 0 && p[0].Type == bulwark.ParamFD && p[0].Name == "fd"
}

func result(string) (getter, error) {
	names := newMemo(errno.Name)
	return getter{has: returns, text: func(v *event) (string, bool) {
		switch {
		case !returns(v.Kind):
			return "", false
		case v.Result >= 0:
			return "SUCCESS", true
		}
		return names.text(-v.Result), true
	}}, nil
}

func rawResult(string) (getter, error) {
	return getter{has: returns, num: func(v *event) (int64, bool) { return v.Result, returns(v.Kind) }}, nil
}

func failed(string) (getter, error) {
	return getter{has: returns, num: func(v *event) (int64, bool) { return one(v.Result < 0), returns(v.Kind) }}, nil
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func failures(of string) func(string) (getter, error) {
	return num(func(v *event) (int64, bool) {
		if !returns(v.Kind) {
			return 0, false
		}
		c := category(v)
		if c != "file" && c != "net" && c != "memory" {
			c = "other"
		}
		return one(v.Result < 0), of == "" || of == c
	})
}

// listFields are those of calls that wait for several descriptors at once, which are not told.
func listFields() (list []Field) {
	for _, name := range []string{"nums", "names", "cips", "sips", "cports", "sports"} {
		list = append(list, Field{Name: "fdlist." + name, Type: Text, Source: bulwark.SourceSyscall, Doc: "of the descriptors that poll waits for, which are not looked at: no event has it", bind: absent(Text)})
	}
	return append(list, Field{Name: "util.cnt", Type: Number, Source: bulwark.SourceSyscall, Doc: "how often it was asked for", bind: counter})
}

func counter(string) (getter, error) {
	var n int64
	return getter{num: func(*event) (int64, bool) { n++; return n, true }}, nil
}

// around gives how many milliseconds the event is away from a time: rules compare it by =, which is read as "at most".
func around(arg string) (getter, error) {
	at, err := strconv.ParseInt(arg, 10, 64)
	if err != nil {
		return getter{}, err
	}
	return getter{num: func(v *event) (int64, bool) {
		away := v.Time - at
		return max(away, -away) / 1e6, true
	}}, nil
}

var categories = makeCategories()

func makeCategories() map[bulwark.Kind]string {
	m := map[bulwark.Kind]string{}
	for what, list := range map[string][]string{
		"file":      {"open", "openat", "openat2", "creat", "open_by_handle_at", "close", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "truncate", "ftruncate", "utimensat", "setxattr", "mount", "umount", "umount2", "pivot_root", "chroot", "chdir", "fchdir", "dup", "dup2", "dup3"},
		"net":       {"connect", "accept", "accept4", "bind", "listen", "socket", "socketpair", "setsockopt", "shutdown", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg"},
		"process":   {"execve", "execveat", "clone", "clone3", "fork", "vfork", "procexit", "setns", "unshare", "ptrace", "prctl", "setsid", "setpgid", "seccomp"},
		"memory":    {"mmap", "mprotect", "brk", "munmap", "mremap"},
		"signal":    {"kill", "tkill", "tgkill", "signaldeliver"},
		"user":      {"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "capset"},
		"system":    {"bpf", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff"},
		"IPC":       {"pipe", "pipe2", "semop", "semget", "semctl", "shmget"},
		"io-read":   {"read", "pread64", "readv", "preadv"},
		"io-write":  {"write", "pwrite64", "writev", "pwritev"},
		"container": {"container", "engine", "cgroup_mkdir", "cgroup_rmdir"},
	} {
		for _, name := range list {
			m[named(name)] = what
		}
	}
	return m
}

func category(v *event) string {
	c, ok := categories[v.Kind]
	switch {
	case !ok:
		return "other"
	case c == "io-read" || c == "io-write":
		if socket(v.FD.Kind) {
			return "net"
		}
		return "file"
	}
	return c
}

func kindsNamed(list ...string) []bulwark.Kind {
	var kinds []bulwark.Kind
	for _, name := range list {
		if k := named(name); k != 0 {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

func kindIs(kinds []bulwark.Kind) func(string) (getter, error) {
	return flag(func(v *event) (bool, bool) { return slices.Contains(kinds, v.Kind), true })
}
