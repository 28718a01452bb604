package rights

import (
	"slices"

	"bulwark"
	"bulwark/rbac"
)

// combination is powers that lead somewhere together alone. Some of them are for single
// objects only: then the way leads to what the objects say that all parts are for.
type combination struct {
	parts []power
	keys  keys // nil: every grant is for everything
	// lead adds the steps to what a key stands for, or to everything where it is nil.
	lead func(e *engine, at *spot, k *key)
	// own tells that it matters which other roles somebody has.
	own bool
	// beyond tells that it leads out of its namespace.
	beyond bool
}

// keys are those that a grant of the j-th part is for; every tells that it is for all.
type keys func(e *engine, j int, g *grant, at *spot) (list []key, every bool)

// key is what somebody may be for whom a rule names objects: a role in a namespace, or a name.
type key struct {
	scope
	name string
}

// spot is where parts come together: in a namespace, or everywhere; held are the roles of whom
// they are.
type spot struct {
	namespace string
	held      []scope
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
		if !c.in(p.mask) {
			continue
		}
		options := make([][]part, len(c.parts))
		for j, power := range c.parts {
			options[j] = p.of(nil, power, nil)
		}
		e.besides(c, options)
		e.meet(p.id, c, options, &spot{p.namespace, []scope{p.scope}})
	}
}

func (c *combination) in(mask uint64) bool {
	return !slices.ContainsFunc(c.parts, func(p power) bool { return mask&(1<<p) == 0 })
}

// Bounds on ways by several bindings: on options that those who hold the same have of one
// combination, and on relations of all. Beyond them ways are told as if each part held for all
// objects and namespaces of the others: too many rather than too few.
const (
	mostWays    = 20_000
	mostAllWays = 1_000_000
)

// together relates those who hold the same bindings to what several of these, and those of
// their groups, lead to together.
func (e *engine) together(h *holders) {
	if len(h.holds)+len(h.groups.holds) < 2 {
		return
	}
	mask := maskOf(h.holds)
	held := slices.Concat(heldBy(h.holds), h.groups.held)
	laid := false
	for i := range combinations {
		c := &combinations[i]
		if !c.in(mask|h.groups.mask) || !slices.ContainsFunc(c.parts, func(p power) bool { return mask&(1<<p) != 0 }) {
			continue
		}
		if !laid {
			e.rooms.lay(h.holds)
			laid = true
		}
		if c.in(mask) {
			e.across(h, c, held)
		}
		e.joint(h, c, mask, held)
	}
}

func maskOf(holds []*holding) (mask uint64) {
	for _, one := range holds {
		mask |= one.mask
	}
	return mask
}

func heldBy(holds []*holding) []scope {
	list := make([]scope, len(holds))
	for i, one := range holds {
		list[i] = one.scope
	}
	return unique(list)
}

// across goes over the namespaces in which all parts hold by bindings of somebody's own.
func (e *engine) across(h *holders, c *combination, held []scope) {
	wide, work := e.rooms.by[""], 0
	for _, r := range e.rooms.all() {
		for _, p := range c.parts {
			if work += len(r.parts[p]); wide != nil && r != wide {
				work += len(wide.parts[p])
			}
		}
	}
	if work > mostWays || e.crossed > mostAllWays {
		e.roughly(h, c, held)
		return
	}
	for _, r := range e.rooms.all() {
		if options, ok := e.rooms.options(c.parts, r); ok && (c.own || apart(options)) && e.besides(c, options) {
			e.meet(h.vertex(e), c, options, &spot{r.namespace, held})
		}
	}
}

func complete(options [][]part) bool {
	return !slices.ContainsFunc(options, func(list []part) bool { return len(list) == 0 })
}

// apart tells whether a part may be there by another permission than the others: what one
// permission has, it leads to itself.
func apart(options [][]part) bool {
	first := options[0][0].in
	return slices.ContainsFunc(options, func(list []part) bool {
		return slices.ContainsFunc(list, func(p part) bool { return p.in != first })
	})
}

// meet relates somebody to what options lead to: one of each part.
func (e *engine) meet(from bulwark.VertexID, c *combination, options [][]part, at *spot) {
	counts := func(options [][]part) bool {
		return complete(options) && (c.own || options[0][0].by == nil || apart(options))
	}
	every, keyed, order := e.sort(c, c.parts, options, at)
	if counts(every) {
		e.series(from, c, every, at, nil)
	}
	work := 0
	for _, k := range order {
		for j := range options {
			work += len(keyed[j][k]) + len(every[j])
		}
	}
	if work > mostWays {
		e.note("%s may do so much to so many objects (%s) that it is not told apart which: some ways that are told may not be there", from, table[c.parts[0]].text)
		e.series(from, c, options, at, nil, order...)
		return
	}
	for i := range order {
		lists := make([][]part, len(options))
		for j := range lists {
			lists[j] = slices.Concat(keyed[j][order[i]], every[j])
		}
		if counts(lists) {
			e.series(from, c, lists, at, &order[i])
		}
	}
}

// sort tells the options that are for everything from those that are for single keys.
func (e *engine) sort(c *combination, parts []power, options [][]part, at *spot) (every [][]part, keyed []map[key][]part, order []key) {
	if c.keys == nil {
		return options, nil, nil
	}
	every, keyed = make([][]part, len(options)), make([]map[key][]part, len(options))
	var seen map[key]bool
	for j, list := range options {
		for _, p := range list {
			keys, all := c.keys(e, slices.Index(c.parts, parts[j]), p.grant, at)
			if all {
				every[j] = append(every[j], p)
				continue
			}
			if keyed[j] == nil {
				keyed[j] = map[key][]part{}
			}
			if seen == nil {
				seen = map[key]bool{}
			}
			for _, k := range keys {
				keyed[j][k] = append(keyed[j][k], p)
				if !seen[k] {
					seen[k] = true
					order = append(order, k)
				}
			}
		}
	}
	return every, keyed, order
}
