package network

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// clause is one rule as its kind writes it, before its ports are those of endpoints.
type clause struct {
	action Action
	who    *peers
	ports  portList
	only   *group   // of the policy's endpoints; nil: all
	when   []string // on what else it depends
	path   []any
}

// clause adds the rules that a clause comes to.
func (r *reader) clause(p *Policy, d Direction, c clause) {
	if c.action == Pass && len(c.when) > 0 {
		r.lacks(p.Object, c.path, "whether it passes on depends on %q: it is taken not to", strings.Join(c.when, " and "))
		return
	}
	for i, text := range c.when {
		if len(text) > longWhen { // it is told with each connection
			c.when = slices.Clone(c.when)
			c.when[i] = strings.ToValidUTF8(text[:longWhen], "") + " ..."
		}
	}
	first := len(p.rules[d])
	c.path = slices.Clone(c.path)
	r.add(p, d, c.action, c.who, c.ports, c.path)
	for i := first; i < len(p.rules[d]); i++ {
		one := &p.rules[d][i]
		one.when = c.when
		if c.only == nil {
			continue
		}
		both := *c.only
		if one.only != nil {
			both = one.only.only(r.bits(both))
		}
		one.only = &both
	}
}

// longWhen is how long what a rule depends on may be.
const longWhen = 300

// bits are a group's endpoints as a set of its own.
func (r *reader) bits(g group) set {
	s := newSet(len(r.e.Endpoints))
	g.addTo(s)
	return s
}

// podded leaves of a group the endpoints that have an address of their own: most kinds know
// pods on the network of their node as the node.
func (r *reader) podded(g group) group {
	if r.own == nil {
		r.own = newSet(len(r.e.Endpoints))
		for i, e := range r.e.Endpoints {
			if !e.Host {
				r.own.add(i)
			}
		}
	}
	return g.only(r.own)
}

// hosts are the endpoints on the network of their node.
func (r *reader) hosts() group {
	s := newSet(len(r.e.Endpoints))
	for i, e := range r.e.Endpoints {
		if e.Host {
			s.add(i)
		}
	}
	return groupOf(s)
}

// mayBePods tells, once, that rules name addresses which pods may have: which those have is
// not known before they run.
func (r *reader) mayBePods(o *kube.Object, blocks []Block, path []any) {
	if !r.saidPods && len(both(together(slices.Clone(blocks)), private)) > 0 {
		r.saidPods = true
		r.note(o, path, "private addresses may be those of pods, here and elsewhere: the answer takes them for those of others")
	}
}

// controller is the ingress controller.
func (r *reader) controller() group { return group{few: []int32{int32(len(r.e.Endpoints) - 1)}} }

// spaceOf is the namespace of a policy that lives in one.
func spaceOf(o *kube.Object) string {
	if o.Namespace == "" {
		return "default"
	}
	return o.Namespace
}

// unknown notes the fields of a map that its reader does not know: they may change the answer.
func (r *reader) unknown(o *kube.Object, n *kube.Node, path []any, known ...string) {
	for name, v := range n.Fields() {
		if !slices.Contains(known, name) && v.Exists() {
			r.problem(o, append(slices.Clone(path), name), "%s is not read: the answer is without it", name)
		}
	}
}
