package rights

import (
	"slices"

	"bulwark"
	"bulwark/relate/internal/name"
)

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
	e.tell(r)
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
