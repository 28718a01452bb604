package family

import (
	"bytes"
	"net/netip"
	"path"
	"reflect"
	"slices"

	"bulwark"
)

// The errnos of calls that go on.
const (
	inProgress = -115
	wouldBlock = -11
)

var connects = kindsOf("connect")[0]

// everything tells whether all events meet it.
func everything(w bulwark.Where) bool {
	return w.Container == bulwark.Either && w.Failed == bulwark.Either && w.Write == bulwark.Either &&
		!w.Climbs && len(w.Paths) == 0 && len(w.Flags) == 0 && len(w.Ports) == 0 && len(w.Nets) == 0 && len(w.EitherPort) == 0 && len(w.First) == 0
}

// pushed is what a sensor can hold to. Of calls that give no file descriptor only the path as it was given is
// known, which may be relative: then paths are left to [meets].
func pushed(k bulwark.Kind, w bulwark.Where) bulwark.Where {
	if !givesFD(k) {
		w.Paths = nil
	}
	if k == connects {
		w.Failed = bulwark.Either // a connection in progress did not fail
	}
	return w
}

// join adds a condition. Those that differ in their paths alone are made one, since sensors have room for few.
func join(list []bulwark.Where, w bulwark.Where) []bulwark.Where {
	for i, old := range list {
		paths := old.Paths
		if (len(paths) == 0) != (len(w.Paths) == 0) {
			continue
		}
		old.Paths = w.Paths
		if !reflect.DeepEqual(old, w) {
			continue
		}
		paths = slices.Clip(paths) // a rule's own list stays as it is
		for _, m := range w.Paths {
			if !slices.Contains(paths, m) {
				paths = append(paths, m)
			}
		}
		list[i].Paths = paths
		return list
	}
	return append(list, w)
}

// withFD has the kinds that give a file descriptor.
var withFD = func() []bool {
	list := []bool{false}
	for _, k := range bulwark.Kinds() {
		list = append(list, slices.ContainsFunc(k.Params(), func(p bulwark.Param) bool { return p.Name == "fd" && p.Type == bulwark.ParamFD }))
	}
	return list
}()

func givesFD(k bulwark.Kind) bool { return int(k) < len(withFD) && withFD[k] }

// meets tells whether an event is what a look wants.
func meets(h *Hit, l *Look) bool {
	w := &l.Where
	if !answers(w.Container, h.C != nil) || !answers(w.Failed, h.Failed()) || w.Write != bulwark.Either && !answers(w.Write, h.Writes()) {
		return false
	}
	if len(l.Magic) != 0 && h.FD.Magic != 0 && !slices.Contains(l.Magic, h.FD.Magic) {
		return false
	}
	if len(w.Ports) != 0 && !slices.Contains(w.Ports, h.FD.Remote.Port()) || len(w.Nets) != 0 && !inNets(w.Nets, h.FD.Remote.Addr()) {
		return false
	}
	if len(w.EitherPort) != 0 && !slices.Contains(w.EitherPort, h.FD.Remote.Port()) && !slices.Contains(w.EitherPort, h.FD.Local.Port()) {
		return false
	}
	if data := h.Text("data"); len(w.First) != 0 && (len(data) == 0 || bytes.IndexByte(w.First, data[0]) < 0) {
		return false
	}
	for _, m := range w.Flags {
		if m.Param >= len(h.Args) || h.Args[m.Param].Num&m.Any == 0 {
			return false
		}
	}
	return (!w.Climbs || climbs(h)) && (len(w.Paths) == 0 || meetsPath(h, w.Paths, w.AsGiven))
}

// climbs tells whether a path that was asked for has "../" in it.
func climbs(h *Hit) bool {
	for i, p := range h.Kind.Params() {
		if p.Type == bulwark.ParamPath && i < len(h.Args) && bytes.Contains(h.Args[i].Text, []byte("../")) {
			return true
		}
	}
	return false
}

func answers(t bulwark.Tri, is bool) bool {
	return t == bulwark.Either || (t == bulwark.Yes) == is
}

func inNets(nets []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// meetsPath remembers the path that met.
func meetsPath(h *Hit, list []bulwark.PathMatch, asGiven bool) bool {
	h.met = nil
	if len(h.FD.Name) != 0 && matchesAny(list, h.FD.Name) {
		h.met = h.FD.Name
		return true
	}
	if len(h.FD.Name) != 0 && givesFD(h.Kind) && !asGiven {
		return false // what was opened is known
	}
	for i, p := range h.Kind.Params() {
		if p.Type != bulwark.ParamPath || i >= len(h.Args) || len(h.Args[i].Text) == 0 || notOfCall(p.Name) {
			continue
		}
		text := h.Args[i].Text
		if matchesAny(list, text) {
			h.met = text
			return true
		}
		if givesFD(h.Kind) {
			continue // the sensor did not join them
		}
		if text[0] != '/' || bytes.Contains(text, []byte("/.")) || bytes.Contains(text, []byte("//")) {
			h.room = append(h.room[:0], h.resolve(text)...)
			if matchesAny(list, h.room) {
				h.met = h.room
				return true
			}
		}
	}
	return false
}

// notOfCall tells whether a path is about the process, not what it asks for.
func notOfCall(name string) bool {
	return name == "cwd" || name == "trusted_exepath"
}

// resolve joins a path with the working directory. Links are not looked at: nothing here reads files.
func (h *Hit) resolve(text []byte) string {
	if text[0] == '/' {
		return path.Clean(string(text))
	}
	return path.Join("/", h.P.CWD, string(text))
}

func matchesAny(list []bulwark.PathMatch, name []byte) bool {
	for i := range list {
		if Matches(&list[i], name) {
			return true
		}
	}
	return false
}

// Matches tells whether a path has the text where it shall.
func Matches(m *bulwark.PathMatch, name []byte) bool {
	switch n := len(m.Text); {
	case len(name) < n:
		return false
	case m.By == bulwark.PathBegins:
		return string(name[:n]) == m.Text
	case m.By == bulwark.PathEnds:
		return string(name[len(name)-n:]) == m.Text
	case m.By == bulwark.PathHas:
		return bytes.Contains(name, []byte(m.Text))
	}
	return string(name) == m.Text
}

// Begins are paths below these, Ends those that end so, Is these.
func Begins(list ...string) []bulwark.PathMatch { return matches(bulwark.PathBegins, list) }

// Ends are paths that end so.
func Ends(list ...string) []bulwark.PathMatch { return matches(bulwark.PathEnds, list) }

// Are are these paths.
func Are(list ...string) []bulwark.PathMatch { return matches(bulwark.PathIs, list) }

func matches(by bulwark.PathBy, list []string) []bulwark.PathMatch {
	out := make([]bulwark.PathMatch, len(list))
	for i, text := range list {
		out[i] = bulwark.PathMatch{By: by, Text: text}
	}
	return out
}

// Mounted is what containers mostly call the root of their node, where they have it.
var Mounted = []string{"/host", "/hostfs", "/rootfs", "/host-root", "/hostroot", "/hostrootfs", "/node", "/mnt", "/mnt/host", "/mnt/root", "/proc/1/root"}

// OnNode adds to paths what they are called by containers that have the node's.
func OnNode(list []bulwark.PathMatch) []bulwark.PathMatch {
	out := slices.Clone(list)
	for _, m := range list {
		for _, root := range Mounted {
			if m.By == bulwark.PathIs || m.By == bulwark.PathBegins {
				out = append(out, bulwark.PathMatch{By: m.By, Text: root + m.Text})
			}
		}
	}
	return out
}
