package rights

import (
	"slices"
	"strings"

	"bulwark/rbac"
)

// grant is a power that a role gives by rules of a class.
type grant struct {
	*shape
	from *rbac.Role // whose rules they are
	// cause is why, and what removes it.
	cause *cause
}

// shape is what grants of roles with the same rules have in common.
type shape struct {
	power
	class
	index int // of the first rule that gives it
	verbs []string
	kinds []string // resources that it is for: "deployments"
	names *names   // of the objects that it is for; nil: all

	said []phrase
}

// phrase is a text that was made for a shape before.
type phrase struct{ before, after, text string }

// say joins what is said of the kinds that the grant is for, once.
func (s *shape) say(before, after string) string {
	for i := range s.said {
		if s.said[i].before == before && s.said[i].after == after {
			return s.said[i].text
		}
	}
	text := before + few(s.kinds) + after
	s.said = append(s.said, phrase{before, after, text})
	return text
}

// lists tells whether the grant is for more than single objects whose name is known.
func (s *shape) lists() bool {
	return slices.ContainsFunc(s.verbs, func(v string) bool { return v == "list" || v == "watch" || v == "deletecollection" })
}

// mostNames are those of objects that a grant is for.
const mostNames = 10_000

// names are those of the objects that a grant is for.
type names struct {
	list []string
	has  map[string]bool
	sets map[string]bool // "db" for "db-0": pods of a set are called so
	cut  int             // how many were too many
	at   int             // the rule whose names were cut
}

func (n *names) allow(called string) bool { return n == nil || n.has[called] }

func (n *names) add(list []string, rule int) {
	for _, one := range list {
		if n.has[one] {
			continue
		}
		if len(n.list) >= mostNames {
			if n.cut++; n.cut == 1 {
				n.at = rule
			}
			continue
		}
		n.has[one] = true
		n.list = append(n.list, one)
		if set, digits, ok := cutLast(one, "-"); ok && strings.Trim(digits, "0123456789") == "" {
			n.sets[set] = true
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(sep):], true
}

// shapes are the powers that rules give, with those over operators that make pods and over
// those of clouds. Rules for all objects are one shape of a class, those for some are one for
// each choice of verbs and kinds.
func shapes(role *rbac.Role, operators, clouds []want) []*shape {
	var found [powers][classes][]*builder
	for i := range role.Rules {
		rule := &role.Rules[i]
		for p := range powers {
			wants := table[p].wants
			switch p {
			case orderPods:
				wants = operators
			case orderClouds:
				wants = clouds
			}
			one := shape{power: p, index: i}
			for j := range wants {
				wants[j].met(rule, one.add)
			}
			if one.verbs != nil {
				one.class = classOf(rule)
				into(&found[p][one.class], one, rule)
			}
		}
	}
	var list []*shape
	for p := range found {
		for c := range found[p] {
			for _, b := range found[p][c] {
				list = append(list, b.done())
			}
		}
	}
	return list
}

func (s *shape) add(verb, resource string) {
	if !slices.Contains(s.verbs, verb) {
		s.verbs = append(s.verbs, verb)
	}
	if !slices.Contains(s.kinds, resource) {
		s.kinds = append(s.kinds, resource)
	}
}

// builder makes a shape of the rules that give it.
type builder struct {
	shape
	named []*rbac.Rule // nil: it is for all objects
	rules []int
}

// mostChoices of verbs and kinds for single objects are told apart.
const mostChoices = 16

func into(list *[]*builder, one shape, rule *rbac.Rule) {
	i := slices.IndexFunc(*list, func(b *builder) bool {
		if len(rule.Names) == 0 || b.named == nil {
			return len(rule.Names) == 0 && b.named == nil
		}
		return slices.Equal(b.verbs, one.verbs) && slices.Equal(b.kinds, one.kinds)
	})
	if i < 0 && len(*list) >= mostChoices {
		i = slices.IndexFunc(*list, func(b *builder) bool { return (b.named == nil) == (len(rule.Names) == 0) })
	}
	if i < 0 {
		*list, i = append(*list, &builder{shape: one}), len(*list)
	}
	b := (*list)[i]
	for _, verb := range one.verbs {
		for _, kind := range one.kinds {
			b.shape.add(verb, kind)
		}
	}
	if len(rule.Names) > 0 {
		b.named, b.rules = append(b.named, rule), append(b.rules, one.index)
	}
}

func (b *builder) done() *shape {
	if b.named != nil {
		b.names = &names{has: map[string]bool{}, sets: map[string]bool{}}
		for i, rule := range b.named {
			b.names.add(rule.Names, b.rules[i])
		}
	}
	return &b.shape
}

// met gives the verbs and resources of the want that a rule allows, of objects of some names
// at least. A request to create names none, and neither does one to delete many.
func (w *want) met(rule *rbac.Rule, yield func(verb, resource string)) {
	if !slices.Contains(rule.Groups, w.group) && !slices.Contains(rule.Groups, "*") || len(rule.Resources) == 0 {
		return
	}
	every := slices.Contains(rule.Verbs, "*")
	for _, verb := range w.verbs {
		if !every && !slices.Contains(rule.Verbs, verb) {
			continue
		}
		if w.resources == nil {
			yield(verb, w.group) // whichever of its resources
		}
		for _, resource := range w.resources {
			name, sub, _ := strings.Cut(resource, "/")
			if len(rule.Names) > 0 && (verb == "create" && sub == "" || verb == "deletecollection") {
				continue
			}
			if rule.Covers(name, sub) {
				yield(verb, resource)
			}
		}
	}
}

// grantsOf are the grants of a role's own rules.
func (e *engine) grantsOf(role *rbac.Role) []grant {
	list, ok := e.given[role]
	if !ok {
		shapes := e.shapesOf(role)
		list = make([]grant, len(shapes))
		for i, s := range shapes {
			list[i] = grant{shape: s, from: role}
			e.cutNames(&list[i])
		}
		e.given[role] = list
	}
	return list
}

// shaped are the shapes of the rules of a role, and of all that have the same.
type shaped struct {
	role   *rbac.Role
	shapes []*shape
}

func (e *engine) shapesOf(role *rbac.Role) []*shape {
	sum := role.Sum()
	for _, other := range e.shapes[sum] {
		if other.role.SameRules(role) {
			return other.shapes
		}
	}
	list := shapes(role, e.operators, e.clouds)
	e.shapes[sum] = append(e.shapes[sum], shaped{role, list})
	return list
}
