package network

import (
	"slices"
	"sort"
	"strings"

	"bulwark/kube"
)

// With is the engine of the same set with a policy more, or with one in the place of that of
// its name. What it does not change is shared: of ten thousand policies one takes milliseconds,
// also where it names new addresses. All is made anew for the first domain of a name, the first
// condition, and for addresses where there are domains. Both engines can be asked from then on.
func (e *Engine) With(o *kube.Object) *Engine { return e.changed(o, true) }

// Without is the engine of the same set without a policy.
func (e *Engine) Without(o *kube.Object) *Engine { return e.changed(o, false) }

func (e *Engine) changed(o *kube.Object, there bool) *Engine {
	i := slices.IndexFunc(kinds, func(k policyKind) bool { return o.Is(k.group, k.kind) })
	if i < 0 || !strings.HasSuffix(o.Group(), "networking.k8s.io") { // those of others may hang together
		return New(e.changedSet(o, there))
	}
	e.reader.mu.Lock()
	defer e.reader.mu.Unlock()
	n := *e
	n.changes = append(slices.Clip(e.changes), change{o, there})
	same := func(p *kube.Object) bool { return sameObject(p, o) }
	n.Problems = slices.DeleteFunc(slices.Clone(e.Problems), func(p Problem) bool { return same(p.Object) })
	n.Policies = slices.DeleteFunc(slices.Clone(e.Policies), func(p *Policy) bool { return same(p.Object) })
	r := *e.reader
	r.e, n.reader, r.policies = &n, &r, nil
	if there {
		r.one(o, kinds[i].read)
	}
	which := newSet(len(e.Endpoints))
	for _, p := range e.Policies {
		if same(p.Object) {
			p.subject.addTo(which)
		}
	}
	for _, p := range r.policies {
		p.subject.addTo(which)
		at := sort.Search(len(n.Policies), func(i int) bool { return before(p, n.Policies[i]) < 0 })
		n.Policies = slices.Insert(n.Policies, at, p)
	}
	placed := n.place(r.policies)
	conditions, mesh := n.layered()
	if !placed || conditions != (e.sure[Egress] != nil) || mesh != (e.mesh != nil) {
		n.resettle()
		return &n
	}
	n.renew(which)
	return &n
}

// resettle cuts the addresses anew and makes all rows. The policies are copied: another engine
// has them with other numbers.
func (e *Engine) resettle() {
	for i, p := range e.Policies {
		e.Policies[i] = p.copied()
	}
	e.settleBlocks()
	e.settleRows()
}

// copied is the policy with rules of its own.
func (p *Policy) copied() *Policy {
	c := *p
	c.rules = [2][]rule{slices.Clone(p.rules[0]), slices.Clone(p.rules[1])}
	return &c
}

// renew makes the rows of some endpoints; those of the others are as they were.
func (e *Engine) renew(which set) {
	for _, d := range []Direction{Ingress, Egress} {
		e.rowOf[d] = e.someRows(e.rowOf[d], d, which, false, false)
		if e.sure[d] != nil {
			e.sure[d] = e.someRows(e.sure[d], d, which, false, true)
		}
	}
	if e.mesh != nil {
		e.mesh = e.someRows(e.mesh, Ingress, which, true, false)
	}
	if e.sure[2] != nil {
		e.sure[2] = e.someRows(e.sure[2], Ingress, which, true, true)
	}
}

func (e *Engine) someRows(was []row, d Direction, which set, mesh, sure bool) []row {
	selecting := make([][]int32, len(e.Endpoints))
	for i, p := range e.Policies {
		if !p.holds(d) || (p.tier == tierMesh) != mesh {
			continue
		}
		for endpoint := range p.subject.shared(which) {
			selecting[endpoint] = append(selecting[endpoint], int32(i))
		}
	}
	list := slices.Clone(was)
	m := e.rowMaker(d, sure)
	for i := range which.each {
		list[i] = m.row(i, selecting[i])
	}
	return list
}

// change is a policy that is there or not, whatever the set says.
type change struct {
	object *kube.Object
	there  bool
}

// changedSet is the set of the engine with all changes, and one more.
func (e *Engine) changedSet(o *kube.Object, there bool) *kube.Set {
	s := &kube.Set{Objects: slices.Clone(e.set.Objects), Broken: e.set.Broken, Cluster: e.set.Cluster, Engine: e.set.Engine, Read: e.set.Read, Render: e.set.Render}
	for _, c := range append(slices.Clip(e.changes), change{o, there}) {
		s.Objects = slices.DeleteFunc(s.Objects, func(p *kube.Object) bool { return sameObject(p, c.object) })
		if c.there {
			s.Objects = append(s.Objects, c.object)
		}
	}
	return s
}

func sameObject(a, b *kube.Object) bool {
	return a == b || a.Name == b.Name && a.Namespace == b.Namespace && a.Kind == b.Kind && a.Group() == b.Group()
}
