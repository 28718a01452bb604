package rules

import (
	"net/netip"
	"strconv"

	"bulwark"
)

// typeNames and typeChars say what a file descriptor stands for.
var (
	typeNames = [...]string{
		bulwark.FDFile: "file", bulwark.FDDirectory: "directory", bulwark.FDIPv4: "ipv4", bulwark.FDIPv6: "ipv6", bulwark.FDUnix: "unix",
		bulwark.FDPipe: "pipe", bulwark.FDEvent: "event", bulwark.FDSignal: "signalfd", bulwark.FDEventPoll: "eventpoll",
		bulwark.FDInotify: "inotify", bulwark.FDTimer: "timerfd", bulwark.FDNetlink: "netlink", bulwark.FDBPF: "bpf",
		bulwark.FDUserfault: "userfaultfd", bulwark.FDIOURing: "io_uring", bulwark.FDMemory: "memfd", bulwark.FDPID: "pidfd",
		bulwark.FDPacket: "packet", bulwark.FDOther: "other",
	}
	typeChars = [...]string{
		bulwark.FDFile: "f", bulwark.FDDirectory: "d", bulwark.FDIPv4: "4", bulwark.FDIPv6: "6", bulwark.FDUnix: "u",
		bulwark.FDPipe: "p", bulwark.FDEvent: "e", bulwark.FDSignal: "s", bulwark.FDEventPoll: "l", bulwark.FDInotify: "i",
		bulwark.FDTimer: "t", bulwark.FDNetlink: "n", bulwark.FDBPF: "b", bulwark.FDUserfault: "u", bulwark.FDIOURing: "r",
		bulwark.FDMemory: "m", bulwark.FDPID: "P", bulwark.FDPacket: "o", bulwark.FDOther: "o",
	}
)

// endpointText writes the ends of sockets.
type endpointText struct {
	pair, far kept
}

func ip(k bulwark.FDKind) bool { return k == bulwark.FDIPv4 || k == bulwark.FDIPv6 }

// name is the path of a file, or the ends of a socket: client->server.
func (t *endpointText) name(v *event) (string, bool) {
	if ip(v.FD.Kind) {
		return t.tuple(v)
	}
	return str(v.FD.Name), v.FD.Kind != bulwark.FDNone
}

func (t *endpointText) tuple(v *event) (string, bool) {
	if !ip(v.FD.Kind) {
		return str(v.FD.Name), v.FD.Kind == bulwark.FDUnix
	}
	if t.pair.fresh(v, nil) {
		return str(t.pair.buf), true
	}
	client, server := v.client(), v.server()
	b := t.pair.buf
	if client.Addr().IsValid() {
		b = appendEndpoint(b, client)
	}
	if client.Addr().IsValid() && server.Addr().IsValid() {
		b = append(b, "->"...)
	}
	if server.Addr().IsValid() {
		b = appendEndpoint(b, server)
	}
	t.pair.buf = b
	return str(b), true
}

// remote is the address that argument i gives: a text, or the other end.
func (t *endpointText) remote(v *event, i int) (string, bool) {
	if i < len(v.Args) && len(v.Args[i].Text) > 0 {
		return str(v.Args[i].Text), true
	}
	if !ip(v.FD.Kind) {
		return str(v.FD.Name), v.FD.Kind == bulwark.FDUnix
	}
	if !t.far.fresh(v, nil) {
		end := v.FD.Remote
		if v.Kind == kindBind {
			end = v.FD.Local
		}
		t.far.buf = appendEndpoint(t.far.buf, end)
	}
	return str(t.far.buf), true
}

func appendEndpoint(b []byte, a netip.AddrPort) []byte {
	if a.Addr().IsValid() {
		b = a.Addr().Unmap().AppendTo(b)
	}
	b = append(b, ':')
	return strconv.AppendUint(b, uint64(a.Port()), 10)
}
