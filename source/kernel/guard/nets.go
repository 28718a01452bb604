//go:build linux && (amd64 || arm64)

package guard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"bulwark"
)

// network is a prefix and all the ports that are listed for it, by itself or by one that it is in: the
// kernel's tables give the longest prefix only.
type network struct {
	prefix netip.Prefix
	ports  []portRange
}

type portRange struct {
	first, last uint16
	proto       uint8
}

var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// cover is the destinations by prefix, sorted.
func cover(list []bulwark.Destination) ([]network, error) {
	var all []network
	for _, d := range list {
		r, err := portsOf(d)
		if err != nil {
			return nil, err
		}
		for _, p := range prefixesOf(d.Net) {
			all = append(all, network{p, []portRange{r}})
		}
	}
	nets := map[netip.Prefix]*network{}
	for _, n := range all {
		nets[n.prefix] = &network{prefix: n.prefix}
	}
	for p, n := range nets {
		for _, wide := range all {
			if wide.prefix.Bits() <= p.Bits() && wide.prefix.Contains(p.Addr()) && !slices.Contains(n.ports, wide.ports[0]) {
				n.ports = append(n.ports, wide.ports[0])
			}
		}
		if n.ports = merged(n.ports); len(n.ports) > maxRanges {
			return nil, fmt.Errorf("%d ranges of ports of %s, at most %d: %w", len(n.ports), p, maxRanges, bulwark.ErrLimit)
		}
	}
	return sorted(nets), nil
}

func portsOf(d bulwark.Destination) (portRange, error) {
	first, last := d.Ports[0], d.Ports[1]
	if first == 0 && last == 0 {
		last = 65535
	}
	if last == 0 {
		last = first
	}
	if last < first {
		return portRange{}, fmt.Errorf("ports %d to %d: %w", first, last, bulwark.ErrMalformed)
	}
	return portRange{first, last, d.Proto}, nil
}

// prefixesOf is a network in the form that packets have: no network is all of them.
func prefixesOf(p netip.Prefix) []netip.Prefix {
	if !p.IsValid() {
		return everywhere
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return []netip.Prefix{p.Masked()}
}

// merged leaves out the ranges that others hold.
func merged(list []portRange) []portRange {
	var out []portRange
	for i, r := range list {
		held := slices.ContainsFunc(list, func(o portRange) bool {
			return o != r && (o.proto == 0 || o.proto == r.proto) && o.first <= r.first && r.last <= o.last
		})
		if !held && !slices.Contains(list[:i], r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b portRange) int {
		return int(a.first)<<32 + int(a.last)<<8 + int(a.proto) - (int(b.first)<<32 + int(b.last)<<8 + int(b.proto))
	})
	return out
}

func sorted(nets map[netip.Prefix]*network) []network {
	var list []network
	for _, n := range nets {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b network) int { return a.prefix.Compare(b.prefix) })
	return list
}

// key names the content of a block.
func (k kernelBlock) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d", k.rule, k.code)
	for _, n := range k.nets {
		fmt.Fprintf(&b, " %s%v", n.prefix, n.ports)
	}
	return b.String()
}
