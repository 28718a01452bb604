package kernel

import (
	"encoding/binary"

	"bulwark"
)

// packet tells whether the event is one of packets, whose records end with their text.
func packet(event uint16) bool { return event >= evPayload && event <= evFlow }

// bytesOf gives what the record of a packet has: the size of its payload, and the first bytes.
func bytesOf(args []bulwark.Arg) (data []byte, size int64) {
	if n := len(args); n > 0 {
		data, size = args[n-1].Text, args[0].Num
	}
	return data, size
}

// payload puts the arguments of such an event in the order of its parameters.
func payload(args []bulwark.Arg) []bulwark.Arg {
	data, size := bytesOf(args)
	return append(args[:0], bulwark.Arg{Text: data}, bulwark.Arg{Num: size})
}

// dns does so for what a name server is asked or answers. name is where the name goes; what is no message of DNS has none.
func dns(args []bulwark.Arg, tcp bool, name *[256]byte) []bulwark.Arg {
	b, _ := bytesOf(args)
	var q question
	var ok bool
	if tcp && len(b) > 2 { // the length comes first, or came in a packet of its own
		q, ok = readQuestion(b[2:], name[:0])
	}
	if !ok {
		q, ok = readQuestion(b, name[:0])
	}
	if !ok {
		q = question{rcode: -1}
	}
	return append(args[:0], bulwark.Arg{Text: q.name}, bulwark.Arg{Num: q.kind}, bulwark.Arg{Num: q.rcode})
}

// question is what a message asks or answers (RFC 1035, 4.1).
type question struct {
	name  []byte // without the dot at its end
	kind  int64  // 1: A, 28: AAAA, ...
	rcode int64  // of an answer; -1: it is none
}

const (
	messageBytes = 12
	labelBytes   = 63
	shown        = 288 // bytes of a payload that are told: SHOWN of bpf/net.h
)

// readQuestion reads a message with one question, which all have that are sent. The name is put into room.
func readQuestion(b, room []byte) (q question, ok bool) {
	if len(b) < messageBytes {
		return q, false
	}
	flags, questions, rest := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]), b[messageBytes:]
	if opcode := flags >> 11 & 15; opcode != 0 || questions != 1 {
		return q, false
	}
	q.name, q.rcode = room, -1
	if flags&0x8000 != 0 {
		q.rcode = int64(flags & 15)
	}
	for {
		if len(rest) == 0 || int(rest[0]) > min(labelBytes, len(rest)-1) {
			return q, false
		}
		label := rest[1 : 1+int(rest[0])]
		rest = rest[1+len(label):]
		if len(label) == 0 {
			break
		}
		if len(q.name)+1+len(label) > cap(room) {
			return q, false
		}
		if len(q.name) > 0 {
			q.name = append(q.name, '.')
		}
		q.name = append(q.name, label...)
	}
	if len(rest) < 4 { // type and class
		return q, false
	}
	q.kind = int64(binary.BigEndian.Uint16(rest))
	return q, true
}
