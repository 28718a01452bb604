package rbac

import (
	"fmt"
	"path"
	"slices"

	"bulwark/kube"
)

// Bounds on what is looked at. The API server's own are far below: etcd keeps objects of
// 1.5 MB at most.
const (
	mostRules    = 20_000    // of one role
	mostAllRules = 1_000_000 // of all roles
	mostSubjects = 2_000_000 // of all bindings
	mostAlike    = 1000      // roles of one name, of which a binding means the nearest
)

// Rights are the roles and bindings of a set of objects.
type Rights struct {
	Roles    []*Role    // as the set has them, then the built-in ones
	Bindings []*Binding // ClusterRoleBindings, then RoleBindings
	// Problems tell what was too much to be looked at.
	Problems []string

	set      *kube.Set
	roles    map[string][]*Role // by ID
	near     map[origin]*Role   // that bindings mean, by where they are written
	bySubj   map[key][]*Binding
	rules    int
	subjects int
}

// Of gives the rights of a set, worked out once.
func Of(s *kube.Set) *Rights { return kube.Memo(s, build) }

func build(s *kube.Set) *Rights {
	r := &Rights{set: s, roles: map[string][]*Role{}, near: map[origin]*Role{}, bySubj: map[key][]*Binding{}}
	for _, kind := range []string{"ClusterRole", "Role"} {
		for _, o := range s.Kind(Group, kind) {
			r.add(r.role(o))
		}
	}
	r.builtin()
	r.aggregate()
	for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
		for _, o := range s.Kind(Group, kind) {
			r.bind(r.binding(o))
		}
	}
	return r
}

func (r *Rights) add(role *Role) {
	r.Roles = append(r.Roles, role)
	r.roles[role.ID()] = append(r.roles[role.ID()], role)
}

func (r *Rights) problem(format string, args ...any) {
	if len(r.Problems) < 20 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

func (r *Rights) role(o *kube.Object) *Role {
	role := &Role{Object: o, Namespace: o.Namespace, Name: o.Name, Aggregates: o.Kind == "ClusterRole" && o.Root.Get("aggregationRule").Exists()}
	rules := o.Root.Get("rules")
	n := min(rules.Len(), mostRules, mostAllRules-r.rules)
	if n < rules.Len() {
		role.Cut = rules.Len() - n
		r.problem("%s%s has %d rules; the first %d are looked at", o.ID(), placed(o, "rules"), rules.Len(), n)
	}
	r.rules += n
	role.Rules = make([]Rule, n)
	for i := range role.Rules {
		role.Rules[i] = ruleOf(rules.Item(i), role.Cluster())
	}
	return role
}

func ruleOf(n *kube.Node, cluster bool) Rule {
	rule := Rule{
		Verbs: n.Get("verbs").Strings(), Groups: n.Get("apiGroups").Strings(), Resources: n.Get("resources").Strings(), Names: n.Get("resourceNames").Strings(),
	}
	if cluster { // a Role that names URLs is refused by the API server
		rule.URLs = n.Get("nonResourceURLs").Strings()
	}
	return rule
}

func (r *Rights) binding(o *kube.Object) *Binding {
	ref := o.Root.Get("roleRef")
	b := &Binding{Object: o, Namespace: o.Namespace, RefKind: ref.Get("kind").Text(), RefName: ref.Get("name").Text()}
	b.Role = r.find(b)
	subjects := o.Root.Get("subjects")
	n := min(subjects.Len(), mostSubjects-r.subjects)
	if n < subjects.Len() {
		r.problem("%s%s has %d subjects; the first %d are looked at", o.ID(), placed(o, "subjects"), subjects.Len(), n)
	}
	r.subjects += n
	b.Subjects = make([]Subject, n)
	for i := range b.Subjects {
		s := subjects.Item(i)
		b.Subjects[i] = subject(s.Get("kind").Text(), s.Get("namespace").Text(), s.Get("name").Text(), b.Namespace)
	}
	return b
}

// find is the role that a binding names. Manifests may hold several of that name, for as
// many clusters: the one that was written nearest to the binding counts.
func (r *Rights) find(b *Binding) *Role {
	if b.RefKind != "ClusterRole" && (b.RefKind != "Role" || b.Namespace == "") {
		return nil
	}
	list := r.roles[b.RefID()]
	if len(list) == 0 {
		return nil
	}
	from := b.Object.Origin
	at := origin{b.RefID(), from.File, from.Chart, from.Release, from.Overlay}
	role, ok := r.near[at]
	if !ok {
		list = few(list, from.File)
		role = list[nearest(list, from)]
		r.near[at] = role
	}
	return role
}

// few are the first of many roles, and those that a file has.
func few(list []*Role, file string) []*Role {
	if len(list) <= mostAlike {
		return list
	}
	some := list[:mostAlike:mostAlike]
	for _, role := range list[mostAlike:] {
		if role.Object != nil && role.Object.Origin.File == file {
			some = append(some, role)
		}
	}
	return some
}

// origin is where roles of an id are looked for from.
type origin struct{ id, file, chart, release, overlay string }

func nearest(list []*Role, to kube.Origin) int {
	best, at := -1, 0
	for i, role := range list {
		if role.Object == nil {
			continue
		}
		from, n := role.Object.Origin, 0
		switch {
		case from.File == to.File:
			n = 3
		case path.Dir(from.File) == path.Dir(to.File):
			n = 2
		case from.Chart == to.Chart && from.Overlay == to.Overlay:
			n = 1
		}
		if from.Chart == to.Chart && from.Release == to.Release && from.Overlay == to.Overlay {
			n += 4
		}
		if n > best {
			best, at = n, i
		}
	}
	return at
}

func (r *Rights) bind(b *Binding) {
	r.Bindings = append(r.Bindings, b)
	if b.Role != nil {
		b.Role.Bindings = append(b.Role.Bindings, b)
	}
	for _, s := range b.Subjects {
		k, ok := s.key()
		if !ok {
			continue
		}
		if list := r.bySubj[k]; len(list) == 0 || list[len(list)-1] != b {
			r.bySubj[k] = append(list, b)
		}
	}
}

// Known tells whether the set can be asked for objects of a kind at all: whether a binding
// that names one which is not there leads nowhere, or to where nobody looked.
func (r *Rights) Known(resource string) bool {
	c := r.set.Cluster
	return c != nil && c.Unseen[resource] == "" && c.Unseen[resource+"."+Group] == "" && len(c.Namespaces) == 0
}

// Role gives the role of that id ("ClusterRole/admin", "default/Role/web"); nil when there
// is none.
func (r *Rights) Role(id string) *Role {
	if list := r.roles[id]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// Reach are the bindings that give the role's rules to somebody: its own, and those of
// roles that it is aggregated into.
func (r *Role) Reach() []*Binding {
	if len(r.Into) == 0 {
		return r.Bindings
	}
	list := slices.Clone(r.Bindings)
	for _, into := range r.Into {
		list = append(list, into.Bindings...)
	}
	return list
}
