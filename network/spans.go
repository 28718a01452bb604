package network

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"bulwark"
)

// Spans gives the ports as ranges, in the order in which they are written.
func (p Ports) Spans() iter.Seq2[Protocol, [2]uint16] {
	return func(yield func(Protocol, [2]uint16) bool) {
		for proto, spans := range p.of {
			for _, s := range spans {
				if !yield(Protocol(proto), [2]uint16{s.first, s.last}) {
					return
				}
			}
		}
	}
}

// Minus is the ports that q has not.
func (p Ports) Minus(q Ports) Ports {
	var rest Ports
	for proto := range p.of {
		next := 1
		var others []span
		for _, s := range q.of[proto] {
			if int(s.first) > next {
				others = append(others, span{uint16(next), s.first - 1})
			}
			next = int(s.last) + 1
		}
		if next <= lastPort {
			others = append(others, span{uint16(next), lastPort})
		}
		rest.of[proto] = others
	}
	return p.Intersect(rest)
}

// ParsePorts reads ports as [Ports.String] writes them, and as people do: "TCP 80,443,UDP
// 53", "tcp/80", "8080-8090" (of TCP), "UDP" (every port of it), "all".
func ParsePorts(text string) (Ports, error) {
	var p Ports
	proto := TCP
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "all", "all connections":
		return AllPorts(), nil
	case "no connections":
		return p, nil
	}
	for item := range strings.SplitSeq(text, ",") {
		name, rest, both := strings.Cut(strings.TrimSpace(item), "/")
		if !both {
			name, rest, both = strings.Cut(strings.TrimSpace(item), " ")
		}
		if number := strings.TrimSpace(name); !both && number != "" && '0' <= number[0] && number[0] <= '9' {
			name, rest = "", number
		} else {
			known, ok := protocolOf(strings.TrimSpace(name))
			if !ok || name == "" {
				return p, fmt.Errorf("%q is no port: say 80, TCP 8080-8090 or UDP/53: %w", item, bulwark.ErrMalformed)
			}
			proto = known
		}
		one, err := parseRange(proto, strings.TrimSpace(rest))
		if err != nil {
			return p, err
		}
		p = p.Union(one)
	}
	return p, nil
}

func parseRange(proto Protocol, text string) (Ports, error) {
	if text == "" || text == "*" {
		return PortRange(proto, 1, lastPort), nil
	}
	first, last, _ := strings.Cut(text, "-")
	from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, err2 := from, error(nil)
	if last != "" {
		to, err2 = strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	}
	if err != nil || err2 != nil || from < 1 || to < from {
		return Ports{}, fmt.Errorf("%q is no port or range of ports from 1 to 65535: %w", text, bulwark.ErrMalformed)
	}
	return PortRange(proto, uint16(from), uint16(to)), nil
}
