package rights

import (
	"slices"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// combination is powers that lead somewhere together alone.
type combination struct {
	parts []power
	steps func(e *engine, ns string, g []*grant, held []scope) []step
}

// combinations are all of them.
var combinations = []combination{
	{[]power{createSecrets, readSecrets}, func(e *engine, ns string, _ []*grant, _ []scope) []step {
		return one(e.use(name.Accounts(ns)), "CREATE_SECRET_WITH_TOKEN", 1, "makes a secret that is filled with its token, and reads it")
	}},
	{[]power{writeClusterBindings, bindClusterRoles}, (*engine).bindsEverywhere},
	{[]power{writeBindings, bindClusterRoles}, (*engine).bindsClusterRoles},
	{[]power{writeBindings, bindRoles}, (*engine).bindsRoles},
	{[]power{writeClusterRoles, escalateClusterRoles}, (*engine).escalatesEverywhere},
	{[]power{writeRoles, escalateRoles}, (*engine).escalates},
	{[]power{createRequests, approveRequests, approveSigners}, (*engine).certifies},
	{[]power{patchNamespaces, createPods}, (*engine).relabels},
	{[]power{createVolumes, createPods}, func(e *engine, _ string, _ []*grant, _ []scope) []step {
		return one(e.use(name.Nodes()), "CREATE_PERSISTENT_VOLUME", 0.9, "makes a volume of the node's disk, which no pod security level looks at, and a pod that mounts it")
	}},
	{[]power{beGroups, beUsers}, (*engine).actsAsGroup},
	{[]power{beGroups, beAccounts}, (*engine).actsAsGroup},
	{[]power{writeMutations, bindMutations}, func(*engine, string, []*grant, []scope) []step {
		return one(name.ClusterAdmin, "MUTATING_POLICY", 0.8, "has the API server change every object that is made")
	}},
}

// part is one of the powers, and by which permission and binding it is there.
type part struct {
	*grant
	in *permission
	by *rbac.Binding // nil: of the permission itself
}

// within relates a permission to what its grants lead to together.
func (e *engine) within(p *permission) {
	for i := range combinations {
		c := &combinations[i]
		options := make([][]part, len(c.parts))
		for j, power := range c.parts {
			for _, g := range p.of(power) {
				options[j] = append(options[j], part{g, p, nil})
			}
		}
		product(options, func(parts []part) bool {
			e.combined(p.id, c, parts, []scope{p.scope})
			return true
		})
	}
}

// Bounds on ways by two bindings: of one subject to one thing, and of all.
const (
	mostWays    = 256
	mostCrossed = 200_000
)

// together relates a subject to what several of its bindings, and those of its groups, lead
// to together.
func (e *engine) together(s *subject) {
	if len(s.holds) == 0 {
		return
	}
	holds := slices.Clone(s.holds)
	for _, g := range s.Identity().Groups {
		if up := e.subjects[rbac.Subject{Kind: rbac.UserGroup, Name: g}]; up != nil && up != s {
			holds = append(holds, up.holds...)
		}
	}
	if len(holds) < 2 {
		return
	}
	var mask uint64
	var held []scope
	for _, h := range holds {
		mask |= h.mask
		held = append(held, h.scope)
	}
	for i := range combinations {
		if c := &combinations[i]; c.in(mask) {
			e.across(s, c, holds, held)
		}
	}
}

// lasting are parts that no change is known to remove: there are too many ways.
func lasting(parts []part) []part {
	list := make([]part, len(parts))
	for i, p := range parts {
		g := *p.grant
		g.from = &rbac.Role{}
		list[i] = part{&g, p.in, nil}
	}
	return list
}

func (c *combination) in(mask uint64) bool {
	return !slices.ContainsFunc(c.parts, func(p power) bool { return mask&(1<<p) == 0 })
}

func (e *engine) across(s *subject, c *combination, holds []*holding, held []scope) {
	own, others, all := make([][]part, len(c.parts)), make([][]part, len(c.parts)), make([][]part, len(c.parts))
	for j, power := range c.parts {
		for i, h := range holds {
			for _, g := range h.of(power) {
				one := part{g, h.permission, h.binding}
				if i < len(s.holds) {
					own[j] = append(own[j], one)
				} else {
					others[j] = append(others[j], one)
				}
			}
		}
		all[j] = slices.Concat(own[j], others[j])
	}
	// Each choice with one of its own at least, once: what its groups alone have is theirs.
	ways := 0
	for j := range c.parts {
		options := slices.Concat(others[:j], own[j:j+1], all[j+1:])
		product(options, func(parts []part) bool {
			first := parts[0].in
			if !slices.ContainsFunc(parts, func(p part) bool { return p.in != first }) {
				return true // the permission leads there itself
			}
			if ways++; ways > mostWays || e.crossed > mostCrossed {
				if e.crossed <= 2*mostCrossed {
					e.combined(s.id, c, lasting(parts), held)
				}
				return false
			}
			e.combined(s.id, c, parts, held)
			return true
		})
	}
}

// product gives every choice of one of each, until yield wants no more. What it gives is not
// to be changed, and good until the next.
func product(options [][]part, yield func([]part) bool) {
	chosen := make([]part, len(options))
	var choose func(i int) bool
	choose = func(i int) bool {
		if i == len(options) {
			return yield(chosen)
		}
		for _, p := range options[i] {
			chosen[i] = p
			if !choose(i + 1) {
				return false
			}
		}
		return true
	}
	choose(0)
}

// combined relates somebody to what parts lead to, where these hold in the same namespace.
func (e *engine) combined(from bulwark.VertexID, c *combination, parts []part, held []scope) {
	ns, list := "", make([]*grant, len(parts))
	for i, p := range parts {
		list[i] = p.grant
		switch at := p.in.namespace; {
		case at == "" || at == ns:
		case ns == "":
			ns = at
		default:
			return
		}
	}
	steps := c.steps(e, ns, list, held)
	if from != parts[0].in.id {
		e.crossed += 1 + len(steps)
	}
	for _, s := range steps {
		r := bulwark.Relation{From: from, To: s.to, Type: s.edge, Likelihood: s.likelihood, Text: s.text}
		for _, p := range parts {
			e.reason(&r, p.grant)
		}
		for _, p := range parts {
			if p.by != nil {
				e.unbind(&r, p.by)
			}
		}
		r.Because, r.Remedies = unique(r.Because), unique(r.Remedies)
		e.to.Relation(r)
	}
}

func unique(list []string) []string {
	var kept []string
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
