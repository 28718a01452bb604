package rights

import (
	"slices"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
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
		e.meet(p.id, c, options, &spot{p.namespace, []scope{p.scope}})
	}
}

func (c *combination) in(mask uint64) bool {
	return !slices.ContainsFunc(c.parts, func(p power) bool { return mask&(1<<p) == 0 })
}

// Bounds on ways by several bindings: of those who hold the same to what a combination leads
// to, and of all. Beyond them ways are told as if each part held for all objects and
// namespaces of the others: too many rather than too few.
const (
	mostWays    = 20_000
	mostAllWays = 500_000
)

// together relates those who hold the same bindings to what several of these, and those of
// their groups, lead to together.
func (e *engine) together(h *holders) {
	if len(h.holds) < 2 {
		return
	}
	var mask uint64
	var held []scope
	for _, one := range h.holds {
		mask |= one.mask
		held = append(held, one.scope)
	}
	for i := range combinations {
		if c := &combinations[i]; c.in(mask) {
			e.across(h, c, unique(held))
		}
	}
}

// across goes over the namespaces in which all parts hold.
func (e *engine) across(h *holders, c *combination, held []scope) {
	by := map[string][][]part{}
	all := make([][]part, len(c.parts))
	var order []string
	for j, power := range c.parts {
		for _, one := range h.holds {
			before := len(all[j])
			all[j] = one.of(all[j], power, one.binding)
			if len(all[j]) == before {
				continue
			}
			if by[one.namespace] == nil {
				by[one.namespace], order = make([][]part, len(c.parts)), append(order, one.namespace)
			}
			by[one.namespace][j] = append(by[one.namespace][j], all[j][before:]...)
		}
	}
	work, most := 0, min(mostWays, mostAllWays-e.crossed)
	for _, ns := range order {
		for j := range c.parts {
			work += len(by[ns][j])
			if wide := by[""]; ns != "" && wide != nil {
				work += len(wide[j])
			}
		}
	}
	if work > most {
		e.roughly(h, c, all, order, held)
		return
	}
	e.crossed += work
	for _, ns := range order {
		options := by[ns]
		if wide := by[""]; ns != "" && wide != nil {
			options = make([][]part, len(c.parts))
			for j := range options {
				options[j] = slices.Concat(by[ns][j], wide[j])
			}
		}
		if complete(options) && (c.own || apart(options)) {
			e.meet(h.vertex(e), c, options, &spot{ns, held})
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
	every, keyed, order := e.sort(c, options, at)
	if counts(every) {
		e.series(from, c, every, at, nil)
	}
	most := max(1000, min(10*mostWays, mostAllWays-e.crossed))
	for i := range order {
		lists := make([][]part, len(options))
		for j := range lists {
			lists[j] = slices.Concat(keyed[j][order[i]], every[j])
			most -= len(lists[j])
			e.crossed += len(lists[j])
		}
		if most < 0 {
			e.dropped(options[len(options)-1][0].grant, len(order)-i, "objects beside those of other rules")
			return
		}
		if counts(lists) {
			e.series(from, c, lists, at, &order[i])
		}
	}
}

// sort tells the options that are for everything from those that are for single keys.
func (e *engine) sort(c *combination, options [][]part, at *spot) (every [][]part, keyed []map[key][]part, order []key) {
	every, keyed = make([][]part, len(options)), make([]map[key][]part, len(options))
	seen := map[key]bool{}
	for j, list := range options {
		for _, p := range list {
			if c.keys == nil {
				every[j] = append(every[j], p)
				continue
			}
			keys, all := c.keys(e, j, p.grant, at)
			if all {
				every[j] = append(every[j], p)
				continue
			}
			if keyed[j] == nil {
				keyed[j] = map[key][]part{}
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

// series relates somebody to where one option of each part leads. A part that there is one
// option of is a reason of the last relation; of those with several, all but the last lead to
// a vertex between: whoever is there has that part. So n ways to have the one and m to have
// the other take n + m relations, and each is removed by what removes its part.
func (e *engine) series(from bulwark.VertexID, c *combination, options [][]part, at *spot, k *key) {
	e.steps = e.steps[:0]
	c.lead(e, at, k)
	if len(e.steps) == 0 {
		return
	}
	steps := slices.Clone(e.steps)
	var single []part
	var several []int
	for j, list := range options {
		if len(list) == 1 {
			single = append(single, list[0])
		} else {
			several = append(several, j)
		}
	}
	between := func(j int, only bool) bulwark.VertexID {
		text := table[c.parts[j]].text + where(at.namespace)
		if k != nil {
			text += " for " + k.String()
		}
		if only {
			text += " alone"
		}
		return name.Group(string(from) + " that may " + text + " to " + steps[0].edge)
	}
	last := []part{{}}
	if n := len(several); n > 0 {
		for _, j := range several[:n-1] {
			mid := between(j, false)
			for _, p := range options[j] {
				e.by(bulwark.Relation{From: from, To: mid, Type: "MEMBER_OF", Text: "may " + table[p.power].text}, p)
			}
			from = mid
		}
		last = options[several[n-1]]
		if len(steps) > 1 && len(last) > 1 {
			mid := between(several[n-1], n == 1)
			for _, p := range last {
				e.by(bulwark.Relation{From: from, To: mid, Type: "MEMBER_OF", Text: "may " + table[p.power].text}, p)
			}
			from, last = mid, []part{{}}
		}
	}
	for _, s := range steps {
		for _, p := range last {
			e.by(bulwark.Relation{From: from, To: s.to, Type: s.edge, Likelihood: s.likelihood, Text: s.text}, append(single[:len(single):len(single)], p)...)
		}
	}
}

// by tells a relation with its parts as reasons.
func (e *engine) by(r bulwark.Relation, parts ...part) {
	for _, p := range parts {
		if p.grant != nil {
			e.reason(p.grant).add(&r)
		}
	}
	for _, p := range parts {
		if p.by != nil {
			e.unbind(p.by).add(&r)
		}
	}
	e.to.Relation(r)
}

func (k *key) String() string {
	if k.role != nil {
		return k.role.ID() + where(k.namespace)
	}
	return k.name
}

// roughly relates those who hold too much to be told apart: as if every part held wherever
// one of them does, with all that removes them.
func (e *engine) roughly(h *holders, c *combination, all [][]part, order []string, held []scope) {
	e.note("%s and %d more hold so many bindings that not all ways by several of them are told apart (%s): some that are told may not be there", h.subjects[0].id, len(h.subjects)-1, table[c.parts[0]].text)
	at := &spot{"", held}
	if !slices.Contains(order, "") {
		at.namespace = order[0]
	}
	e.series(h.vertex(e), c, all, at, nil)
}
