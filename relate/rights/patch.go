package rights

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
)

// mostPatches are made: each takes a look at its file.
const mostPatches = 1000

// remedy tells of one of our own, once. Its patch makes edits of one object; where there are
// none, or none that are safe, it has no patch.
func (e *engine) remedy(id, text string, o *kube.Object, edits []kube.Edit) string {
	if e.remedies[id] {
		return id
	}
	e.remedies[id] = true
	fix := &bulwark.Fix{Text: text}
	if len(edits) > 0 && e.patches < mostPatches {
		e.patches++
		if p, err := e.maker.Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits}); err == nil {
			fix.Patch = p
		}
	}
	e.to.Remedy(bulwark.Remedy{ID: id, Text: text, Fix: fix})
	return id
}

// without is the change of a role that takes a grant out of it, and what goes with that.
func (e *engine) without(g *grant) string {
	var verbs, kinds []string
	for i := range e.given[g.from] {
		if o := e.given[g.from][i].shape; o.class == g.class && table[o.power].text == table[g.power].text {
			verbs, kinds = join(slices.Clone(verbs), o.verbs), join(slices.Clone(kinds), o.kinds)
		}
	}
	id, text := g.from.ID()+" without "+table[g.power].text, strings.Join(verbs, ", ")+" of "+few(kinds)
	switch g.class {
	case broad:
		id += " by rules for every resource"
	case full:
		id, text = g.from.ID()+" without every right", "every right"
	}
	if g.power == orderPods || g.power == orderClouds {
		id += " (" + strings.Join(kinds, ", ") + ")"
	}
	var edits []kube.Edit
	if g.class == named && g.power != orderClouds && e.patches < mostPatches {
		edits = taking(g.from, verbs, kinds, e.wants(g.power))
	}
	return e.remedy(id, "take "+text+" out of "+g.from.ID()+g.from.Place(g.index), g.from.Object, edits)
}

// wants are those of all powers that are taken out together.
func (e *engine) wants(p power) []want {
	if p == orderPods {
		return e.operators
	}
	var list []want
	for other := range powers {
		if table[other].text == table[p].text {
			list = append(list, table[other].wants...)
		}
	}
	return list
}

// standard are the verbs that an asterisk stands for, as far as requests of people go.
var standard = strings.Fields("get list watch create update patch delete deletecollection")

// mostEdited are rules of a role that one patch changes.
const mostEdited = 50

// taking are the edits of a role that take verbs of some resources out of the rules that name
// them; nil where a rule says it in a way that cannot be taken apart.
func taking(role *rbac.Role, verbs, kinds []string, wants []want) []kube.Edit {
	if role.Aggregates {
		return nil // whoever aggregates writes its rules
	}
	var edits []kube.Edit
	changed := 0
	for i := range role.Rules {
		rule := &role.Rules[i]
		if classOf(rule) != named || !slices.ContainsFunc(wants, func(w want) bool {
			some := false
			w.met(rule, func(string, string) { some = true })
			return some
		}) {
			continue
		}
		one := out(role, i, verbs, kinds)
		if changed++; one == nil || changed > mostEdited {
			return nil
		}
		edits = append(edits, one...)
	}
	return edits
}

// out are the edits that take verbs of some kinds out of one rule.
func out(role *rbac.Role, i int, verbs, kinds []string) []kube.Edit {
	rule, at := &role.Rules[i], role.At(i)
	var taken []int
	var resources []string
	for j, r := range rule.Resources {
		switch {
		case slices.Contains(kinds, r):
			taken, resources = append(taken, j), append(resources, r)
		case r == "*" || strings.HasPrefix(r, "*/") && slices.ContainsFunc(kinds, func(k string) bool { return strings.HasSuffix(k, r[1:]) }):
			return nil
		}
	}
	left := rule.Verbs
	if slices.Contains(left, "*") {
		left = standard
	}
	left = slices.DeleteFunc(slices.Clone(left), func(v string) bool { return slices.Contains(verbs, v) })
	switch {
	case len(taken) == len(rule.Resources) && len(left) == 0:
		return []kube.Edit{kube.Drop(at...)}
	case len(taken) == len(rule.Resources):
		return []kube.Edit{kube.Put(values(left), append(slices.Clip(at), "verbs")...)}
	}
	var edits []kube.Edit
	for _, j := range taken {
		edits = append(edits, kube.Drop(append(slices.Clip(at), "resources", j)...))
	}
	if len(left) == 0 {
		return edits
	}
	rest := map[string]any{"apiGroups": values(rule.Groups), "resources": values(resources), "verbs": values(left)}
	if len(rule.Names) > 0 {
		rest["resourceNames"] = values(rule.Names)
	}
	return append(edits, kube.Edit{Path: []any{"rules"}, Value: rest, Append: true})
}

func values(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}
