package network_test

import (
	"math/rand/v2"
	"testing"

	"bulwark/network"
)

func TestParsePorts(t *testing.T) {
	for text, want := range map[string]string{
		"80": "TCP 80", "tcp/80, 443": "TCP 80,443", "UDP 53,TCP 1-9": "TCP 1-9,UDP 53", "UDP": "UDP 1-65535", "all": "All Connections",
		"All Connections": "All Connections", "SCTP 7,TCP 80-81,82,UDP 9": "SCTP 7,TCP 80-82,UDP 9",
		"": "", "x": "", "0": "", "9-8": "", "70000": "", "tcp/http": "", "80-": "TCP 80", "-80": "", "80,,81": "",
	} {
		p, err := network.ParsePorts(text)
		if want == "" {
			if err == nil {
				t.Errorf("ParsePorts(%q) = %v, want an error", text, p)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("ParsePorts(%q) = %v, %v, want %s", text, p, err, want)
		}
	}
}

// Ports less others are those that are in the one and not in the other; what is written is
// read as the same.
func TestMinus(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func() (p network.Ports) {
		for range r.IntN(5) {
			first := uint16(1 + r.IntN(20))
			if r.IntN(4) == 0 {
				first = uint16(65520 + r.IntN(15))
			}
			p = p.Union(network.PortRange(network.Protocol(r.IntN(3)), first, min(65534, first+uint16(r.IntN(10)))+uint16(r.IntN(2))))
		}
		return p
	}
	for range 2000 {
		a, b := some(), some()
		rest := a.Minus(b)
		for proto := range network.Protocol(3) {
			for _, port := range []int{1, 2, 3, 5, 8, 10, 15, 20, 29, 30, 31, 65519, 65525, 65534, 65535} {
				want := a.Has(proto, uint16(port)) && !b.Has(proto, uint16(port))
				if got := rest.Has(proto, uint16(port)); got != want {
					t.Fatalf("%v minus %v has %v %d: %v, want %v", a, b, proto, port, got, want)
				}
			}
		}
		if again, err := network.ParsePorts(a.String()); err != nil || !again.Equal(a) {
			t.Fatalf("ParsePorts(%v) = %v, %v", a, again, err)
		}
	}
}
