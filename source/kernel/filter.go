package kernel

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"bulwark"
)

// cond and call are laid out as in bpf/sensor.h.
type cond struct {
	Container, Failed, Write, NFlags uint8
	Flag                             [4]uint8
	Any                              [2]uint64
	Paths, Ports, Nets               uint64
}

type call struct {
	Kind           uint16
	Class, Open    uint8
	All            uint32 // of these sets of conditions each has a bit
	Flagged, Plain uint32
	Pathed         uint32
	Gives          uint16
	_              [2]byte
	Facts          [facts]fact
	Ops            [mostOps]op
	Conds          [mostConds]cond
}

// fact is what can be met by what is known before paths and addresses are.
type fact struct {
	Paths uint64
	Conds uint32
	_     [4]byte
}

// facts is for how many combinations of facts there is room: where the thread is, how the call ended and what the
// file was opened for, each of which is not known, yes or no.
const facts = 32

type netKey struct {
	Bits uint32
	Addr [16]byte
}

// plan is what the kernel's programs are told of an interest. It lets pass whatever the interest wants, and more where
// there is no room to say it exactly: sets of paths, of ports and of networks beyond the sixty-fourth are one set.
type plan struct {
	calls     map[uint32]*call
	paths     pathSets
	ports     map[uint16]uint64 // port: the sets that it is in
	nets      map[netip.Prefix]uint64
	starts    [4]uint64  // first bytes of payloads that are wanted of any connection
	either    uint64     // sets of ports of which all payloads are wanted
	portLists [][]uint16 // kept to find equal ones
	netLists  [][]netip.Prefix
}

const (
	mostSets  = 64
	mostPorts = 4000
	mostNets  = 4000
)

func newPlan(want bulwark.Interest) *plan {
	p := &plan{
		calls: map[uint32]*call{}, paths: pathSets{begins: map[string]uint64{}, ends: map[string]uint64{}},
		ports: map[uint16]uint64{}, nets: map[netip.Prefix]uint64{},
	}
	kinds := make([]bulwark.Kind, 0, len(want))
	for k := range want {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		p.kind(k, want[k])
	}
	p.widen()
	return p
}

// payloads enters what is asked of payloads; what else a condition asks of them the kernel does not.
func (p *plan) payloads(list []bulwark.Where) {
	if len(list) == 0 {
		list = []bulwark.Where{{}}
	}
	for _, w := range list {
		if bit := p.portSet(w.EitherPort); bit != 0 {
			p.either |= bit
			continue
		}
		for b := range 256 {
			if len(w.First) == 0 || bytes.IndexByte(w.First, byte(b)) >= 0 {
				p.starts[b/64] |= 1 << (b % 64)
			}
		}
	}
}

func (p *plan) kind(k bulwark.Kind, list []bulwark.Where) {
	if k == bulwark.KindPayload {
		p.payloads(list)
	}
	if at, ok := special[k]; ok {
		p.calls[at] = p.call(k, list, true)
	}
	nr, ok := numbers[k.String()]
	if !ok || nr >= calls {
		return
	}
	if k.String() == "close" {
		nr = evClose
	}
	p.calls[nr] = p.call(k, list, false)
}

func (p *plan) call(k bulwark.Kind, list []bulwark.Where, event bool) *call {
	name := k.String()
	c := &call{Kind: uint16(k), Open: 255}
	if !event {
		if at := opens[name]; at != 0 {
			c.Open = at
		}
		source, known := ops[name]
		if !known {
			source = []op{{Op: opResult}}
		}
		copy(c.Ops[:], source)
		c.Gives = gives(source)
		if !known || strings.Contains(volume, " "+name+" ") || strings.Contains(volume, "\n"+name+" ") || strings.Contains(volume, " "+name+"\n") {
			c.Class = 1
		}
	}
	var conds []cond
	for _, w := range list {
		one := p.cond(w, c, event)
		if reflect.ValueOf(one).IsZero() {
			return c // all
		}
		if !slices.Contains(conds, one) {
			conds = append(conds, one)
		}
	}
	if len(conds) > mostConds {
		conds = merge(conds)
	}
	if conds == nil {
		return c
	}
	copy(c.Conds[:], conds)
	for i := range conds {
		c.note(i)
	}
	return c
}

// note enters the i-th condition in the sets.
func (c *call) note(i int) {
	one, bit := &c.Conds[i], uint32(1)<<i
	c.All |= bit
	for at := range 27 {
		if agree(one.Container, at/9) && agree(one.Failed, at/3%3) && agree(one.Write, at%3) {
			c.Facts[at].Conds |= bit
			c.Facts[at].Paths |= one.Paths
		}
	}
	if one.NFlags > 0 {
		c.Flagged |= bit
	}
	if one.Paths|one.Ports|one.Nets == 0 {
		c.Plain |= bit
	}
	if one.Paths != 0 {
		c.Pathed |= bit
	}
}

// agree tells whether a question may have the answer that is asked for, where that is known.
func agree(asked uint8, known int) bool { return asked == 0 || known == 0 || int(asked) == known }

// cond is what of w can be asked in the kernel.
func (p *plan) cond(w bulwark.Where, c *call, event bool) cond {
	var one cond
	if !event || c.Kind == uint16(bulwark.KindExec) || c.Kind == uint16(bulwark.KindClone) || c.Kind == uint16(bulwark.KindExit) || c.Kind == uint16(bulwark.KindIOURing) || c.Kind == uint16(bulwark.KindRounding) {
		one.Container = uint8(w.Container)
	}
	if event {
		return one
	}
	one.Failed = uint8(w.Failed)
	if c.Open != 255 {
		one.Write = uint8(w.Write)
	}
	for _, f := range w.Flags {
		if f.Param < 0 || int(one.NFlags) == len(one.Any) || f.Any == 0 {
			continue
		}
		if at, ok := source(c, f.Param); ok {
			one.Flag[one.NFlags], one.Any[one.NFlags] = at, uint64(f.Any)
			one.NFlags++
		}
	}
	one.Paths = p.paths.add(pathSet{w.Paths, w.AsGiven, w.Climbs})
	one.Ports = p.portSet(w.Ports)
	one.Nets = p.netSet(w.Nets)
	return one
}

// source is the argument of the call that a parameter is a copy of; 6: the result.
func source(c *call, param int) (uint8, bool) {
	for _, o := range c.Ops {
		switch {
		case o.Op == opAddress || o.Op == opMsgAddress || o.Op == opCWD: // no parameter
			continue
		case o.Op == opS64 && param <= int(o.Len):
			return o.Arg + uint8(param), true
		case o.Op == opS64: // a run of them
			param -= 1 + int(o.Len)
			continue
		case param > 0:
			param--
			continue
		case o.Op == opResult:
			return 6, true
		}
		return 0, false
	}
	return 0, false
}

// merge makes few conditions of many: those with the same sets become one, which asks no more than what all of them
// ask; where that is not enough, all become one.
func merge(list []cond) []cond {
	by := map[[3]bool]cond{}
	for _, c := range list {
		k := [3]bool{c.Paths != 0, c.Ports != 0, c.Nets != 0}
		if old, ok := by[k]; ok {
			c = either(old, c)
		}
		by[k] = c
	}
	var few []cond
	for _, c := range by {
		if reflect.ValueOf(c).IsZero() {
			return nil
		}
		few = append(few, c)
	}
	return few
}

// either is met where a or b is; both ask for the same of paths, ports and networks.
func either(a, b cond) cond {
	same := func(x, y uint8) uint8 {
		if x == y {
			return x
		}
		return 0
	}
	m := cond{
		Container: same(a.Container, b.Container), Failed: same(a.Failed, b.Failed), Write: same(a.Write, b.Write),
		Paths: a.Paths | b.Paths, Ports: a.Ports | b.Ports, Nets: a.Nets | b.Nets,
	}
	if a.NFlags == b.NFlags && a.Flag == b.Flag {
		m.NFlags, m.Flag = a.NFlags, a.Flag
		if m.NFlags == 1 {
			m.Any[0] = a.Any[0] | b.Any[0]
		} else if a.Any != b.Any {
			m.NFlags, m.Flag = 0, [4]uint8{}
		} else {
			m.Any = a.Any
		}
	}
	return m
}

// set is the bit of the n-th set.
func set(n int) uint64 { return 1 << min(n, mostSets-1) }

// place finds or adds list; the number is that of its set.
func place[T comparable](lists *[][]T, list []T) int {
	for i, old := range *lists {
		if slices.Equal(old, list) {
			return i
		}
	}
	*lists = append(*lists, list)
	return len(*lists) - 1
}

func (p *plan) portSet(list []uint16) uint64 {
	if len(list) == 0 || len(p.ports)+len(list) > mostPorts {
		return 0
	}
	bit := set(place(&p.portLists, list))
	for _, port := range list {
		p.ports[port] |= bit
	}
	return bit
}

func (p *plan) netSet(list []netip.Prefix) uint64 {
	if len(list) == 0 || len(p.nets)+len(list) > mostNets {
		return 0
	}
	bit := set(place(&p.netLists, list))
	for _, n := range list {
		if !n.IsValid() {
			continue
		}
		p.nets[mapped(n)] |= bit
	}
	return bit
}

// mapped is the network as one of IPv6, in which those of IPv4 have their own place.
func mapped(n netip.Prefix) netip.Prefix {
	bits := n.Bits()
	if n.Addr().Is4() {
		bits += 96
	}
	return netip.PrefixFrom(netip.AddrFrom16(n.Addr().As16()), bits).Masked()
}

// widen gives every text the sets of the texts that it begins with: the kernel finds only the longest.
func (p *plan) widen() {
	for _, m := range []map[string]uint64{p.paths.begins, p.paths.ends} {
		whole := map[string]uint64{}
		for text := range m {
			for n := range len(text) {
				whole[text] |= m[text[:n+1]]
			}
		}
		for text, sets := range whole {
			m[text] = sets
		}
	}
	whole := map[netip.Prefix]uint64{}
	for n := range p.nets {
		for bits := range n.Bits() + 1 {
			whole[n] |= p.nets[netip.PrefixFrom(n.Addr(), bits).Masked()]
		}
	}
	p.nets = whole
}
