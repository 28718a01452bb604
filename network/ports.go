package network

import (
	"fmt"
	"slices"
	"strings"
)

// Protocol is one that policies know.
type Protocol uint8

// The protocols, in the order in which they are written.
const (
	SCTP Protocol = iota
	TCP
	UDP
	protocols
)

func (p Protocol) String() string { return [...]string{"SCTP", "TCP", "UDP"}[p] }

// protocolOf reads a protocol's name; "" is TCP.
func protocolOf(name string) (Protocol, bool) {
	switch strings.ToUpper(name) {
	case "", "TCP":
		return TCP, true
	case "UDP":
		return UDP, true
	case "SCTP":
		return SCTP, true
	}
	return 0, false
}

// span is the ports from first to last.
type span struct{ first, last uint16 }

const lastPort = 65535

// Ports are ports of protocols: what a connection may use. The zero value is none.
type Ports struct {
	of [protocols][]span // in order, neither touching nor overlapping
}

// AllPorts is every port of every protocol.
func AllPorts() Ports {
	var p Ports
	for i := range p.of {
		p.of[i] = []span{{1, lastPort}}
	}
	return p
}

// PortRange is the ports of a protocol from first to last.
func PortRange(p Protocol, first, last uint16) Ports {
	var ports Ports
	if first <= last {
		ports.of[p] = []span{{max(first, 1), last}}
	}
	return ports
}

// Empty tells whether there are none.
func (p Ports) Empty() bool {
	for _, spans := range p.of {
		if len(spans) > 0 {
			return false
		}
	}
	return true
}

// All tells whether nothing is missing.
func (p Ports) All() bool {
	for _, spans := range p.of {
		if len(spans) != 1 || spans[0].first > 1 || spans[0].last != lastPort {
			return false
		}
	}
	return true
}

// Has tells whether a port of a protocol is among them.
func (p Ports) Has(proto Protocol, port uint16) bool {
	i, found := slices.BinarySearchFunc(p.of[proto], port, func(s span, port uint16) int {
		switch {
		case s.last < port:
			return -1
		case s.first > port:
			return 1
		}
		return 0
	})
	return found && i < len(p.of[proto])
}

// Equal tells whether both are the same ports.
func (p Ports) Equal(q Ports) bool {
	for i := range p.of {
		if !slices.Equal(p.of[i], q.of[i]) {
			return false
		}
	}
	return true
}

// sum is the same for ports that are equal.
func (p Ports) sum() uint64 {
	var sum uint64
	for _, spans := range p.of {
		sum = mixed(sum, uint64(len(spans)))
		for _, s := range spans {
			sum = mixed(sum, uint64(s.first)<<16|uint64(s.last))
		}
	}
	return sum
}

// Union is the ports of either.
func (p Ports) Union(q Ports) Ports {
	for i := range p.of {
		switch {
		case len(q.of[i]) == 0:
		case len(p.of[i]) == 0:
			p.of[i] = q.of[i]
		default:
			p.of[i] = joined(slices.Concat(p.of[i], q.of[i]))
		}
	}
	return p
}

// joined sorts spans and makes one of those that touch.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return int(a.first) - int(b.first) })
	list := spans[:0]
	for _, s := range spans {
		if n := len(list); n > 0 && int(s.first) <= int(list[n-1].last)+1 {
			list[n-1].last = max(list[n-1].last, s.last)
			continue
		}
		list = append(list, s)
	}
	return list
}

// Intersect is the ports of both.
func (p Ports) Intersect(q Ports) Ports {
	var both Ports
	for i := range p.of {
		a, b := p.of[i], q.of[i]
		for len(a) > 0 && len(b) > 0 {
			if s := (span{max(a[0].first, b[0].first), min(a[0].last, b[0].last)}); s.first <= s.last {
				both.of[i] = append(both.of[i], s)
			}
			if a[0].last < b[0].last {
				a = a[1:]
			} else {
				b = b[1:]
			}
		}
	}
	return both
}

// String is the ports as people write them: "All Connections", "TCP 80,443,UDP 53",
// "No Connections".
func (p Ports) String() string {
	switch {
	case p.All():
		return "All Connections"
	case p.Empty():
		return "No Connections"
	}
	var b strings.Builder
	for proto, spans := range p.of {
		for i, s := range spans {
			switch {
			case i > 0:
				b.WriteByte(',')
			case b.Len() > 0:
				b.WriteString("," + Protocol(proto).String() + " ")
			default:
				b.WriteString(Protocol(proto).String() + " ")
			}
			if s.first == s.last {
				fmt.Fprint(&b, s.first)
			} else {
				fmt.Fprintf(&b, "%d-%d", s.first, s.last)
			}
		}
	}
	return b.String()
}
