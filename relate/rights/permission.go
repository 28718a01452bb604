package rights

import (
	"fmt"
	"slices"
	"strings"

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
	grants []grant // of the role, and of those that it aggregates
	mask   uint64  // the powers among them
}

// permission gives that of a role, and relates what it leads to when it is asked for first.
func (e *engine) permission(role *rbac.Role, namespace string) *permission {
	at := scope{role, namespace}
	if p := e.permissions[at]; p != nil {
		return p
	}
	p := &permission{scope: at, id: name.Permission(role.ID(), namespace)}
	for n := 2; e.names[p.id] != nil; n++ { // manifests of several clusters may have several roles of that name
		p.id = name.Permission(fmt.Sprintf("%s (%d)", role.ID(), n), namespace)
	}
	e.permissions[at], e.names[p.id] = p, role
	e.grantsOf(p)
	e.pending = append(e.pending, p)
	return p
}

// drain relates permissions to what they lead to, which may be others.
func (e *engine) drain() {
	for len(e.pending) > 0 {
		p := e.pending[0]
		e.pending = e.pending[1:]
		for i := range p.grants {
			e.lead(p, &p.grants[i])
		}
		e.within(p)
	}
}

// grantsOf takes the grants that hold in the scope of a permission.
func (e *engine) grantsOf(p *permission) {
	everything := false
	for _, from := range append([]*rbac.Role{p.role}, p.role.From...) {
		list, ok := e.given[from]
		if !ok {
			list = grants(from, e.operators, e.clouds)
			e.given[from] = list
		}
		for _, g := range list {
			if p.namespace != "" && table[g.power].cluster {
				continue
			}
			if g.power == allRights && g.names == nil && p.namespace == "" {
				everything = true
			}
			p.grants = append(p.grants, g)
		}
	}
	if everything { // that leads to everything else, and goes when the rule does
		p.grants = only(p.grants, func(g *grant) bool { return g.class != full || g.power == allRights })
	}
	for i := range p.grants {
		p.mask |= 1 << p.grants[i].power
	}
}

func only(list []grant, keep func(*grant) bool) []grant {
	var kept []grant
	for i := range list {
		if keep(&list[i]) {
			kept = append(kept, list[i])
		}
	}
	return kept
}

// of are the grants of a power.
func (p *permission) of(power power) []*grant {
	var list []*grant
	if p.mask&(1<<power) == 0 {
		return nil
	}
	for i := range p.grants {
		if p.grants[i].power == power {
			list = append(list, &p.grants[i])
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

// relation relates a permission by one of its grants.
func (e *engine) relation(p *permission, g *grant, s step) {
	r := bulwark.Relation{From: p.id, To: s.to, Type: s.edge, Likelihood: s.likelihood, Text: s.text}
	e.reason(&r, g)
	if s.guard != "" {
		e.guard(&r, s.guard)
	}
	e.to.Relation(r)
}

// remedy gives a relation one of our own.
func (e *engine) remedy(r *bulwark.Relation, id, text string) {
	if !e.remedies[id] {
		e.remedies[id] = true
		e.to.Remedy(bulwark.Remedy{ID: id, Text: text})
	}
	if !slices.Contains(r.Remedies, id) {
		r.Remedies = append(r.Remedies, id)
	}
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
	if a == nil {
		return slices.Clip(b)
	}
	return append(a, b...)
}

// source is what a grant is one of.
type source struct {
	from *rbac.Role
	power
	class
}

// reason says by which rule of which role a relation is, which finding is about that, and what
// removes it.
func (e *engine) reason(r *bulwark.Relation, g *grant) {
	if g.from.Object == nil {
		return
	}
	at := source{g.from, g.power, g.class}
	c := e.causes[at]
	if c == nil {
		c = e.cause(g)
		e.causes[at] = c
	}
	c.add(r)
}

func (e *engine) cause(g *grant) *cause {
	role := g.from
	r := bulwark.Relation{Place: place(role.Object, role.At(g.index)...)}
	if !role.Default() { // what every cluster has cannot be changed
		e.known.Because(&r, role.Object.ID(), g.class.rule(g.power))
		if r.Remedies == nil {
			id, text := g.without()
			e.remedy(&r, id, text)
		}
	}
	return &cause{r.Place, r.Because, r.Remedies}
}

// without is the change of a role that takes a grant out of it.
func (g *grant) without() (id, text string) {
	id = g.from.ID() + " without " + table[g.power].text
	verbs := strings.Join(g.verbs, ", ") + " of " + few(g.kinds)
	switch g.class {
	case broad:
		id += " by rules for every resource"
	case full:
		id, verbs = id+" by rules for everything", "every right"
	}
	if g.power == orderPods || g.power == orderClouds {
		id += " (" + strings.Join(g.kinds, ", ") + ")"
	}
	return id, "take " + verbs + " out of " + g.from.ID() + g.from.Place(g.index)
}

// targets are those of a kind ("pods") that a grant is for: all of a namespace, or those that
// it names.
func (e *engine) targets(p *permission, g *grant, group func(string) bulwark.VertexID, find func(namespace, called string) []bulwark.VertexID) []bulwark.VertexID {
	if g.names == nil {
		return []bulwark.VertexID{e.use(group(p.namespace))}
	}
	var list []bulwark.VertexID
	seen := map[bulwark.VertexID]bool{}
	for _, called := range g.names {
		for _, one := range find(p.namespace, called) {
			if !seen[one] {
				seen[one] = true
				list = append(list, one)
			}
		}
	}
	return list
}

func (e *engine) pods(p *permission, g *grant) []bulwark.VertexID {
	return e.targets(p, g, name.Pods, e.podsCalled)
}

func (e *engine) accounts(p *permission, g *grant) []bulwark.VertexID {
	return e.targets(p, g, name.Accounts, func(ns, called string) []bulwark.VertexID {
		if ns != "" {
			return []bulwark.VertexID{name.Account(ns, called)}
		}
		return e.find("accounts", ns, called)
	})
}

func (e *engine) secrets(p *permission, g *grant) []bulwark.VertexID {
	return e.targets(p, g, name.Secrets, func(ns, called string) []bulwark.VertexID {
		if ns != "" {
			return []bulwark.VertexID{name.Secret(ns, called)}
		}
		return e.find("secrets", ns, called)
	})
}
