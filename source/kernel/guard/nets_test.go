//go:build linux && (amd64 || arm64)

package guard

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"bulwark"
)

// longest is what the kernel's tables find.
func longest(nets []network, a netip.Addr) (best network, ok bool) {
	for _, n := range nets {
		if n.prefix.Contains(a) && (!ok || n.prefix.Bits() > best.prefix.Bits()) {
			best, ok = n, true
		}
	}
	return best, ok
}

func inPorts(list []portRange, port uint16, proto uint8) bool {
	for _, r := range list {
		if (r.proto == 0 || r.proto == proto) && r.first <= port && port <= r.last {
			return true
		}
	}
	return false
}

// The longest prefix answers for all that a destination is in.
func TestCover(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var list []bulwark.Destination
		for range rnd.IntN(8) {
			list = append(list, destination(rnd))
		}
		nets, err := cover(list)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			a := netip.AddrFrom4([4]byte{10, byte(rnd.IntN(2)), byte(rnd.IntN(2)), byte(rnd.IntN(4))})
			if rnd.IntN(4) == 0 {
				a = netip.AddrFrom16([16]byte{0xfd, 15: byte(rnd.IntN(4))})
			}
			port, proto := uint16(rnd.IntN(6)), uint8(6+11*rnd.IntN(2))
			n, _ := longest(nets, a)
			if got, want := inPorts(n.ports, port, proto), named(list, a, port, proto); got != want {
				t.Fatalf("%s %d/%d: %v, want %v: %+v", a, port, proto, got, want, list)
			}
		}
	}
}

func destination(rnd *rand.Rand) bulwark.Destination {
	d := bulwark.Destination{Proto: []uint8{0, 6, 17}[rnd.IntN(3)]}
	switch rnd.IntN(6) {
	case 0:
	case 1:
		d.Net = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 15: byte(rnd.IntN(4))}), 120+rnd.IntN(9))
	case 2:
		d.Net = netip.PrefixFrom(netip.AddrFrom16(netip.AddrFrom4([4]byte{10, byte(rnd.IntN(2)), 0, 1}).As16()), 96+rnd.IntN(33))
	default:
		d.Net = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rnd.IntN(2)), byte(rnd.IntN(2)), byte(rnd.IntN(4))}), 8*rnd.IntN(5))
	}
	if rnd.IntN(2) == 0 {
		first := uint16(1 + rnd.IntN(4))
		d.Ports = [2]uint16{first, first + uint16(rnd.IntN(3))}
	}
	return d
}

// named asks each destination by itself.
func named(list []bulwark.Destination, a netip.Addr, port uint16, proto uint8) bool {
	for _, d := range list {
		p := d.Net
		if p.IsValid() && p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		all := d.Ports == [2]uint16{}
		if (!p.IsValid() || p.Contains(a)) && (all || d.Ports[0] <= port && port <= d.Ports[1]) && (d.Proto == 0 || d.Proto == proto) {
			return true
		}
	}
	return false
}

func TestCoverRefuses(t *testing.T) {
	if _, err := cover([]bulwark.Destination{{Ports: [2]uint16{5, 4}}}); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("ports from 5 to 4: %v", err)
	}
	var many []bulwark.Destination
	for i := range uint16(maxRanges + 1) {
		many = append(many, bulwark.Destination{Ports: [2]uint16{10 * (i + 1), 10 * (i + 1)}})
	}
	if _, err := cover(many); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("too many ranges: %v", err)
	}
}
