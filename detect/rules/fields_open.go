package rules

import (
	"slices"

	"bulwark"
)

var (
	readers = kindsNamed("read", "pread64", "readv", "preadv", "recvfrom", "recvmsg", "recvmmsg")
	writers = kindsNamed("write", "pwrite64", "writev", "pwritev", "sendto", "sendmsg", "sendmmsg")
	waiters = kindsNamed("select", "poll", "ppoll", "pselect6", "epoll_pwait", "nanosleep", "futex", "flock", "wait4", "waitid", "pause")
)

const (
	accessMode = 3
	writeOnly  = 1
	readWrite  = 2
	createFlag = 0o100
	tmpFlag    = 0o20000000
	anyExecute = 0o111
)

// openFields are those of opens, reads and writes.
func openFields() []Field {
	of := bulwark.SourceSyscall
	return []Field{
		{Name: "evt.is_open_read", Type: Bool, Source: of, Doc: "whether open, openat, openat2 or open_by_handle_at opened for reading", bind: flag(func(v *event) (bool, bool) { return opensFor(v, false), true })},
		{Name: "evt.is_open_write", Type: Bool, Source: of, Doc: "whether one of them opened for writing", bind: flag(func(v *event) (bool, bool) { return opensFor(v, true), true })},
		{Name: "evt.is_open_exec", Type: Bool, Source: of, Doc: "whether a file was made that may be executed", bind: flag(func(v *event) (bool, bool) { return makesExecutable(v), true })},
		{Name: "evt.is_open_create", Type: Bool, Source: of, Doc: "whether open, openat, openat2 or open_by_handle_at may have made the file: it succeeded, and was asked to make it where there is none", bind: flag(func(v *event) (bool, bool) { return mayCreate(v), true })},
		{Name: "evt.is_io", Type: Bool, Source: of, Doc: "whether the call reads or writes", bind: kindIs(slices.Concat(readers, writers))},
		{Name: "evt.is_io_read", Type: Bool, Source: of, Doc: "whether the call reads", bind: kindIs(readers)},
		{Name: "evt.is_io_write", Type: Bool, Source: of, Doc: "whether the call writes", bind: kindIs(writers)},
		{Name: "evt.io_dir", Type: Text, Source: of, Doc: "read for calls that read, write for those that write", bind: text(direction)},
		{Name: "evt.is_wait", Type: Bool, Source: of, Doc: "whether the call waits", bind: kindIs(waiters)},
		{Name: "evt.is_syslog", Type: Bool, Source: of, Doc: "whether it is a write to /dev/log", bind: flag(func(v *event) (bool, bool) {
			return slices.Contains(writers, v.Kind) && string(v.FD.Name) == "/dev/log", true
		})},
		{Name: "evt.buffer", Type: Bytes, Source: of, Doc: "what was read or written, as far as it was kept", bind: text(buffer)},
		{Name: "evt.buflen", Type: Number, Source: of, Doc: "how much was read or written", bind: num(bufferLength)},
		{Name: "evt.buflen.in", Type: Number, Source: of, Doc: "how much was read", bind: bufferOf(readers, nil)},
		{Name: "evt.buflen.out", Type: Number, Source: of, Doc: "how much was written", bind: bufferOf(writers, nil)},
		{Name: "evt.buflen.file", Type: Number, Source: of, Doc: "how much was read from a file or written to it", bind: bufferOf(nil, file)},
		{Name: "evt.buflen.file.in", Type: Number, Source: of, Doc: "how much was read from a file", bind: bufferOf(readers, file)},
		{Name: "evt.buflen.file.out", Type: Number, Source: of, Doc: "how much was written to a file", bind: bufferOf(writers, file)},
		{Name: "evt.buflen.net", Type: Number, Source: of, Doc: "how much was received or sent", bind: bufferOf(nil, socket)},
		{Name: "evt.buflen.net.in", Type: Number, Source: of, Doc: "how much was received", bind: bufferOf(readers, socket)},
		{Name: "evt.buflen.net.out", Type: Number, Source: of, Doc: "how much was sent", bind: bufferOf(writers, socket)},
	}
}

// paramAt is the index of a parameter in each kind, or -1.
func paramAt(name string) []int16 {
	list := make([]int16, len(bulwark.Kinds())+1)
	for k := range list {
		list[k] = int16(slices.IndexFunc(bulwark.Kind(k).Params(), func(p bulwark.Param) bool { return p.Name == name }))
	}
	return list
}

var flagsAt, modeAt = paramAt("flags"), paramAt("mode")

// number is the argument that at leads to.
func number(v *event, at []int16) (int64, bool) {
	if int(v.Kind) >= len(at) {
		return 0, false
	}
	i := int(at[v.Kind])
	if i < 0 || i >= len(v.Args) {
		return 0, false
	}
	return v.Args[i].Num, true
}

func opensFor(v *event, write bool) bool {
	if !slices.Contains(opens, v.Kind) {
		return false
	}
	flags, ok := number(v, flagsAt)
	if !ok {
		return false
	}
	mode := flags & accessMode
	if write {
		return mode == writeOnly || mode == readWrite
	}
	return mode != writeOnly
}

func makesExecutable(v *event) bool {
	if v.Kind != kindCreat {
		if !slices.Contains(opens, v.Kind) {
			return false
		}
		if flags, ok := number(v, flagsAt); !ok || flags&createFlag == 0 && flags&tmpFlag != tmpFlag {
			return false
		}
	}
	mode, ok := number(v, modeAt)
	return ok && mode&anyExecute != 0
}

func mayCreate(v *event) bool {
	if v.Result < 0 || !slices.Contains(opens, v.Kind) {
		return false
	}
	flags, ok := number(v, flagsAt)
	return ok && (flags&createFlag != 0 || flags&tmpFlag == tmpFlag)
}

func direction(v *event) (string, bool) {
	switch {
	case slices.Contains(readers, v.Kind):
		return "read", true
	case slices.Contains(writers, v.Kind):
		return "write", true
	}
	return "", false
}

func buffer(v *event) (string, bool) {
	for i, p := range v.Kind.Params() {
		if p.Type == bulwark.ParamBytes && i < len(v.Args) {
			return str(v.Args[i].Text), true
		}
	}
	return "", false
}

func bufferLength(v *event) (int64, bool) {
	if v.Result < 0 || !slices.Contains(readers, v.Kind) && !slices.Contains(writers, v.Kind) {
		return 0, false
	}
	return v.Result, true
}

func bufferOf(kinds []bulwark.Kind, of func(bulwark.FDKind) bool) func(string) (getter, error) {
	return num(func(v *event) (int64, bool) {
		if kinds != nil && !slices.Contains(kinds, v.Kind) || of != nil && !of(v.FD.Kind) {
			return 0, false
		}
		return bufferLength(v)
	})
}

func file(k bulwark.FDKind) bool { return k == bulwark.FDFile || k == bulwark.FDDirectory }

func socket(k bulwark.FDKind) bool {
	return k == bulwark.FDIPv4 || k == bulwark.FDIPv6 || k == bulwark.FDUnix
}
