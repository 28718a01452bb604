package rbac

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	authz "bulwark/rbac"
)

// danger is something that a rule of a role makes possible.
type danger struct {
	misconfig.Rule
	// own is how bad it is where the role holds in namespaces of its own only; none: it is
	// about what belongs to no namespace, and then it is nothing.
	own bulwark.Severity
	// system is how bad it is in kube-system; none: as bad as everywhere, unless own is none.
	system bulwark.Severity
	// named is how bad it is everywhere when the rule is for some names only; none: it is
	// nothing then.
	named bulwark.Severity
	// mighty tells of names that give as much as all names do.
	mighty func(name string) bool
	wants  []want
	// judge looks at the rule itself, instead of wants: it gives the verbs that count and how
	// bad they are everywhere and in an own namespace.
	judge func(*authz.Rule) (verbs []string, wide, own bulwark.Severity)
	// eases tells that it is one step less bad in a role that has it for a reason.
	eases func(*authz.Role) bool
	// moot tells of roles that have more anyway, of which another danger tells.
	moot func(*authz.Role) bool
	// weak are verbs that alone are one step less bad.
	weak []string
	// alone tells that it is nothing where a rule makes another danger possible.
	alone bool
	// drop tells that the verbs are to be taken out.
	drop bool
}

// want is verbs on resources ("pods/exec") of a group.
type want struct {
	verbs     []string
	group     string
	resources []string
}

func on(verbs, group, resources string) want {
	return want{strings.Fields(verbs), group, strings.Fields(resources)}
}

// byOperators wants to write what well-known operators act on.
func byOperators() []want {
	var list []want
	for _, o := range authz.ByOperators() {
		list = append(list, want{strings.Fields(write), o.Group, slices.Concat(o.Makes, o.Leads)})
	}
	return list
}

// hit is a rule of a role that makes a danger possible.
type hit struct {
	index     int
	verbs     []string
	resources []string
	levels
}

// levels is how bad something is everywhere, in kube-system and in other namespaces; none:
// it is nothing there.
type levels struct{ wide, system, own bulwark.Severity }

// look finds the rules of a role that make the danger possible.
func (d *danger) look(role *authz.Role) []hit {
	var list []hit
	if d.moot != nil && d.moot(role) {
		return nil
	}
	for i := range role.Rules {
		if h, ok := d.rule(&role.Rules[i]); ok && !(d.alone && d.outdone(&role.Rules[i])) {
			h.index = i
			if d.eases != nil && d.eases(role) {
				h.wide, h.own = lower(h.wide), lower(h.own)
			}
			switch {
			case d.system != none:
				h.system = d.system
			case h.own != none: // those who run in kube-system hold the cluster
				h.system = h.wide
			}
			if !role.Cluster() {
				h.wide = none
			}
			list = append(list, h)
		}
	}
	return list
}

func (d *danger) rule(r *authz.Rule) (h hit, ok bool) {
	if d.judge != nil {
		h.verbs, h.wide, h.own = d.judge(r)
		return h, len(h.verbs) > 0
	}
	if broad(r) {
		return h, false
	}
	for i := range d.wants {
		w := &d.wants[i]
		if !slices.Contains(r.Groups, w.group) && !slices.Contains(r.Groups, "*") {
			continue
		}
		for _, resource := range w.resources {
			if verbs := w.met(r, resource); len(verbs) > 0 {
				h.resources = union(h.resources, []string{resource})
				h.verbs = union(h.verbs, verbs)
			}
		}
	}
	if len(h.verbs) == 0 {
		return h, false
	}
	h.wide, h.own = d.Severity, d.own
	if len(r.Names) > 0 && !(d.mighty != nil && slices.ContainsFunc(r.Names, d.mighty)) {
		h.wide, h.own = d.named, min(d.own, d.named)
	}
	if !slices.ContainsFunc(h.verbs, func(v string) bool { return !slices.Contains(d.weak, v) }) {
		h.wide, h.own = lower(h.wide), lower(h.own)
	}
	return h, h.wide != none
}

// met are the wanted verbs that a rule has for a resource.
func (w *want) met(r *authz.Rule, resource string) []string {
	name, sub, _ := strings.Cut(resource, "/")
	if !r.Covers(name, sub) {
		return nil
	}
	if slices.Contains(r.Verbs, "*") {
		return []string{"*"}
	}
	var verbs []string
	for _, v := range r.Verbs {
		nameless := v == "create" && sub == "" && len(r.Names) > 0 // a request to create names nothing
		if slices.Contains(w.verbs, v) && !nameless {
			verbs = append(verbs, v)
		}
	}
	return verbs
}

// outdone tells whether a rule makes anything worse possible.
func (d *danger) outdone(r *authz.Rule) bool {
	return slices.ContainsFunc(dangers, func(o *danger) bool {
		_, ok := o.rule(r)
		return ok && o != d && o.Severity > d.Severity
	})
}

// broad tells whether a rule is for every resource of the core group or of all.
func broad(r *authz.Rule) bool {
	return slices.Contains(r.Resources, "*") && (slices.Contains(r.Groups, "") || slices.Contains(r.Groups, "*"))
}

func union(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func lower(s bulwark.Severity) bulwark.Severity {
	if s <= low {
		return s
	}
	return s - 1
}

// text tells what the rule allows of it.
func (h *hit) text(r *authz.Rule) string {
	if len(h.resources) == 0 {
		return r.String()
	}
	show := authz.Rule{Verbs: h.verbs, Resources: h.resources, Names: r.Names, Groups: []string{""}}
	return show.String()
}

// dangerRules makes a rule of posture of each danger.
func dangerRules() []*posture.Rule {
	var list []*posture.Rule
	for _, d := range dangers {
		list = append(list, &posture.Rule{Rule: d.Rule, Set: d.set})
	}
	list[0].Set = func(h *posture.Hits, s *kube.Set) {
		for _, text := range authz.Of(s).Problems {
			h.Note(text)
		}
		dangers[0].set(h, s)
	}
	return list
}

// set finds the danger in all roles of a set.
func (d *danger) set(h *posture.Hits, s *kube.Set) {
	for _, role := range authz.Of(s).Roles {
		if role.Object == nil {
			continue
		}
		if found := d.beyond(role, d.look(role)); len(found) > 0 {
			d.report(h, role, found)
		}
	}
}

// beyond leaves out what a role has in every cluster.
func (d *danger) beyond(role *authz.Role, found []hit) []hit {
	known := authz.BuiltIn(role)
	if known == nil || len(found) == 0 {
		return found
	}
	var usual []string
	for i := range known.Rules {
		if h, ok := d.rule(&known.Rules[i]); ok {
			usual = union(usual, h.verbs)
		}
	}
	return slices.DeleteFunc(found, func(h hit) bool {
		return slices.Contains(usual, "*") || !slices.ContainsFunc(h.verbs, func(v string) bool { return !slices.Contains(usual, v) })
	})
}

const mostTold = 10 // rules of one role

func (d *danger) report(h *posture.Hits, role *authz.Role, found []hit) {
	reach := reachIn(h.Set, role)
	var worst bulwark.Severity
	found = slices.DeleteFunc(found, func(f hit) bool {
		level := reach.severity(f.levels, h.Set)
		worst = max(worst, level)
		return level == none
	})
	edits := d.edits(role, found)
	for i := range found {
		f := &found[i]
		one := posture.Hit{
			Object: role.Object, Path: role.At(f.index), Severity: worst,
			Evidence: fmt.Sprintf("rule %d: %s", index(role, f.index)+1, f.text(&role.Rules[f.index])),
		}
		last := i == len(found)-1 || i == mostTold-1
		switch {
		case edits == nil:
		case last:
			one.Edits = edits
		default: // they are made in their order, whichever hit has them
			one.Edits, edits = edits[:1], edits[1:]
		}
		if last {
			if more := len(found) - i - 1; more > 0 {
				one.More = append(one.More, fmt.Sprintf("and %d rules more", more))
			}
			one.More = append(one.More, reach.tell()...)
			h.Add(one)
			return
		}
		h.Add(one)
	}
}

// index is where a rule stands in the object.
func index(role *authz.Role, i int) int {
	n, _ := role.At(i)[1].(int)
	return n
}

// edits take the named verbs out of the rules; a rule that has no others goes as a whole, for
// one without verbs is refused. The last are first, so that positions stay right. nil: a
// rule has all verbs, of which nobody knows the ones that are used.
func (d *danger) edits(role *authz.Role, found []hit) []kube.Edit {
	if !d.drop || role.Cut > 0 {
		return nil
	}
	var list []kube.Edit
	for _, f := range slices.Backward(found) {
		rule := &role.Rules[f.index]
		if slices.Contains(rule.Verbs, "*") {
			return nil
		}
		if !slices.ContainsFunc(rule.Verbs, func(v string) bool { return !slices.Contains(f.verbs, v) }) {
			list = append(list, kube.Drop(role.At(f.index)...))
			continue
		}
		for i, v := range slices.Backward(rule.Verbs) {
			if slices.Contains(f.verbs, v) {
				list = append(list, kube.Drop(append(role.At(f.index), "verbs", i)...))
			}
		}
	}
	return list
}
