package compose

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/docker/go-connections/nat"
)

func cut(s string) (name, value string, ok bool) { return strings.Cut(s, "=") }

// Port is a port that a service publishes.
type Port struct {
	HostIP      string // "": all interfaces
	First, Last int    // on the host; 0 when the engine chooses
	Target, End int    // in the container
	Protocol    string // tcp, udp, sctp
	At          Node
	Short       bool // written as one text
}

// Everywhere tells whether it is published on all interfaces.
func (p *Port) Everywhere() bool { return p.HostIP == "" || p.HostIP == "0.0.0.0" || p.HostIP == "::" }

// Ports are what the service publishes. What cannot be understood is left out, and
// hosts that only a variable tells are taken for private ones.
func (s *Service) Ports() []Port {
	var out []Port
	for _, item := range s.List("ports") {
		var p Port
		ok := false
		switch {
		case item.IsScalar():
			p, ok = shortPort(item.Text())
		case item.IsMap():
			p, ok = longPort(item)
		}
		if ok {
			p.At = item
			out = append(out, p)
		}
	}
	return out
}

// shortPort reads [[IP:][PUBLISHED]:]TARGET[/PROTOCOL] with ranges, after
// https://github.com/compose-spec/compose-spec/blob/main/05-services.md#ports.
func shortPort(raw string) (p Port, ok bool) {
	text, _ := Expand(raw)
	p.Short = true
	var target string
	p.Protocol, target = nat.SplitProtoPort(text)
	p.Protocol = strings.ToLower(p.Protocol)
	rest, target, more := lastCut(target)
	if more {
		var host string
		p.HostIP, host, _ = lastCut(rest)
		p.HostIP = strings.Trim(p.HostIP, "[]")
		if host != "" {
			if p.First, p.Last, ok = portRange(host); !ok {
				return p, false
			}
		}
	}
	if strings.HasPrefix(raw, "$") && p.HostIP == "" && strings.Count(raw, ":") >= 2 && !strings.Contains(raw, ":-") {
		p.HostIP = "unknown"
	}
	p.Target, p.End, ok = portRange(target)
	return p, ok
}

// lastCut cuts at the last colon that is not inside of brackets.
func lastCut(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i < strings.LastIndexByte(s, ']') {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func portRange(s string) (first, last int, ok bool) {
	if s == "" {
		return 0, 0, false
	}
	a, b, err := nat.ParsePortRange(s)
	return int(a), int(b), err == nil
}

func longPort(n Node) (p Port, ok bool) {
	p.HostIP, _ = Expand(n.Get("host_ip").Text())
	p.Protocol, _ = Expand(n.Get("protocol").Text())
	if p.Protocol == "" {
		p.Protocol = "tcp"
	}
	if published, _ := Expand(n.Get("published").Text()); published != "" {
		if p.First, p.Last, ok = portRange(published); !ok {
			return p, false
		}
	}
	target, _ := Expand(n.Get("target").Text())
	p.Target, p.End, ok = portRange(target)
	return p, ok
}

// Mount is something that a service mounts.
type Mount struct {
	Type        string // bind, volume, tmpfs, ...
	Source      string
	Target      string
	ReadOnly    bool
	Propagation string
	At          Node
	Short       bool
	Options     bool // the short form has options
}

// Mounts are the service's volumes, in both forms.
func (s *Service) Mounts() []Mount {
	var out []Mount
	for _, item := range s.List("volumes") {
		switch {
		case item.IsScalar():
			text, _ := Expand(item.Text())
			m, ok := shortMount(text)
			if !ok {
				continue
			}
			m.At = item
			out = append(out, m)
		case item.IsMap():
			get := func(keys ...string) string { text, _ := Expand(item.Get(keys...).Text()); return text }
			readOnly, err := strconv.ParseBool(get("read_only"))
			out = append(out, Mount{Type: get("type"), Source: get("source"), Target: get("target"), Propagation: get("bind", "propagation"), ReadOnly: readOnly && err == nil, At: item})
		}
	}
	return out
}

var propagations = map[string]bool{"private": true, "rprivate": true, "shared": true, "rshared": true, "slave": true, "rslave": true}

// shortMount reads [SOURCE:]TARGET[:OPTIONS]. ok is false for what compose refuses.
func shortMount(text string) (m Mount, ok bool) {
	m.Short, m.Type = true, "volume"
	if len(text) <= 2 {
		m.Target = text
		return m, text != ""
	}
	parts := splitMount(text)
	for _, p := range parts {
		if p == "" {
			return m, false
		}
	}
	switch len(parts) {
	case 1:
		m.Target = parts[0]
		return m, true
	case 2, 3:
		m.Source, m.Target = parts[0], parts[1]
	default:
		return m, false
	}
	if isPath(m.Source) {
		m.Type = "bind"
	}
	if len(parts) == 3 {
		m.Options = true
		for o := range strings.SplitSeq(parts[2], ",") {
			switch {
			case o == "ro", o == "rw":
				m.ReadOnly = o == "ro"
			case propagations[o]:
				m.Propagation = o
			}
		}
	}
	return m, true
}

// splitMount splits at colons, except for that of a Windows drive.
func splitMount(text string) []string {
	var parts []string
	start := 0
	for i := range len(text) {
		if text[i] != ':' || isDrive(text[start:i]) {
			continue
		}
		parts = append(parts, text[start:i])
		start = i + 1
	}
	return append(parts, text[start:])
}

func isDrive(s string) bool {
	r := []rune(s)
	return len(r) == 1 && unicode.IsLetter(r[0])
}

func isPath(source string) bool {
	r := []rune(source)
	return strings.ContainsAny(source[:1], "./~") || strings.HasPrefix(source, `\\`) || len(r) > 1 && unicode.IsLetter(r[0]) && r[1] == ':'
}
