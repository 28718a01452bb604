package rights

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// groups are all groups that somebody is in and anything is bound to.
type groups struct {
	called string
	holds  []*holding
	held   []scope
	mask   uint64
	rooms  rooms
	mids   map[midway]bulwark.VertexID
}

// midway is where those come who have some parts of a combination themselves, and the others by
// their groups: in a namespace, for a key.
type midway struct {
	c         *combination
	own       int // a bit for each part
	namespace string
	key       key
}

// groupsOf are those of somebody, the same for all who are in the same.
func (e *engine) groupsOf(s *subject) *groups {
	var list []*subject
	var names []string
	for _, g := range s.Identity().Groups {
		if up := e.subjects[rbac.Subject{Kind: rbac.UserGroup, Name: g}]; up != nil && up != s && up.mask != 0 {
			list, names = append(list, up), append(names, g)
		}
	}
	called := strings.Join(names, " and ")
	g := e.sets[called]
	if g == nil {
		g = &groups{called: called, mids: map[midway]bulwark.VertexID{}}
		for _, up := range list {
			g.holds = append(g.holds, up.holds...)
		}
		g.mask, g.held = maskOf(g.holds), heldBy(g.holds)
		g.rooms.lay(g.holds)
		e.sets[called] = g
	}
	return g
}

// joint relates somebody to what parts of their own lead to together with those of their
// groups. All of a group who have the same part of their own come to the same vertex, and lead
// on from there by what the group holds.
func (e *engine) joint(h *holders, c *combination, mask uint64, held []scope) {
	all := 1<<len(c.parts) - 1
	for own := 1; own < all; own++ {
		mine, theirs := c.split(own)
		if has(mask, mine) && has(h.groups.mask, theirs) {
			for _, r := range e.rooms.all() {
				if options, ok := e.rooms.options(mine, r); ok {
					e.half(h, c, own, mine, options, &spot{r.namespace, held})
				}
			}
		}
	}
}

// split gives the parts whose bits are set, and the others.
func (c *combination) split(own int) (mine, theirs []power) {
	for j, p := range c.parts {
		if own&(1<<j) != 0 {
			mine = append(mine, p)
		} else {
			theirs = append(theirs, p)
		}
	}
	return mine, theirs
}

func has(mask uint64, parts []power) bool {
	return !slices.ContainsFunc(parts, func(p power) bool { return mask&(1<<p) == 0 })
}

// half leads by options of somebody's own to where those are who have these parts.
func (e *engine) half(h *holders, c *combination, own int, mine []power, options [][]part, at *spot) {
	every, keyed, order := e.sort(c, mine, options, at)
	enter := func(lists [][]part, k *key) {
		mid := e.mid(h.groups, c, own, at, k)
		if mid == "" {
			return
		}
		from, last := h.vertex(e), len(lists)-1
		for _, list := range lists[:last] {
			from = e.between(from, list, " on the way to "+string(mid))
		}
		e.enter(from, mid, lists[last], "may "+table[mine[last]].text)
	}
	if complete(every) {
		enter(every, nil)
	}
	work := 0
	for i := range order {
		lists := beside(keyed, every, order[i])
		if work += 1 + len(lists[0]); work > mostWays {
			e.dropped(options[0][0].grant, len(order)-i, "objects for which others have the rest")
			return
		}
		if complete(lists) {
			enter(lists, &order[i])
		}
	}
}

// mid gives the vertex of those of the groups who have some parts themselves, and relates it to
// where the rest leads them; "" where that is nowhere.
func (e *engine) mid(g *groups, c *combination, own int, at *spot, k *key) bulwark.VertexID {
	m := midway{c: c, own: own, namespace: at.namespace}
	held := g.held
	if k != nil {
		m.key = *k
		if k.role != nil {
			held = append(slices.Clip(held), k.scope)
		}
	}
	id, ok := g.mids[m]
	if ok {
		return id
	}
	mine, theirs := c.split(own)
	id = name.Group(fmt.Sprintf("those of %s who may %s%s%s beside %s", g.called, table[mine[0]].text, where(at.namespace), k.String(), table[theirs[0]].text))
	led := false
	for _, r := range g.rooms.all() {
		switch {
		case at.namespace == "", r.namespace == at.namespace:
		case r.namespace == "" && g.rooms.by[at.namespace] == nil:
		default:
			continue
		}
		options, ok := g.rooms.options(theirs, r)
		if !ok && r.namespace == at.namespace && g.rooms.by[""] != nil {
			options, ok = g.rooms.options(theirs, g.rooms.by[""])
		}
		if ok {
			there := &spot{r.namespace, held}
			if at.namespace != "" {
				there.namespace = at.namespace
			}
			led = e.rest(id, c, theirs, options, there, k) || led
		}
	}
	if !led {
		id = ""
	}
	g.mids[m] = id
	return id
}

// rest leads on by what the groups hold.
func (e *engine) rest(from bulwark.VertexID, c *combination, theirs []power, options [][]part, at *spot, k *key) bool {
	every, keyed, order := e.sort(c, theirs, options, at)
	if k != nil {
		lists := make([][]part, len(options))
		for j := range lists {
			if lists[j] = every[j]; keyed != nil {
				lists[j] = slices.Concat(keyed[j][*k], every[j])
			}
		}
		return complete(lists) && e.series(from, c, lists, at, k)
	}
	led, work := complete(every) && e.series(from, c, every, at, nil), 0
	for i := range order {
		lists := beside(keyed, every, order[i])
		if work += 1 + len(lists[0]); work > mostWays {
			e.dropped(options[0][0].grant, len(order)-i, "objects for which others have the rest")
			break
		}
		led = complete(lists) && e.series(from, c, lists, at, &order[i]) || led
	}
	return led
}

// beside are the options for a key. Of a single part those for everything are left out: they
// lead there without it.
func beside(keyed []map[key][]part, every [][]part, k key) [][]part {
	lists := make([][]part, len(every))
	for j := range lists {
		if lists[j] = keyed[j][k]; len(lists) > 1 {
			lists[j] = slices.Concat(lists[j], every[j])
		}
	}
	return lists
}
