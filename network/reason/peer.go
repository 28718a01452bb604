package reason

import (
	"net/netip"

	"bulwark/network"
)

// Peer is one end of a connection that somebody asks about: endpoints of one name, or
// addresses.
type Peer struct {
	Name      string
	Endpoints []int
	Blocks    []network.Block
}

// Internet is every address that is not private, local or reserved: those of IPv4, then those
// of IPv6.
func Internet() Peer {
	p := Peer{Name: "internet"}
	for _, ends := range [][2]string{{"1.0.0.0", "9.255.255.255"}, {"11.0.0.0", "100.63.255.255"}, {"100.128.0.0", "126.255.255.255"}, {"128.0.0.0", "169.253.255.255"},
		{"169.255.0.0", "172.15.255.255"}, {"172.32.0.0", "192.167.255.255"}, {"192.169.0.0", "198.17.255.255"}, {"198.20.0.0", "223.255.255.255"}} {
		p.Blocks = append(p.Blocks, network.Block{First: netip.MustParseAddr(ends[0]), Last: netip.MustParseAddr(ends[1])})
	}
	p.Blocks = append(p.Blocks, global)
	return p
}

// global are the addresses of IPv6 that are given out.
var global = Addresses(netip.MustParsePrefix("2000::/3")).Blocks[0]

// Addresses are those of a prefix.
func Addresses(p netip.Prefix) Peer {
	return Peer{Name: p.Masked().String(), Blocks: []network.Block{network.BlockOf(p)}}
}
