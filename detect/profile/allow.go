package profile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// byHand explains what somebody added.
func byHand(now time.Time) *Use { return &Use{At: now.UTC(), Event: "added", By: "hand"} }

// Allow adds something that no event showed.
func (p *Profile) Allow(sort, value string, now time.Time) error {
	wrong := func(how string) error { return fmt.Errorf("%s %.200q: say %s", sort, value, how) }
	if sort == "executable" || sort == "read" || sort == "write" || sort == "map" {
		if !strings.HasPrefix(value, "/") || len(value) > longestPath {
			return wrong("a path that begins with /")
		}
	}
	switch sort {
	case "executable":
		p.Executables[value] = byHand(now)
	case "read", "write", "map":
		f := p.Files[value]
		if f == nil {
			f = &File{}
			p.Files[value] = f
		}
		*f.of(map[string]sortOf{"read": reads, "write": writes, "map": maps_}[sort]) = byHand(now)
	case "destination":
		words := strings.Fields(value)
		if len(words) != 3 {
			return wrong("its protocol, its address or network, and its port: tcp 10.0.0.0/24 5432")
		}
		port, err := strconv.ParseUint(words[2], 10, 16)
		net, ok := NetOf(words[1])
		switch {
		case words[0] == "unix" && strings.HasPrefix(words[1], "/"):
			p.Destinations[endKey("unix", words[1], 0)] = &Destination{Use: *byHand(now), Proto: "unix", Net: words[1]}
			return nil
		case err != nil || !ok || words[0] != "tcp" && words[0] != "udp" && words[0] != "sctp":
			return wrong("its protocol, its address or network, and its port: tcp 10.0.0.0/24 5432")
		}
		p.Destinations[endKey(words[0], netText(net.Masked()), uint16(port))] = &Destination{Use: *byHand(now), Proto: words[0], Net: netText(net.Masked()), Port: uint16(port)}
	case "listener":
		words := strings.Fields(value)
		if len(words) < 2 || len(words) > 3 || words[0] != "tcp" && words[0] != "udp" && words[0] != "sctp" || len(words) == 3 && words[2] != "local" {
			return wrong("its protocol and port: tcp 8080")
		}
		port, err := strconv.ParseUint(words[1], 10, 16)
		if err != nil {
			return wrong("its protocol and port: tcp 8080")
		}
		p.Listeners[strings.Join(words, " ")] = &Listener{Use: *byHand(now), Proto: words[0], Port: uint16(port), Local: len(words) == 3}
	case "syscall":
		if value == "" || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return wrong("the name of a system call: openat")
		}
		p.Syscalls[value] = byHand(now)
	case "capability":
		if !strings.HasPrefix(value, "CAP_") || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" {
			return wrong("the name of a capability: CAP_CHOWN")
		}
		p.Capabilities[value] = byHand(now)
	default:
		return fmt.Errorf("%.40q is no sort: say executable, read, write, map, destination, listener, syscall or capability", sort)
	}
	return nil
}
