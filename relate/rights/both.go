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

// room are the parts that somebody has in a namespace, by power.
type room struct {
	namespace string
	parts     [powers][]part
}

// rooms are those of whom is looked at; the ones behind n are there to be used again.
type rooms struct {
	list []*room
	n    int
	by   map[string]*room
}

// lay sorts what somebody holds by namespace and power.
func (t *rooms) lay(holds []*holding) {
	t.n = 0
	if clear(t.by); t.by == nil {
		t.by = map[string]*room{}
	}
	for _, one := range holds {
		r := t.room(one.namespace)
		for _, g := range one.grants {
			if combined[g.power] {
				r.parts[g.power] = append(r.parts[g.power], part{g, one.permission, one.binding})
			}
		}
	}
}

func (t *rooms) all() []*room { return t.list[:t.n] }

func (t *rooms) room(namespace string) *room {
	r := t.by[namespace]
	if r != nil {
		return r
	}
	if t.n == len(t.list) {
		t.list = append(t.list, &room{})
	}
	r = t.list[t.n]
	t.n++
	r.namespace = namespace
	for i := range r.parts {
		r.parts[i] = r.parts[i][:0]
	}
	t.by[namespace] = r
	return r
}

// options are those of some powers in a namespace and everywhere. ok tells whether each power is
// there, and one of them in the namespace.
func (t *rooms) options(parts []power, r *room) (list [][]part, ok bool) {
	wide, here := t.by[""], false
	for _, p := range parts {
		if len(r.parts[p]) == 0 && (wide == nil || len(wide.parts[p]) == 0) {
			return nil, false
		}
		here = here || len(r.parts[p]) > 0
	}
	if !here {
		return nil, false
	}
	list = make([][]part, len(parts))
	for j, p := range parts {
		if list[j] = r.parts[p]; wide != nil && r != wide && len(wide.parts[p]) > 0 {
			list[j] = slices.Concat(list[j], wide.parts[p])
		}
	}
	return list, true
}

// combined are the powers that any combination has.
var combined = func() (list [powers]bool) {
	for _, c := range combinations {
		for _, p := range c.parts {
			list[p] = true
		}
	}
	return list
}()

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
		if options, ok := e.rooms.options(c.parts, r); ok && (c.own || apart(options)) {
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

// series relates somebody to where one option of each part leads. A part that there is one
// option of is a reason of the last relation; of those with several, all but the last lead to
// a vertex between: whoever is there has that part. So n ways to have the one and m to have
// the other take n + m relations, and each is removed by what removes its part. It leads to
// what the key stands for, or all of several keys.
func (e *engine) series(from bulwark.VertexID, c *combination, options [][]part, at *spot, k *key, all ...key) bool {
	e.steps = e.steps[:0]
	if len(all) == 0 {
		c.lead(e, at, k)
	}
	for i := range all {
		c.lead(e, at, &all[i])
	}
	if len(e.steps) == 0 {
		return false
	}
	steps := slices.Clone(e.steps)
	called := " to " + steps[0].edge + where(at.namespace) + k.String()
	var single []part
	last := []part{{}}
	for _, list := range options {
		switch {
		case len(list) == 1:
			single = append(single, list[0])
		case len(last) == 1:
			last = list
		default:
			from, last = e.between(from, last, called), list
		}
	}
	if len(steps) > 1 && len(last) > 1 {
		from, last = e.between(from, last, called), []part{{}}
	}
	for _, s := range steps {
		r := bulwark.Relation{From: from, To: s.to, Type: s.edge, Likelihood: s.likelihood, Text: s.text}
		for _, p := range last {
			e.by(r, append(single[:len(single):len(single)], p)...)
		}
	}
	return true
}

// between leads by the options of a part to a vertex of those who have it.
func (e *engine) between(from bulwark.VertexID, options []part, called string) bulwark.VertexID {
	text := "may " + table[options[0].power].text
	mid := name.Group(string(from) + " who " + text + called)
	e.enter(from, mid, options, text)
	return mid
}

func (e *engine) enter(from, mid bulwark.VertexID, options []part, text string) {
	for _, p := range options {
		e.by(bulwark.Relation{From: from, To: mid, Type: "MEMBER_OF", Text: text}, p)
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
	e.crossed++
	e.to.Relation(r)
}

func (k *key) String() string {
	switch {
	case k == nil:
		return ""
	case k.role != nil:
		return " for " + k.role.ID() + where(k.namespace)
	}
	return " for " + k.name
}

// roughly relates those who hold too much to be told apart: as if every part held wherever
// one of them does, with all that removes them.
func (e *engine) roughly(h *holders, c *combination, held []scope) {
	options, at := make([][]part, len(c.parts)), &spot{"", held}
	if e.rooms.by[""] == nil {
		at.namespace = e.rooms.all()[0].namespace
	}
	for j, p := range c.parts {
		for _, r := range e.rooms.all() {
			options[j] = append(options[j], r.parts[p]...)
		}
	}
	if !h.rough {
		h.rough = true
		e.note("%s and %d more hold so many bindings that ways by several of them (%s) are not told apart: some that are told may not be there", h.subjects[0].id, len(h.subjects)-1, table[c.parts[0]].text)
	}
	e.series(h.vertex(e), c, options, at, nil)
}
