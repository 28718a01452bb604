package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"bulwark/kube"
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
	return placed(b.Object, "roleRef")
}

// placed is where a part of an object stands, in brackets; "" when that is not known.
func placed(o *kube.Object, path ...any) string {
	l := o.Place(path...)
	if l.File == "" {
		return ""
	}
	return " (" + l.File + ":" + strconv.Itoa(max(l.Line, 1)) + ")"
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

// found is a rule of a role, or of one that the role aggregates.
type found struct {
	from  *Role
	index int
}

// mostNamed is how many rules of a role that are for some names only are answers to one query.
const mostNamed = 100

// find gives the first rule of the role, or of those that it aggregates, that allows q. Where
// any name will do, and no rule is for every object, it gives those that are for some.
func (r *Role) find(q *Query) []found {
	request := q.Request
	if q.AnyName {
		request.Name = ""
	}
	var named []found
	for _, from := range r.sources() {
		for i := range from.Rules {
			switch rule := &from.Rules[i]; {
			case rule.Allows(&request):
				return []found{{from, i}}
			case q.AnyName && len(named) < mostNamed && rule.allowsSome(&request):
				named = append(named, found{from, i})
			}
		}
	}
	return named
}

// sources are the roles whose rules the role has.
func (r *Role) sources() []*Role {
	if len(r.From) == 0 {
		return []*Role{r}
	}
	return append([]*Role{r}, r.From...)
}

// allowsSome tells whether the rule allows the request for objects of some names. A request
// to delete a collection names none.
func (r *Rule) allowsSome(q *Request) bool {
	if len(r.Names) == 0 || q.Verb == "deletecollection" {
		return false
	}
	every := *r
	every.Names = nil
	return every.Allows(q)
}

// holds tells whether a binding counts for a query.
func (b *Binding) holds(q *Query) bool {
	if b.Role == nil {
		return false
	}
	return b.Namespace == "" || q.Path == "" && (q.Anywhere || b.Namespace == q.Namespace)
}

// Who gives all subjects that may make the request, sorted by subject: a way for a binding,
// or, where any name will do and only some may be asked for, one for each rule that says so
// (100 at most). Members of groups are not known; system:masters is not told of.
func (r *Rights) Who(q Query) []Way {
	known := map[*Role][]found{}
	var list []Way
	for _, b := range r.Bindings {
		if !b.holds(&q) {
			continue
		}
		rules, ok := known[b.Role]
		if !ok {
			rules = b.Role.find(&q)
			known[b.Role] = rules
		}
		if len(rules) > 0 {
			list = b.ways(list, rules)
		}
	}
	slices.SortStableFunc(list, func(a, b Way) int { return compareSubjects(a.Subject, b.Subject) })
	return list
}

// ways adds those of the binding's subjects, each once, by rules of its role.
func (b *Binding) ways(list []Way, rules []found) []Way {
	done := make(map[Subject]bool, len(b.Subjects))
	for _, s := range b.Subjects {
		if done[s] || !s.Real() {
			continue
		}
		done[s] = true
		for _, rule := range rules {
			list = append(list, Way{s, b, b.Role, rule.from, rule.index})
		}
	}
	return list
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
		if rules := b.Role.find(&query); len(rules) > 0 {
			way, ok = Way{s, b, b.Role, rules[0].from, rules[0].index}, true
		}
		return !ok
	})
	return way, ok
}

// Of gives everything that somebody may do: a way for each rule of each role that they are
// bound to, cluster-wide ones first, then by namespace. A rule about URLs counts only where
// its role is bound cluster-wide.
func (r *Rights) Of(who Identity) []Way {
	var list []Way
	r.bindings(who, func(b *Binding, s Subject) bool {
		if b.Role == nil {
			return true
		}
		for _, from := range b.Role.sources() {
			for i := range from.Rules {
				if b.Namespace == "" || len(from.Rules[i].Resources) > 0 {
					list = append(list, Way{s, b, b.Role, from, i})
				}
			}
		}
		return true
	})
	slices.SortStableFunc(list, func(a, b Way) int {
		return cmp.Or(cmp.Compare(a.Binding.Namespace, b.Binding.Namespace), cmp.Compare(a.Binding.Object.Name, b.Binding.Object.Name), cmp.Compare(a.From.Name, b.From.Name))
	})
	return list
}
