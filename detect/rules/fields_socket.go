package rules

import (
	"net/netip"
	"strconv"

	"bulwark"
)

// socketFields are those of sockets.
func socketFields() []Field {
	of := bulwark.SourceSyscall
	list := []Field{
		{Name: "fd.ip", Type: Address, Filter: true, Source: of, Doc: "address of either end", bind: eitherAddress},
		{Name: "fd.net", Type: Address, Filter: true, Source: of, Doc: "network of either end", bind: eitherAddress},
		{Name: "fd.port", Type: Number, Filter: true, Source: of, Doc: "port of either end", bind: eitherPort},
		{Name: "fd.proto", Type: Number, Filter: true, Source: of, Doc: "port of either end, by its number or the name of its service", bind: eitherPort},
		{Name: "fd.l4proto", Type: Text, Source: of, Doc: "protocol of a socket: tcp, udp, icmp, raw; of other descriptors <NA>", bind: text(l4)},
		{Name: "fd.sockfamily", Type: Text, Source: of, Doc: "ip or unix", bind: text(family)},
		{Name: "fd.is_server", Type: Bool, Source: of, Doc: "whether the process is the server", bind: flag(func(v *event) (bool, bool) { return socket(v.FD.Kind) && v.served(), v.FD.Kind != bulwark.FDNone })},
		{Name: "fd.connected", Type: Bool, Source: of, Doc: "whether the socket is connected", bind: flag(func(v *event) (bool, bool) { return v.FD.Connected, v.FD.Kind != bulwark.FDNone })},
	}
	for _, end := range []struct {
		letter, doc string
		of          func(*event) netip.AddrPort
	}{
		{"c", "the client", (*event).client}, {"s", "the server", (*event).server},
		{"l", "the process's own end", func(v *event) netip.AddrPort { return v.FD.Local }},
		{"r", "the other end", func(v *event) netip.AddrPort { return v.FD.Remote }},
	} {
		list = append(list,
			Field{Name: "fd." + end.letter + "ip", Type: Address, Source: of, Doc: "address of " + end.doc, bind: addr(address(end.of))},
			Field{Name: "fd." + end.letter + "net", Type: Address, Filter: true, Source: of, Doc: "network of " + end.doc, bind: addr(address(end.of))},
			Field{Name: "fd." + end.letter + "port", Type: Number, Source: of, Doc: "port of " + end.doc, bind: num(port(end.of))},
			Field{Name: "fd." + end.letter + "proto", Type: Text, Source: of, Doc: "service that the port of " + end.doc + " is known for, or its number", bind: service(end.of)},
			Field{Name: "fd." + end.letter + "ip.name", Type: Text, Source: of, Doc: "name of " + end.doc + ": =, != and in look whether its address is one that the name has", bind: domainName(end.of)},
		)
	}
	return list
}

func address(of func(*event) netip.AddrPort) func(*event) (netip.Addr, bool) {
	return func(v *event) (netip.Addr, bool) {
		if !ip(v.FD.Kind) {
			return netip.Addr{}, false
		}
		a := of(v).Addr().Unmap()
		return a, a.IsValid()
	}
}

func port(of func(*event) netip.AddrPort) func(*event) (int64, bool) {
	return func(v *event) (int64, bool) {
		a := of(v)
		return int64(a.Port()), ip(v.FD.Kind) && a.IsValid()
	}
}

func eitherAddress(string) (getter, error) {
	c, s := address((*event).client), address((*event).server)
	return getter{any: &several{unequal: true, addr: func(v *event, match func(netip.Addr) bool) bool {
		if a, ok := s(v); ok && match(a) {
			return true
		}
		a, ok := c(v)
		return ok && match(a)
	}}, cost: 1}, nil
}

func eitherPort(string) (getter, error) {
	c, s := port((*event).client), port((*event).server)
	return getter{any: &several{unequal: true, num: func(v *event, match func(int64) bool) bool {
		if n, ok := s(v); ok && match(n) {
			return true
		}
		n, ok := c(v)
		return ok && match(n)
	}}, cost: 1}, nil
}

func l4(v *event) (string, bool) {
	switch {
	case v.FD.Kind == bulwark.FDNone:
		return "", false
	case !ip(v.FD.Kind):
		return missing, true // as in Falco, where it differs from tcp
	}
	switch v.FD.Proto {
	case 6:
		return "tcp", true
	case 17:
		return "udp", true
	case 1, 58:
		return "icmp", true
	case 255:
		return "raw", true
	}
	return missing, true
}

func family(v *event) (string, bool) {
	switch {
	case ip(v.FD.Kind):
		return "ip", true
	case v.FD.Kind == bulwark.FDUnix:
		return "unix", true
	}
	return "", false
}

// services are ports that people call by name.
var services = map[string]uint16{
	"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80, "kerberos": 88,
	"pop3": 110, "sunrpc": 111, "ntp": 123, "imap2": 143, "snmp": 161, "bgp": 179, "ldap": 389, "https": 443, "microsoft-ds": 445,
	"syslog": 514, "ldaps": 636, "domain-s": 853, "rsync": 873, "imaps": 993, "pop3s": 995, "socks": 1080, "ms-sql-s": 1433,
	"nfs": 2049, "mysql": 3306, "postgresql": 5432, "amqp": 5672, "redis": 6379, "http-alt": 8080,
}

func service(of func(*event) netip.AddrPort) func(string) (getter, error) {
	return func(string) (getter, error) {
		names := newMemo(serviceName)
		return getter{text: func(v *event) (string, bool) {
			a := of(v)
			return names.text(int64(a.Port())), ip(v.FD.Kind) && a.IsValid()
		}, also: port(of)}, nil
	}
}

func serviceName(port int64) string {
	for name, p := range services {
		if int64(p) == port {
			return name
		}
	}
	return strconv.FormatInt(port, 10)
}

// domainName has an address, which is compared with those of names, and the name that is known for it.
func domainName(of func(*event) netip.AddrPort) func(string) (getter, error) {
	where := address(of)
	return func(string) (getter, error) {
		return getter{cost: medium, addr: where, text: func(v *event) (string, bool) {
			a, ok := where(v)
			if !ok {
				return "", false
			}
			return v.env.resolver.Name(a)
		}}, nil
	}
}
