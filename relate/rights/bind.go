package rights

import (
	"maps"
	"slices"
	"strings"

	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// bindable are the roles of a kind that may be bound by new bindings.
func bindable(kind string) keys {
	return func(e *engine, _ int, g *grant, at *spot) ([]key, bool) {
		if g.names == nil {
			return nil, true
		}
		if kind == "Role" {
			return g.names.among(e.rolesIn(at.namespace)), false
		}
		list := slices.Clone(g.names.among(e.rolesIn(everywhere)))
		for i := range list {
			list[i].namespace = at.namespace
		}
		return list, false
	}
}

// rolesIn are the Roles of a namespace by name, of all where it is ""; ClusterRoles are in
// everywhere.
func (e *engine) rolesIn(namespace string) map[string][]key {
	if e.roles == nil {
		e.roles = map[string]map[string][]key{everywhere: {}, "": {}}
		for _, role := range e.rights.Roles {
			k := key{scope: scope{role, role.Namespace}}
			if role.Cluster() {
				if e.roles[everywhere][role.Name] == nil { // the first counts
					e.roles[everywhere][role.Name] = []key{k}
				}
				continue
			}
			if e.roles[role.Namespace] == nil {
				e.roles[role.Namespace] = map[string][]key{}
			}
			for _, ns := range []string{role.Namespace, ""} {
				e.roles[ns][role.Name] = append(e.roles[ns][role.Name], k)
			}
		}
	}
	return e.roles[namespace]
}

// everywhere stands for all namespaces among bindings: those of "" are ClusterRoleBindings.
const everywhere = "*"

// bindings are those of a kind of role in a namespace, and what they bind.
type bindings struct {
	all    []key
	called map[string][]key // by the binding's name
	to     map[string][]key // by the role's
}

// bound gives the bindings of ClusterRoles or Roles in a namespace.
func (e *engine) bound(kind, namespace string) *bindings {
	if e.bindings == nil {
		e.bindings = map[grouping]*bindings{}
		for _, b := range e.rights.Bindings {
			if b.Role == nil {
				continue
			}
			e.bindingIn(b, b.Namespace)
			if b.Namespace != "" {
				e.bindingIn(b, everywhere)
			}
		}
		for _, list := range e.bindings {
			list.all = unique(list.all)
			for called, keys := range list.to {
				list.to[called] = unique(keys)
			}
		}
	}
	if list := e.bindings[grouping{kind, namespace}]; list != nil {
		return list
	}
	return &bindings{}
}

func (e *engine) bindingIn(b *rbac.Binding, namespace string) {
	at := grouping{b.Role.Kind(), namespace}
	list, k := e.bindings[at], key{scope: scope{b.Role, b.Namespace}}
	if list == nil {
		list = &bindings{called: map[string][]key{}, to: map[string][]key{}}
		e.bindings[at] = list
	}
	list.all = append(list.all, k)
	list.called[b.Object.Name], list.to[b.Role.Name] = append(list.called[b.Object.Name], k), append(list.to[b.Role.Name], k)
}

// among are the keys of some names, by whichever are fewer.
func (n *names) among(by map[string][]key) []key {
	var list []key
	if len(n.list) < len(by) {
		for _, called := range n.list {
			list = append(list, by[called]...)
		}
		return unique(list)
	}
	for _, called := range slices.Sorted(maps.Keys(by)) {
		if n.has[called] {
			list = append(list, by[called]...)
		}
	}
	return unique(list)
}

// bindsEverywhere relates who may write ClusterRoleBindings and bind ClusterRoles. Every
// cluster has a binding of cluster-admin, so that changing bindings is as good as making one.
func bindsEverywhere(e *engine, _ *spot, k *key) {
	if k == nil {
		e.one(name.ClusterAdmin, "ROLE_BIND", 1, "binds itself to cluster-admin (write clusterrolebindings, bind clusterroles)")
		return
	}
	e.toRole(k)
}

func bindsClusterRoles(e *engine, at *spot, k *key) {
	switch {
	case k != nil:
		e.toRole(k)
	case at.namespace == "":
		e.one(name.ClusterAdmin, "ROLE_BIND", 0.95, "binds itself to cluster-admin in kube-system, where accounts hold the cluster (create rolebindings, bind clusterroles)")
	default:
		e.one(e.admin(at.namespace), "ROLE_BIND", 1, "binds itself to cluster-admin in "+at.namespace+" (create rolebindings, bind clusterroles)")
	}
}

func bindsRoles(e *engine, at *spot, k *key) {
	if k != nil {
		e.toRole(k)
		return
	}
	if g := e.rolesOf(at.namespace); g.any() {
		e.one(e.use(g), "ROLE_BIND", 1, "binds itself to it (create rolebindings, bind roles)")
	}
}

// rolesOf are the permissions that the Roles of a namespace give, of all where that is "".
func (e *engine) rolesOf(namespace string) *group {
	all := e.members.kind(e.space(namespace), "roles")
	if e.grouped[grouping{"roles", namespace}] {
		return all
	}
	of := e.rolesIn(namespace)
	for _, called := range slices.Sorted(maps.Keys(of)) {
		for _, k := range of[called] {
			if !e.grouped[grouping{"roles", k.namespace}] {
				g := e.members.kind(e.space(k.namespace), "roles")
				g.members = append(g.members, e.permission(k.role, k.namespace).id)
			}
		}
	}
	if namespace == "" {
		for ns := range e.roles {
			e.grouped[grouping{"roles", ns}] = true
		}
	}
	e.grouped[grouping{"roles", namespace}] = true
	return all
}

// rebindable are the roles of a kind that bindings bind which may be changed to have other
// subjects: ClusterRoleBindings where it is wide, RoleBindings of a namespace or of all where
// not. What every cluster binds everywhere is there to be changed.
func rebindable(kind string, wide bool) keys {
	return func(e *engine, j int, g *grant, at *spot) ([]key, bool) {
		in := rebound(at.namespace, wide)
		switch {
		case g.names == nil:
			return nil, true
		case j == 0:
			return g.names.among(e.bound(kind, in).called), false
		}
		list := g.names.among(e.bound(kind, in).to)
		if admin := e.rights.Role("ClusterRole/cluster-admin"); wide && admin != nil && g.names.has[admin.Name] {
			list = unique(append(list, key{scope: scope{admin, ""}}))
		}
		return list, false
	}
}

func rebound(namespace string, wide bool) string {
	if namespace == "" && !wide {
		return everywhere
	}
	return namespace
}

// rebinds relates who may change bindings to the roles of a kind that these bind.
func rebinds(kind string) func(e *engine, at *spot, k *key) {
	return func(e *engine, at *spot, k *key) {
		if k != nil {
			e.toRole(k)
			return
		}
		called := strings.ToLower(kind) + "s that are bound"
		g := e.members.kind(e.space(at.namespace), called)
		if !e.grouped[grouping{called, at.namespace}] {
			e.grouped[grouping{called, at.namespace}] = true
			for _, k := range e.bound(kind, rebound(at.namespace, false)).all {
				if at.namespace != "" || !e.grouped[grouping{called, k.namespace}] {
					g.members = append(g.members, e.permission(k.role, k.namespace).id)
				}
			}
		}
		if g.any() {
			e.one(e.use(g), "ROLE_BIND", 1, "puts itself into a binding of it (update rolebindings, bind "+strings.ToLower(kind)+"s)")
		}
	}
}

// grouping is a group of permissions that was filled.
type grouping struct{ kind, namespace string }

func (e *engine) toRole(k *key) {
	to := e.permission(k.role, k.namespace).id
	if k.role.Cluster() && k.role.Name == "cluster-admin" && k.namespace == "" {
		to = name.ClusterAdmin
	}
	e.one(to, "ROLE_BIND", 1, "binds itself to "+k.role.ID()+where(k.namespace))
}
