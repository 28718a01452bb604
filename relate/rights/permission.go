package rights

import (
	"fmt"
	"slices"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// scope is a role in a namespace, or everywhere where that is "".
type scope struct {
	role      *rbac.Role
	namespace string
}

// permission is what those have who are bound to a role in a namespace, or everywhere.
type permission struct {
	scope
	id     bulwark.VertexID
	grants []*grant // of the role, and of those that it aggregates
	mask   uint64   // the powers among them
	whole  bool     // a rule allows everything in the namespace
}

// permission gives that of a role, and relates what it leads to when it is asked for first.
func (e *engine) permission(role *rbac.Role, namespace string) *permission {
	at := scope{role, namespace}
	if p := e.permissions[at]; p != nil {
		return p
	}
	p := &permission{scope: at, id: name.Permission(role.ID(), namespace)}
	for n := 2; e.names[p.id]; n++ { // manifests of several clusters may have several roles of that name
		p.id = name.Permission(fmt.Sprintf("%s (%d)", role.ID(), n), namespace)
	}
	e.permissions[at], e.names[p.id] = p, true
	e.fill(p)
	e.pending = append(e.pending, p)
	return p
}

// drain relates permissions to what they lead to, which may be others.
func (e *engine) drain() {
	for len(e.pending) > 0 {
		p := e.pending[0]
		e.pending = e.pending[1:]
		if len(e.permissions) > mostDetailed {
			e.sieve.from = p.id
		}
		for _, g := range p.grants {
			e.lead(p, g)
		}
		e.within(p)
		if e.sieve.from != "" {
			e.sifted(p)
		}
	}
}

// fill takes the grants that hold in the scope of a permission.
func (e *engine) fill(p *permission) {
	everything := false
	e.sources(p.role, func(from *rbac.Role) {
		list := e.grantsOf(from)
		for i := range list {
			g := &list[i]
			if p.namespace != "" && table[g.power].cluster {
				continue
			}
			if g.power == allRights && g.names == nil {
				everything, p.whole = p.namespace == "", p.namespace != ""
			}
			p.grants = append(p.grants, g)
		}
	})
	if everything { // that leads to everything else, and goes when the rule does
		p.grants = slices.DeleteFunc(p.grants, func(g *grant) bool { return g.class == full && g.power != allRights })
	}
	for _, g := range p.grants {
		p.mask |= 1 << g.power
	}
}

// sources gives the roles whose rules a role has.
func (e *engine) sources(role *rbac.Role, yield func(*rbac.Role)) {
	yield(role)
	for _, from := range role.From {
		yield(from)
	}
}

// of adds the grants of a power to a list.
func (p *permission) of(list []part, power power, by *rbac.Binding) []part {
	if p.mask&(1<<power) == 0 {
		return list
	}
	for _, g := range p.grants {
		if g.power == power {
			list = append(list, part{g, p, by})
		}
	}
	return list
}

// step is where a grant leads, and how.
type step struct {
	to         bulwark.VertexID
	edge       string
	likelihood float64
	text       string
	guard      string // the namespace whose label would hold it, if one would
}

// relation relates somebody by one of the grants.
func (e *engine) relation(p *permission, g *grant, s step) {
	r := bulwark.Relation{From: p.id, To: s.to, Type: s.edge, Likelihood: s.likelihood, Text: s.text}
	e.reason(g).add(&r)
	if s.guard != "" {
		e.guard(s.guard).add(&r)
	}
	e.tell(r)
}

// cause is a reason of relations: worked out once, for many have it.
type cause struct {
	place             *bulwark.Place
	because, remedies []string
}

func (c *cause) add(r *bulwark.Relation) {
	if r.Place == nil {
		r.Place = c.place
	}
	r.Because, r.Remedies = join(r.Because, c.because), join(r.Remedies, c.remedies)
}

// join gives both lists in one; where one is empty the other is shared.
func join(a, b []string) []string {
	if len(a) == 0 {
		return slices.Clip(b)
	}
	for _, one := range b {
		if !slices.Contains(a, one) {
			a = append(a, one)
		}
	}
	return a
}

// reason says by which rule of which role a relation is, which finding is about that, and what
// removes it.
func (e *engine) reason(g *grant) *cause {
	if g.cause == nil {
		g.cause = e.cause(g)
	}
	return g.cause
}

func (e *engine) cause(g *grant) *cause {
	role := g.from
	if role.Object == nil {
		return &cause{}
	}
	r := bulwark.Relation{Place: place(role.Object, role.At(g.index)...)}
	if !role.Default() { // what every cluster has cannot be changed
		if rule := g.class.rule(g.power); rule != "" {
			e.known.Because(&r, role.Object.ID(), rule)
		}
		if r.Remedies == nil {
			r.Remedies = []string{e.without(g)}
		}
	}
	return &cause{r.Place, r.Because, r.Remedies}
}

// mostUnseen are relations to objects that rules name and that are not there to be seen.
const mostUnseen = 200_000

// targets are those of a kind ("pods") that a grant is for: all of a namespace, or those that
// it names.
func (e *engine) targets(p *permission, g *grant, all *group, kind string) []bulwark.VertexID {
	if g.names == nil {
		return []bulwark.VertexID{e.use(all)}
	}
	namespace := p.namespace
	if kind == podsOnNodes {
		namespace = ""
	}
	return e.find(kind, namespace, g.names)
}

func (e *engine) pods(p *permission, g *grant) []bulwark.VertexID {
	return e.targets(p, g, e.space(p.namespace).pods, "pods")
}

// readers are those of the pods whose processes read what is sent to them: of others, who
// attaches sees no more than in their logs.
func (e *engine) readers(p *permission, g *grant) []bulwark.VertexID {
	reading := e.kind(e.space(p.namespace), reading)
	if g.names == nil && reading.any() {
		return []bulwark.VertexID{e.use(reading)}
	}
	var list []bulwark.VertexID
	for _, v := range e.pods(p, g) {
		if e.typed[v] {
			list = append(list, v)
		}
	}
	return list
}

func (e *engine) accounts(p *permission, g *grant) []bulwark.VertexID {
	return e.unseen(p, g, e.targets(p, g, e.space(p.namespace).accounts, "accounts"), "accounts", name.Account)
}

func (e *engine) secrets(p *permission, g *grant) []bulwark.VertexID {
	return e.unseen(p, g, e.targets(p, g, e.space(p.namespace).secrets, "secrets"), "secrets", name.Secret)
}

// unseen adds those of a namespace that a grant names and that manifests do not have: they may
// be there all the same.
func (e *engine) unseen(p *permission, g *grant, list []bulwark.VertexID, kind string, id func(namespace, called string) bulwark.VertexID) []bulwark.VertexID {
	if g.names == nil || p.namespace == "" || e.set.Cluster != nil && e.set.Cluster.Unseen[map[string]string{"accounts": "serviceaccounts", "secrets": "secrets"}[kind]] == "" {
		return list
	}
	c := e.members.known(kind, p.namespace)
	for i, called := range g.names.list {
		if c != nil && c.of[called] != nil {
			continue
		}
		if e.strangers >= mostUnseen {
			e.dropped(g, len(g.names.list)-i, kind+" of "+p.namespace+" that are not there to be seen")
			break
		}
		e.strangers++
		list = append(list, id(p.namespace, called))
	}
	return list
}
