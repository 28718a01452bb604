package rbac

import (
	"strings"

	"bulwark/kube"
)

// Group is the API group of roles and bindings.
const Group = "rbac.authorization.k8s.io"

// Groups that users have without anybody binding them to it.
const (
	Masters         = "system:masters"
	Authenticated   = "system:authenticated"
	Unauthenticated = "system:unauthenticated"
	Anonymous       = "system:anonymous" // a user
	ServiceAccounts = "system:serviceaccounts"
)

const accountPrefix = "system:serviceaccount:"

// Kinds of subjects.
const (
	User           = "User"
	UserGroup      = "Group"
	ServiceAccount = "ServiceAccount"
)

// Subject is somebody who may be bound to a role.
type Subject struct {
	Kind      string `json:"kind"`                // User, Group, ServiceAccount
	Namespace string `json:"namespace,omitempty"` // of a service account
	Name      string `json:"name"`
}

// Account is the service account of that name.
func Account(namespace, name string) Subject { return Subject{ServiceAccount, namespace, name} }

// subject makes one of what a binding names. A user whose name is a service account's is
// that. Of a service account without a namespace the binding's counts.
func subject(kind, namespace, name, bindingNamespace string) Subject {
	switch kind {
	case ServiceAccount:
		if namespace == "" {
			namespace = bindingNamespace
		}
		return Subject{kind, namespace, name}
	case User:
		if ns, n, ok := accountOf(name); ok {
			return Subject{ServiceAccount, ns, n}
		}
	}
	return Subject{Kind: kind, Name: name}
}

// accountOf takes the user name of a service account apart.
func accountOf(user string) (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(user, accountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok && namespace != "" && name != "" && !strings.Contains(name, ":")
}

// Real tells whether anybody can be the subject: its kind is known, and a service account
// has a namespace.
func (s Subject) Real() bool {
	return s.Kind == User || s.Kind == UserGroup || s.Kind == ServiceAccount && s.Namespace != ""
}

// String is the subject as people write it: "ServiceAccount default/web", "Group ops".
func (s Subject) String() string {
	if s.Kind == ServiceAccount {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

// key is what the authorizer compares.
type key struct {
	group bool
	name  string
}

func (s Subject) key() (key, bool) {
	switch {
	case !s.Real():
		return key{}, false
	case s.Kind == ServiceAccount:
		return key{name: accountPrefix + s.Namespace + ":" + s.Name}, true
	}
	return key{s.Kind == UserGroup, s.Name}, true
}

// Identity is who makes a request.
type Identity struct {
	User   string
	Groups []string
}

// Identity is who the subject is to the API server, with the groups that are sure: those of
// service accounts, and of everybody who is known or is not. Of a group it is one of its
// members who is in no other.
func (s Subject) Identity() Identity {
	switch s.Kind {
	case ServiceAccount:
		return Identity{accountPrefix + s.Namespace + ":" + s.Name, []string{ServiceAccounts, ServiceAccounts + ":" + s.Namespace, Authenticated}}
	case UserGroup:
		groups := []string{s.Name}
		if strings.HasPrefix(s.Name, ServiceAccounts+":") {
			groups = append(groups, ServiceAccounts)
		}
		if s.Name != Unauthenticated && s.Name != Authenticated {
			groups = append(groups, Authenticated)
		}
		return Identity{Groups: groups}
	}
	if namespace, name, ok := accountOf(s.Name); ok {
		return Account(namespace, name).Identity()
	}
	if s.Name == Anonymous {
		return Identity{s.Name, []string{Unauthenticated}}
	}
	return Identity{s.Name, []string{Authenticated}}
}

// Rule is one rule of a role.
type Rule struct {
	Verbs, Groups, Resources, Names, URLs []string
}

// Role is a Role or a ClusterRole.
type Role struct {
	Object    *kube.Object // nil when it is built in, and the set does not have it
	Namespace string       // "" of a ClusterRole
	Name      string
	// Rules are its own, in the order in which they are written.
	Rules []Rule
	// Aggregates tells whether it has rules of others, From, and Into are those that have its
	// rules so, in turn or at once.
	Aggregates bool
	From, Into []*Role
	// Bindings are those that bind it itself.
	Bindings []*Binding
	// Cut is how many of its rules were too many to be looked at.
	Cut int

	index []int // where each rule stands in the object; nil: at its own place
}

// Cluster tells whether it is a ClusterRole.
func (r *Role) Cluster() bool { return r.Namespace == "" }

// Kind is Role or ClusterRole.
func (r *Role) Kind() string {
	if r.Cluster() {
		return "ClusterRole"
	}
	return "Role"
}

// ID names the role: "ClusterRole/admin", "default/Role/web".
func (r *Role) ID() string {
	if r.Cluster() {
		return "ClusterRole/" + r.Name
	}
	return r.Namespace + "/Role/" + r.Name
}

// At is where the i-th of its rules stands in the object.
func (r *Role) At(i int) []any {
	if i < len(r.index) {
		i = r.index[i]
	}
	return []any{"rules", i}
}

// Binding gives a role to subjects.
type Binding struct {
	Object    *kube.Object
	Namespace string // where it holds; "" everywhere
	// RefKind and RefName say which role it names; Role is that, nil when there is none.
	RefKind, RefName string
	Role             *Role
	Subjects         []Subject // as they are written, the unreal ones among them
}

// RefID names the role that the binding is for, whether or not it is there.
func (b *Binding) RefID() string {
	if b.RefKind == "Role" {
		return b.Namespace + "/Role/" + b.RefName
	}
	return b.RefKind + "/" + b.RefName
}
