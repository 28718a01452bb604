package network

import (
	"slices"
)

// opening is the addresses that policies let in on the same ports.
type opening struct {
	ports Ports
	from  []Block
}

// openings are those of an endpoint. Endpoints that the same rules hold for share them.
func (x *exposer) openings(endpoint int) []opening {
	var key [2]*cell
	for i, rows := range [][]row{x.e.rowOf[Ingress], x.e.mesh} {
		if rows != nil && len(rows[endpoint]) > 0 {
			key[i] = &rows[endpoint][0]
		}
	}
	list, ok := x.opened[key]
	if ok {
		return list
	}
	by := map[string]int{}
	row := x.e.rowOf[Ingress][endpoint]
	in := make([]byte, len(row)) // which cells have the block: their ports are the same
	known := map[string]Ports{}
	for i, block := range x.e.blocks[Ingress] {
		var ports Ports
		if x.e.mesh == nil {
			for j := range row {
				in[j] = 0
				if row[j].outside.has(i) {
					in[j] = 1
				}
			}
			var ok bool
			if ports, ok = known[string(in)]; !ok {
				ports = x.e.BlockPorts(Ingress, endpoint, i)
				known[string(in)] = ports
			}
		} else {
			ports = x.e.BlockPorts(Ingress, endpoint, i)
		}
		if ports.Empty() {
			continue
		}
		text := string(in)
		if x.e.mesh != nil {
			text = ports.String()
		}
		k, ok := by[text]
		if !ok {
			k = len(list)
			by[text] = k
			list = append(list, opening{ports: ports})
		}
		list[k].from = append(list[k].from, block)
	}
	for i := range list {
		list[i].from = together(list[i].from)
	}
	x.opened[key] = list
	return list
}

func hasPublicOf(list []Exposure) bool {
	return slices.ContainsFunc(list, func(x Exposure) bool { return hasPublic(x.From) })
}

// nodePorts are those of an endpoint on which policies let a node in: one that is there, else
// one of a private network.
func (x *exposer) nodePorts(endpoint int) Ports {
	var ports Ports
	for _, o := range x.openings(endpoint) {
		fits := !x.known && len(both(o.from, private)) > 0
		for _, b := range o.from {
			fits = fits || slices.ContainsFunc(x.inner, b.Contains)
		}
		if fits {
			ports = ports.Union(o.ports)
		}
	}
	return ports
}

// closers are the policies that keep the addresses out.
func (x *exposer) closers(endpoint int, ports Ports, sources []Block) []*Policy {
	proto, port := ports.first()
	for i, block := range x.e.blocks[Ingress] {
		if len(both([]Block{block}, sources)) > 0 && (hasPublic([]Block{block}) || !hasPublic(sources)) {
			return x.e.ExplainBlock(Ingress, endpoint, i, proto, port).deciding()
		}
	}
	return nil
}

// less is the ports without others.
func (p Ports) less(q Ports) Ports {
	var left Ports
	for i := range p.of {
		for _, s := range p.of[i] {
			first := int(s.first)
			for _, cut := range q.of[i] {
				if int(cut.last) < first || cut.first > s.last {
					continue
				}
				if int(cut.first) > first {
					left.of[i] = append(left.of[i], span{uint16(first), cut.first - 1})
				}
				first = int(cut.last) + 1
			}
			if first <= int(s.last) {
				left.of[i] = append(left.of[i], span{uint16(first), s.last})
			}
		}
	}
	return left
}
