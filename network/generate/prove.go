package generate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

// Proof is what the engine says of generated policies.
type Proof struct {
	Flows int      // that are declared
	Lost  []string // of them that are not open, with who stands in the way
	// Unread is true when the engine does not know the form: nothing is proved then.
	Unread bool
	// Unsure is what the engine says that it cannot tell of the policies.
	Unsure []string
	// Before and After are how many pairs of workloads could talk on some port, and can.
	Before, After int
	Closed        []Closed // by how many lose it
}

// Closed is a workload that some can no longer reach.
type Closed struct {
	To   string
	From []string
}

// mostPairs are looked at one by one to tell what is closed.
const mostPairs = 9_000_000

// Prove asks the engine about the set with the policies put to it.
func (p *Plan) Prove(documents []string) (*Proof, error) {
	s := &kube.Set{Cluster: p.Set.Cluster}
	s.Objects = slices.Clone(p.Set.Objects)
	made := 0
	for _, text := range append(slices.Clone(documents), p.standIns()...) {
		for _, d := range kube.ParseYAML([]byte(text)) {
			o, ok := kube.NewObject(d.Root, kube.Origin{File: "generated.yaml"})
			if d.Err != nil || !ok {
				return nil, fmt.Errorf("a generated policy cannot be read: %w", d.Err)
			}
			s.Objects = append(s.Objects, o)
			if o.Kind != "Pod" {
				made++
			}
		}
	}
	e := network.New(s)
	proof := &Proof{Flows: len(p.Flows)}
	for _, x := range e.Problems {
		if x.Object != nil && x.Object.Origin.File == "generated.yaml" && !slices.Contains(proof.Unsure, x.Text) {
			proof.Unsure = append(proof.Unsure, x.Text)
		}
	}
	for _, x := range e.Policies {
		if x.Origin.File == "generated.yaml" {
			made--
		}
	}
	if proof.Unread = made > 0; proof.Unread {
		return proof, nil
	}
	c := &checker{p, e, byName(e)}
	for i := range p.Flows {
		if why := c.lost(&p.Flows[i]); why != "" {
			proof.Lost = append(proof.Lost, why)
		}
	}
	c.closed(proof)
	return proof, nil
}

// standIns are pods that rules name and that are not among the objects: DNS.
func (p *Plan) standIns() []string {
	for _, e := range p.Engine.Endpoints {
		if resolves(e) {
			return nil
		}
	}
	return []string{"apiVersion: v1\nkind: Pod\nmetadata: {name: names, namespace: kube-system, labels: {k8s-app: kube-dns}}\nspec: {containers: [{name: dns, image: dns}]}\n"}
}

// checker compares what is declared with what the engine says.
type checker struct {
	plan  *Plan
	after *network.Engine
	names map[string][]int
}

func byName(e *network.Engine) map[string][]int {
	m := map[string][]int{}
	for i, x := range e.Endpoints {
		if !x.Outside && x.Workload != nil {
			m[name(x)] = append(m[name(x)], i)
		}
	}
	return m
}

// called are the endpoints of the plan that are called as one of another engine.
func (p *Plan) called(e *network.Endpoint) []int {
	if p.names == nil {
		p.names = byName(p.Engine)
	}
	return p.names[name(e)]
}

func name(e *network.Endpoint) string { return e.String() + "\x00" + text(selector(e)) }

// find gives an endpoint of the plan in the engine that has the policies.
func (c *checker) find(i int) []int { return c.names[name(c.plan.Engine.Endpoints[i])] }

// lost says why a flow is not open; "" when it is.
func (c *checker) lost(f *Flow) string {
	for _, i := range c.find(f.Endpoint) {
		for _, j := range c.peers(&f.Peer, f) {
			open := c.after.Side(f.Direction, i, j)
			if there := c.after.Endpoints[j]; f.Peer.Kind == Selected && len(c.plan.called(there)) > 0 { // it has a policy, too
				open = c.after.Ports(i, j)
			}
			if missing := f.Ports.Minus(open); !missing.Empty() && i != j {
				return fmt.Sprintf("%s of %s on %s, %s (%s)", f.Direction, c.after.Endpoints[i], missing, c.after.Endpoints[j], f.Why)
			}
		}
		for n, b := range c.after.Blocks(f.Direction) {
			if !c.speaks(&f.Peer, f.Direction, b) {
				continue
			}
			if missing := f.Ports.Minus(c.after.BlockPorts(f.Direction, i, n)); !missing.Empty() {
				return fmt.Sprintf("%s of %s on %s, %s (%s)", f.Direction, c.after.Endpoints[i], missing, b, f.Why)
			}
		}
	}
	return ""
}

// peers are the endpoints that a flow's peer is.
func (c *checker) peers(x *Peer, f *Flow) []int {
	var list []int
	switch x.Kind {
	case Workload:
		return c.find(x.Endpoint)
	case Selected, AnyPod:
		for i, e := range c.after.Endpoints {
			if x.Kind == AnyPod && (e.Outside || !e.Host) || x.Kind == Selected && e.Namespace == x.Namespace && !e.Host && has(e.Labels, x.Labels) {
				list = append(list, i)
			}
		}
	}
	return list
}

func has(labels, wanted map[string]string) bool {
	for name, v := range wanted {
		if labels[name] != v {
			return false
		}
	}
	return true
}

// speaks tells whether a flow's peer has addresses of a block. Names that a form keeps as such
// are looked at by the plugin that resolves them.
func (c *checker) speaks(x *Peer, d network.Direction, b network.Block) bool {
	if x.Kind != Addresses || x.Host != "" && !isAddress(x.Host) && len(c.after.Domains()) > 0 {
		return false
	}
	for _, e := range x.Except {
		if within(e, b.First) {
			return false
		}
	}
	return slices.ContainsFunc(x.CIDRs, func(c string) bool { return within(c, b.First) && within(c, b.Last) })
}

func within(cidr string, a netip.Addr) bool {
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Contains(a)
}

// closed counts the pairs of workloads that can talk no more.
func (c *checker) closed(proof *Proof) {
	before := c.plan.Engine
	var list []int
	for i := range before.Endpoints {
		if c.plan.holds(i) && len(c.find(i)) > 0 {
			list = append(list, i)
		}
	}
	if len(list)*len(list) > mostPairs {
		c.plan.note("%d workloads are too many to tell one by one what is closed", len(list))
		return
	}
	for _, to := range list {
		shut := Closed{To: before.Endpoints[to].String()}
		for _, from := range list {
			if from == to || before.Ports(from, to).Empty() {
				continue
			}
			proof.Before++
			if c.after.Ports(c.find(from)[0], c.find(to)[0]).Empty() {
				shut.From = append(shut.From, before.Endpoints[from].String())
			} else {
				proof.After++
			}
		}
		if len(shut.From) > 0 {
			proof.Closed = append(proof.Closed, shut)
		}
	}
	slices.SortStableFunc(proof.Closed, func(a, b Closed) int {
		return cmp.Or(cmp.Compare(len(b.From), len(a.From)), cmp.Compare(a.To, b.To))
	})
}

// String says what is proved, in a few lines.
func (p *Proof) String() string {
	var b strings.Builder
	switch {
	case p.Unread:
		return "nothing is proved: this form is not read by the engine"
	case len(p.Lost) == 0:
		fmt.Fprintf(&b, "proved: all %d declared flows stay open", p.Flows)
	default:
		fmt.Fprintf(&b, "%d of %d declared flows are shut by policies that are there already", len(p.Lost), p.Flows)
	}
	if p.Before > 0 {
		fmt.Fprintf(&b, "; %d of %d pairs of workloads that could talk are closed", p.Before-p.After, p.Before)
	}
	return b.String()
}
