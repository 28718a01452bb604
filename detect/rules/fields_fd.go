package rules

import (
	"slices"
	"strings"

	"bulwark"
)

// fdFields are those of the file descriptor that a call is about.
func fdFields() []Field {
	of := bulwark.SourceSyscall
	return []Field{
		{Name: "fd.num", Type: Number, Source: of, Doc: "number of the file descriptor; -1: there is none, or the call that should have made it failed", bind: num(descriptor)},
		{Name: "fd.type", Type: Text, Source: of, Doc: "what it stands for: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd, packet", bind: text(func(v *event) (string, bool) { return typeNames[v.FD.Kind], v.FD.Kind != bulwark.FDNone })},
		{Name: "fd.typechar", Type: Text, Source: of, Doc: "the same in a letter: f file, d directory, 4 and 6 IP, u unix socket, p pipe, e event, s signal, l eventpoll, i inotify, t timer, n netlink, b bpf, u userfaultfd, r io_uring, m memfd, P pidfd, o other", bind: text(typeChar)},
		{Name: "fd.name", Type: Text, Source: of, Doc: "path of a file, or client->server of a socket; where an open failed, the path that was asked for, made absolute", bind: ofFD((*fdText).name)},
		{Name: "fd.nameraw", Type: Text, Source: of, Doc: "path as the call was given it", bind: ofFD((*fdText).raw)},
		{Name: "fd.directory", Type: Text, Source: of, Doc: "folder of a file; of a folder itself its path", bind: ofFD((*fdText).directory)},
		{Name: "fd.filename", Type: Text, Source: of, Doc: "name of a file, without the folder", bind: ofFD((*fdText).filename)},
		{Name: "fd.uid", Type: Text, Source: of, Doc: "thread and number of the descriptor together", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			b = appendNumber(b, int64(v.TID))
			return appendNumber(b, int64(v.FD.Num)), v.FD.Kind != bulwark.FDNone
		})},
		{Name: "fd.containername", Type: Text, Source: of, Doc: "container.id and fd.name, with a colon between", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			name, ok := v.fd.name(v)
			return append(append(append(b, containerID(v)...), ':'), name...), ok
		})},
		{Name: "fd.containerdirectory", Type: Text, Source: of, Doc: "container.id and fd.directory, with a colon between", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			name, ok := v.fd.directory(v)
			return append(append(append(b, containerID(v)...), ':'), name...), ok
		})},
		{Name: "fd.dev", Type: Number, Source: of, Doc: "device that has the file", bind: num(func(v *event) (int64, bool) { return int64(v.FD.Device), file(v.FD.Kind) })},
		{Name: "fd.dev.major", Type: Number, Source: of, Doc: "major number of the device", bind: num(func(v *event) (int64, bool) { return major(v.FD.Device), file(v.FD.Kind) })},
		{Name: "fd.dev.minor", Type: Number, Source: of, Doc: "minor number of the device", bind: num(func(v *event) (int64, bool) { return minor(v.FD.Device), file(v.FD.Kind) })},
		{Name: "fd.ino", Type: Number, Source: of, Doc: "inode of the file", bind: num(func(v *event) (int64, bool) { return int64(v.FD.Inode), v.FD.Inode != 0 })},
		{Name: "fd.is_upper_layer", Type: Bool, Source: of, Doc: "whether the file is in the upper layer of an overlay: written since the container began", bind: flag(func(v *event) (bool, bool) { return v.FD.Upper, file(v.FD.Kind) })},
		{Name: "fd.is_lower_layer", Type: Bool, Source: of, Doc: "whether the file is in a lower layer of an overlay: as the image has it", bind: flag(func(v *event) (bool, bool) {
			return !v.FD.Upper && v.FD.Magic == overlayMagic, file(v.FD.Kind)
		})},
		{Name: "fd.types", Type: Text, Arg: MayIndex, List: true, Source: of, Doc: "what the standard descriptors of the process stand for, or the one with that number: of others than 0, 1 and 2 nothing is known", bind: stdioTypes},
		{Name: "fd.name_changed", Type: Bool, Source: of, Doc: "whether the call gave the socket another end", bind: flag(func(v *event) (bool, bool) {
			return newEnd(v), v.FD.Kind != bulwark.FDNone
		})},
	}
}

func descriptor(v *event) (int64, bool) {
	switch {
	case fdMakers.has(v.Kind):
		return max(v.Result, -1), true
	case v.FD.Kind == bulwark.FDNone:
		return -1, true
	}
	return int64(v.FD.Num), true
}

var fdMakers = func() kinds {
	s := noKinds()
	for _, k := range bulwark.Kinds() {
		if makesFD(k) {
			s.add(k)
		}
	}
	return s
}()

const overlayMagic = 0x794c7630

func major(d uint64) int64 { return int64(d >> 20 & 0xfff) }
func minor(d uint64) int64 { return int64(d & 0xfffff) }

var (
	naming   = kindsNamed("connect", "accept", "accept4", "bind")
	sending  = kindsNamed("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg")
	makeSock = kindsNamed("socket", "accept", "accept4")
	pipes    = kindsNamed("pipe", "pipe2")
	openers  = append(slices.Clone(opens), kindCreat)
)

// newEnd is true for calls that name the other end, as those do that send on a socket which is not connected.
func newEnd(v *event) bool {
	return socket(v.FD.Kind) && (slices.Contains(naming, v.Kind) || slices.Contains(sending, v.Kind) && !v.FD.Connected)
}

// typeChar is told also of calls that failed to make a descriptor: by what it would have been.
func typeChar(v *event) (string, bool) {
	switch {
	case v.FD.Kind != bulwark.FDNone:
		return typeChars[v.FD.Kind], true
	case slices.Contains(openers, v.Kind):
		return "f", true
	case slices.Contains(makeSock, v.Kind):
		return "4", true
	case slices.Contains(pipes, v.Kind):
		return "p", true
	}
	return "o", makesFD(v.Kind)
}

// fdText works out names once an event, for all fields that want them.
type fdText struct {
	addrs  endpointText
	failed kept
	ok     bool
	path   resolver
}

func ofFD(f func(*fdText, *event) (string, bool)) func(string) (getter, error) {
	return func(string) (getter, error) {
		return getter{cost: 1, text: func(v *event) (string, bool) { return f(&v.fd, v) }}, nil
	}
}

func (t *fdText) name(v *event) (string, bool) {
	if v.FD.Kind != bulwark.FDNone {
		return t.addrs.name(v)
	}
	return t.wanted(v)
}

var nameAt, handleAt = paramAt("name"), paramAt("path")

// wanted is the path that an open which failed was asked for.
func (t *fdText) wanted(v *event) (string, bool) {
	if v.Result >= 0 || !slices.Contains(openers, v.Kind) {
		return "", false
	}
	if t.failed.fresh(v, nil) {
		return str(t.failed.buf), t.ok
	}
	at := nameAt
	if v.Kind == kindHandle {
		at = handleAt
	}
	given, ok := argAt(v, at)
	if t.ok = ok || len(v.FD.Raw) > 0; !t.ok {
		return "", false
	}
	s, _ := str(given.Text), 0
	if ok && s != "" {
		s, _ = t.path.absolute(v, int(at[v.Kind]))
	} else if len(v.FD.Raw) > 0 {
		s = str(v.FD.Raw)
	}
	t.failed.buf = append(t.failed.buf, s...)
	return str(t.failed.buf), true
}

func (t *fdText) raw(v *event) (string, bool) {
	switch {
	case len(v.FD.Raw) > 0:
		return str(v.FD.Raw), true
	case slices.Contains(openers, v.Kind):
		at := nameAt
		if v.Kind == kindHandle {
			at = handleAt
		}
		if a, ok := argAt(v, at); ok && len(a.Text) > 0 {
			return str(a.Text), true
		}
	}
	return str(v.FD.Name), file(v.FD.Kind)
}

func (t *fdText) directory(v *event) (string, bool) {
	switch v.FD.Kind {
	case bulwark.FDDirectory:
		return str(v.FD.Name), true
	case bulwark.FDFile:
		return folderOf(str(v.FD.Name)), true
	case bulwark.FDNone:
		s, ok := t.wanted(v)
		return folderOf(s), ok
	}
	return "", false
}

// folderOf is the part before the last stroke; "/" where there is no other.
func folderOf(s string) string {
	switch i := strings.LastIndexByte(s, '/'); {
	case i <= 0:
		return "/"
	case i < len(s)-1:
		return s[:i]
	}
	return s
}

func (t *fdText) filename(v *event) (string, bool) {
	if v.FD.Kind != bulwark.FDFile {
		return "", false
	}
	s := str(v.FD.Name)
	i := strings.LastIndexByte(s, '/')
	if i < 0 || i == len(s)-1 {
		return "/", true
	}
	return s[i+1:], true
}
