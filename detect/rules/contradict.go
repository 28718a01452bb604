package rules

import (
	"slices"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// literal is what a condition says of a text: that it is one of some, and none of others.
type literal struct {
	is     []string // nil: nothing
	isNot  []string
	within bool // is is set
}

// impossible tells whether a condition asks two things of one field that no event of the kind can have at once, such as
// fd.l4proto != tcp and fd.l4proto = tcp, which macros bring together.
func impossible(n *cond, k bulwark.Kind) bool {
	said := map[string]*literal{}
	conjuncts(n, k, false, func(c *check, not bool) { c.says(said, not) })
	for _, l := range said {
		if l.within && !slices.ContainsFunc(l.is, func(s string) bool { return !slices.Contains(l.isNot, s) }) {
			return true
		}
	}
	return false
}

// conjuncts gives the comparisons that all have to hold, or with not set, not to hold.
func conjuncts(n *cond, k bulwark.Kind, not bool, give func(c *check, not bool)) {
	switch {
	case n.op == isCheck:
		give(n.check, not)
	case n.op == isNot:
		conjuncts(n.terms[0], k, !not, give)
	case n.op == isAnd != not:
		for _, t := range n.terms {
			conjuncts(t, k, not, give)
		}
	default:
		if only := onlyWay(n, k, not); only != nil {
			conjuncts(only, k, not, give)
		}
	}
}

// onlyWay is the term of an "or" that alone can be true of events of the kind; nil: several can.
func onlyWay(n *cond, k bulwark.Kind, not bool) (only *cond) {
	for _, t := range n.terms {
		can := t.may
		if not {
			can = t.mayNot
		}
		if !can.has(k) {
			continue
		}
		if only != nil {
			return nil
		}
		only = t
	}
	return only
}

// never says why a condition is true of no kind of event, where one comparison alone makes it so, and what Falco calls that: of a list
// that is empty it tells nothing.
func never(n *cond) (why, code string) {
	code = lang.CodeOdd
	probe := newProbe()
	conjuncts(n, bulwark.KindExec, false, func(c *check, not bool) {
		is, known := c.fixed(probe, bulwark.KindExec)
		switch {
		case why != "" || !known || is != not:
		case c.Empty != "":
			why, code = " as long as the list "+c.Empty+" is empty", ""
		case c.left.field != nil && c.left.field.Name == "evt.dir":
			why, code = ": evt.dir is always <, as calls are seen when they return; leave it out", ""
		}
	})
	return why, code
}

// says adds what the comparison says of its field.
func (k *check) says(said map[string]*literal, not bool) {
	t := k.left
	if t.field == nil || t.text == nil || t.addr != nil || t.also != nil || k.Right != nil || k.Modifier != lang.Plain || k.links != nil {
		return
	}
	if k.Op != lang.Eq && k.Op != lang.NotEq && k.Op != lang.In {
		return
	}
	key := t.field.Name + "[" + t.arg
	l := said[key]
	if l == nil {
		l = &literal{}
		said[key] = l
	}
	values := make([]string, 0, len(k.Values))
	for _, v := range k.Values {
		values = append(values, v.Text)
	}
	switch positive := (k.Op == lang.NotEq) == not; {
	case !positive:
		l.isNot = append(l.isNot, values...)
	case k.Op == lang.NotEq: // not different: the same, or missing
	case !l.within:
		l.within, l.is = true, values
	default:
		l.is = slices.DeleteFunc(l.is, func(s string) bool { return !slices.Contains(values, s) })
	}
}
