package generate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/network"
)

func (p *Plan) note(format string, a ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, a...)) }

func lower(s string) string       { return strings.ToLower(s) }
func joined(list []string) string { return strings.Join(list, ", ") }

// text is equal for equal labels.
func text(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "=" + labels[name] + ",")
	}
	return b.String()
}

// dns is where names are looked up, in nearly every cluster.
var (
	dns   = Peer{Kind: Selected, Namespace: "kube-system", Labels: map[string]string{"k8s-app": "kube-dns"}}
	names = network.PortRange(network.UDP, 53, 53).Union(network.PortRange(network.TCP, 53, 53))
)

// resolves tells whether names are looked up at an endpoint.
func resolves(e *network.Endpoint) bool {
	return !e.Outside && e.Namespace == dns.Namespace && has(e.Labels, dns.Labels)
}

// private are networks that are not the Internet, and the metadata service.
var private = []string{"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"}

// quoted writes a label as YAML. What could be taken for something else is quoted.
func quoted(s string) string {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' || r == '/') {
			return fmt.Sprintf("%q", s)
		}
	}
	switch lower(s) {
	case "", "true", "false", "yes", "no", "on", "off", "null", "y", "n", "~":
		return fmt.Sprintf("%q", s)
	}
	if c := s[0]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == '/' || c == '_' {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// comment makes foreign text fit for a line of a comment.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0x85 {
			return ' '
		}
		return r
	}, s)
	if len(s) > 160 {
		s = strings.ToValidUTF8(s[:160], "") + " ..."
	}
	return s
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// valid tells whether the API server takes labels: those of templates are none yet.
func valid(labels map[string]string) bool {
	for name, v := range labels {
		prefix, short, ok := strings.Cut(name, "/")
		if !ok {
			prefix, short = "", name
		}
		if !word(short) || short == "" || !word(v) || len(prefix) > 253 || strings.ContainsFunc(prefix, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
		}) {
			return false
		}
	}
	return true
}

func word(s string) bool {
	if len(s) > 63 {
		return false
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || i == len(s)-1 || r != '-' && r != '_' && r != '.') {
			return false
		}
	}
	return true
}
