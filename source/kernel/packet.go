package kernel

import (
	"encoding/binary"

	"bulwark"
)

// packet tells whether the event is one of packets, whose records end with their text.
func packet(event uint16) bool { return event >= evPayload && event <= evFlow }

// payload puts what the record has of a packet (size, direction, bytes) in the order of parameters.
func payload(args []bulwark.Arg) []bulwark.Arg {
	var size bulwark.Arg
	var data bulwark.Arg
	for _, a := range args {
		if a.Text != nil {
			data = a
		}
	}
	if len(args) > 0 {
		size = args[0]
	}
	return append(args[:0], data, size)
}

// dns reads the question of a name server's packet: the name, its type, and the answer's code, which is -1 in
// questions. name is where the name goes.
func dns(args []bulwark.Arg, name *[256]byte) []bulwark.Arg {
	var b []byte
	answer := len(args) > 1 && args[1].Num == 0
	for _, a := range args {
		if a.Text != nil {
			b = a.Text
		}
	}
	if len(b) > 14 && int(binary.BigEndian.Uint16(b)) >= len(b)-2 && b[4]&0x78 == 0 && binary.BigEndian.Uint16(b[6:]) == 1 && len(b) > 2 && b[2]|b[3] != 0 {
		if binary.BigEndian.Uint16(b[4:]) != 1 { // over TCP the length comes first
			b = b[2:]
		}
	}
	args = args[:0]
	if len(b) < 12 {
		return append(args, bulwark.Arg{}, bulwark.Arg{}, bulwark.Arg{Num: -1})
	}
	rcode := int64(-1)
	if answer || b[2]&0x80 != 0 {
		rcode = int64(b[3] & 15)
	}
	out, rest := name[:0], b[12:]
	for len(rest) > 0 && rest[0] != 0 && rest[0] < 64 && int(rest[0]) < len(rest) && len(out)+int(rest[0])+1 < len(name) {
		if len(out) > 0 {
			out = append(out, '.')
		}
		out = append(out, rest[1:1+rest[0]]...)
		rest = rest[1+rest[0]:]
	}
	kind := int64(0)
	if len(rest) >= 3 {
		kind = int64(binary.BigEndian.Uint16(rest[1:]))
	}
	return append(args, bulwark.Arg{Text: out}, bulwark.Arg{Num: kind}, bulwark.Arg{Num: rcode})
}
