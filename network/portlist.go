package network

import (
	"cmp"
	"slices"
)

// portList is the ports that a rule names.
type portList struct {
	numbers Ports
	names   []portName
	more    [protocols][]span // as they were written; settle makes numbers of them
}

// spans adds the ports from first to last.
func (l *portList) spans(proto Protocol, first, last int) {
	l.more[proto] = append(l.more[proto], span{uint16(first), uint16(last)})
}

// settle puts all spans among the numbers.
func (l *portList) settle() {
	for proto, spans := range l.more {
		if len(spans) > 0 {
			l.numbers.of[proto] = joined(slices.Concat(l.numbers.of[proto], spans))
			l.more[proto] = nil
		}
	}
}

// portName is a named port. Some kinds do not say of which protocol.
type portName struct {
	name  string
	proto Protocol
	any   bool
}

// number is a port of a protocol.
type number struct {
	proto Protocol
	port  uint16
}

func (n number) ports() Ports { return PortRange(n.proto, n.port, n.port) }

// having is where a named port has a number.
type having struct {
	number
	endpoints group
}

// named gives the numbers that a named port has, each with the endpoints where it has it.
func (r *reader) named(name portName) []having {
	if list, ok := r.portNames[name]; ok {
		return list
	}
	found := map[number]set{}
	for i, e := range r.e.Endpoints {
		for _, p := range e.ports {
			if p.name == name.name && (name.any || p.proto == name.proto) {
				n := number{p.proto, p.port}
				if found[n] == nil {
					found[n] = newSet(len(r.e.Endpoints))
				}
				found[n].add(i)
			}
		}
	}
	list := make([]having, 0, len(found))
	for n, s := range found {
		list = append(list, having{n, groupOf(s)})
	}
	slices.SortFunc(list, func(a, b having) int {
		return cmp.Or(cmp.Compare(a.proto, b.proto), cmp.Compare(a.port, b.port))
	})
	r.portNames[name] = list
	return list
}

// onePort gives ports as they were first named, and their number.
func (r *reader) onePort(p Ports) (Ports, int32) {
	sum := p.sum()
	known, ok := r.portsLike[sum]
	if ok && known.ports.Equal(p) {
		return known.ports, known.number
	}
	*r.kinds++
	if !ok {
		r.portsLike[sum] = numbered{p, *r.kinds}
	}
	return p, *r.kinds
}

// numbered is ports and their number.
type numbered struct {
	ports  Ports
	number int32
}
