package render

import (
	"bulwark/network"
)

// outside adds what a unit may receive from the ingress controller and addresses, and send
// to those.
func (d *drawing) outside(u *unit) {
	last := len(d.e.Endpoints) - 1
	controller := d.e.Endpoints[last]
	ends := u.endpoints
	if d.o.Fold {
		ends = ends[:1]
	}
	for _, i := range ends {
		if p := d.e.FromController(i); !p.Empty() && (u.kept || d.o.keeps(controller)) {
			from := d.node(Node{Name: controller.String()})
			d.add(from, u.node, p, u.names)
			d.depends(from, u.node, d.e.Conditions(last, i))
		}
		if u.kept {
			d.addresses(u, i)
			d.domains(u, i)
		}
	}
}

// addresses adds what an endpoint of a unit may receive from addresses, and send to them: what
// the endpoint does not tell apart is one when maps are folded.
func (d *drawing) addresses(u *unit, i int) {
	for _, dir := range []network.Direction{network.Ingress, network.Egress} {
		if d.o.Fold {
			for _, r := range d.e.Ranges(dir, i) {
				d.address(u, i, dir, r)
			}
			continue
		}
		for b := range d.e.Named(dir, i) {
			d.address(u, i, dir, network.Range{Block: d.e.Blocks(dir)[b], Ports: d.e.BlockPorts(dir, i, b), At: b, Count: 1})
		}
	}
}

func (d *drawing) address(u *unit, i int, dir network.Direction, r network.Range) {
	if r.Ports.Empty() || r.First.Is6() && !d.o.IPv6 {
		return
	}
	from, to := u.node, d.node(Node{Name: r.Block.String() + "[External]"})
	if dir == network.Ingress {
		from, to = to, from
	}
	d.add(from, to, r.Ports, u.names*r.Count)
	d.depends(from, to, d.e.BlockConditions(dir, i, r.At))
}

// domains adds those that an endpoint may reach though it may not reach all addresses.
func (d *drawing) domains(u *unit, i int) {
	for k, name := range d.e.Domains() {
		p := d.e.DomainPorts(i, k)
		known := true
		if p.Empty() {
			continue
		}
		for b, block := range d.e.Blocks(network.Egress) {
			known = known && (block.First.Is6() || p.Intersect(d.e.BlockPorts(network.Egress, i, b)).Equal(p))
		}
		if !known {
			to := d.node(Node{Name: name + "[External]"})
			d.add(u.node, to, p, u.names)
			d.depends(u.node, to, d.e.DomainConditions(i, k))
		}
	}
}
