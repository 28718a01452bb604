package rbac

import (
	"cmp"
	"fmt"
	"slices"
)

// Query asks who can make a request.
type Query struct {
	Request
	// Anywhere asks of every namespace: also who can make the request in one of them only is
	// an answer. Namespace does not count then.
	Anywhere bool
	// AnyName asks of every object: also a rule that is for some names only is an answer.
	// Name does not count then.
	AnyName bool
}

// Way is how somebody may do something: bound by Binding to Role, by a rule of it, or of
// From, which it aggregates.
type Way struct {
	Subject Subject // as the binding names it
	Binding *Binding
	Role    *Role
	From    *Role // whose rule it is: mostly Role
	Index   int   // of the rule among those of From
}

// Rule is the rule that allows it.
func (w *Way) Rule() *Rule { return &w.From.Rules[w.Index] }

// Namespace is where it may be done; "" everywhere.
func (w *Way) Namespace() string { return w.Binding.Namespace }

// String tells the chain, with files and lines where they are known.
func (w *Way) String() string {
	if w.Binding == nil {
		return w.Subject.String() + " is in the group " + Masters + ", which may do everything"
	}
	text := fmt.Sprintf("%s by %s%s -> %s", w.Subject, w.Binding.Object.ID(), w.Binding.Place(), w.Role.ID())
	if w.From != w.Role {
		text += " <- " + w.From.ID()
	}
	return text + w.From.Place(w.Index) + ": " + w.Rule().String()
}

// Place is the file and line of the binding, in brackets; "" when they are not known.
func (b *Binding) Place() string {
	l := b.Object.Place("roleRef")
	if l.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", l.File, max(l.Line, 1))
}

// Place is the file and line of a role's rule, in brackets; or that the role is built in.
func (r *Role) Place(rule int) string {
	if r.Object == nil {
		return " (built in)"
	}
	l := r.Object.Place(r.At(rule)...)
	if l.File == "" {
		return fmt.Sprintf(" (rule %d)", rule+1)
	}
	return fmt.Sprintf(" (%s:%d)", l.File, max(l.Line, 1))
}

// Find is the first rule of the role, or of those that it aggregates, that allows q.
func (r *Role) find(q *Query) (from *Role, index int, ok bool) {
	if i := r.own(q); i >= 0 {
		return r, i, true
	}
	for _, from := range r.From {
		if i := from.own(q); i >= 0 {
			return from, i, true
		}
	}
	return nil, 0, false
}

func (r *Role) own(q *Query) int {
	for i := range r.Rules {
		rule := &r.Rules[i]
		if q.AnyName && len(rule.Names) > 0 {
			free := *rule
			free.Names = nil
			rule = &free
		}
		if rule.Allows(&q.Request) {
			return i
		}
	}
	return -1
}

// holds tells whether a binding counts for a query.
func (b *Binding) holds(q *Query) bool {
	if b.Role == nil {
		return false
	}
	return b.Namespace == "" || q.Path == "" && (q.Anywhere || b.Namespace == q.Namespace)
}

// Who gives all subjects that may make the request, each way once for a binding, sorted by
// subject. Members of groups are not known; system:masters is not told of.
func (r *Rights) Who(q Query) []Way {
	type rule struct {
		from  *Role
		index int
		ok    bool
	}
	known := map[*Role]rule{}
	var list []Way
	for _, b := range r.Bindings {
		if !b.holds(&q) {
			continue
		}
		found, ok := known[b.Role]
		if !ok {
			found.from, found.index, found.ok = b.Role.find(&q)
			known[b.Role] = found
		}
		if !found.ok {
			continue
		}
		for _, s := range b.Subjects {
			if s.Real() {
				list = append(list, Way{s, b, b.Role, found.from, found.index})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Way) int { return compareSubjects(a.Subject, b.Subject) })
	return slices.CompactFunc(list, func(a, b Way) bool { return a.Subject == b.Subject && a.Binding == b.Binding })
}

func compareSubjects(a, b Subject) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// bindings are those that apply to somebody, with the subject by which they do.
func (r *Rights) bindings(who Identity, yield func(*Binding, Subject) bool) {
	keys := []key{{name: who.User}}
	for _, g := range who.Groups {
		keys = append(keys, key{true, g})
	}
	done := map[*Binding]bool{}
	for _, k := range keys {
		for _, b := range r.bySubj[k] {
			if done[b] || !k.group && k.name == "" {
				continue
			}
			done[b] = true
			i := slices.IndexFunc(b.Subjects, func(s Subject) bool { got, ok := s.key(); return ok && got == k })
			if !yield(b, b.Subjects[i]) {
				return
			}
		}
	}
}

// Can tells whether somebody may make the request, and how. The Binding of the way is nil
// for a member of system:masters.
func (r *Rights) Can(who Identity, q Request) (way Way, ok bool) {
	if slices.Contains(who.Groups, Masters) {
		return Way{Subject: Subject{Kind: UserGroup, Name: Masters}}, true
	}
	query := Query{Request: q}
	r.bindings(who, func(b *Binding, s Subject) bool {
		if !b.holds(&query) {
			return true
		}
		from, index, found := b.Role.find(&query)
		if found {
			way, ok = Way{s, b, b.Role, from, index}, true
		}
		return !found
	})
	return way, ok
}

// Of gives everything that somebody may do: a way for each rule of each role that they are
// bound to, cluster-wide ones first, then by namespace.
func (r *Rights) Of(who Identity) []Way {
	var list []Way
	r.bindings(who, func(b *Binding, s Subject) bool {
		if b.Role == nil {
			return true
		}
		for _, from := range append([]*Role{b.Role}, b.Role.From...) {
			for i := range from.Rules {
				list = append(list, Way{s, b, b.Role, from, i})
			}
		}
		return true
	})
	slices.SortStableFunc(list, func(a, b Way) int {
		return cmp.Or(cmp.Compare(a.Binding.Namespace, b.Binding.Namespace), cmp.Compare(a.Binding.Object.Name, b.Binding.Object.Name), cmp.Compare(a.From.Name, b.From.Name))
	})
	return list
}
