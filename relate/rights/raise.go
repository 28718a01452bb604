package rights

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// Ways to raise one's own rights.

// admin is what those hold who have every right in a namespace.
func (e *engine) admin(namespace string) bulwark.VertexID {
	if namespace == "" {
		return name.ClusterAdmin
	}
	if e.clusterAdmin == nil {
		e.clusterAdmin = e.rights.Role("ClusterRole/cluster-admin")
	}
	if e.clusterAdmin == nil {
		e.clusterAdmin = rbac.BuiltIn(&rbac.Role{Name: "cluster-admin"})
	}
	return e.permission(e.clusterAdmin, namespace).id
}

// bindsEverywhere relates who may write ClusterRoleBindings and bind ClusterRoles. Every
// cluster has a binding of cluster-admin, so that changing bindings is as good as making one.
func (e *engine) bindsEverywhere(_ string, g []*grant, _ []scope) []step {
	write, bind := g[0], g[1]
	if write.names == nil && bind.names == nil {
		return one(name.ClusterAdmin, "ROLE_BIND", 1, "binds itself to cluster-admin (write clusterrolebindings, bind clusterroles)")
	}
	return e.toRoles(e.bindable("ClusterRole", "", write, bind))
}

func (e *engine) bindsClusterRoles(ns string, g []*grant, _ []scope) []step {
	write, bind := g[0], g[1]
	if bind.names == nil && slices.Contains(write.verbs, "create") {
		if ns == "" {
			return one(name.ClusterAdmin, "ROLE_BIND", 0.95, "binds itself to cluster-admin in kube-system, where accounts hold the cluster (create rolebindings, bind clusterroles)")
		}
		return one(e.admin(ns), "ROLE_BIND", 1, "binds itself to cluster-admin in "+ns+" (create rolebindings, bind clusterroles)")
	}
	return e.toRoles(e.bindable("ClusterRole", ns, write, bind))
}

func (e *engine) bindsRoles(ns string, g []*grant, _ []scope) []step {
	write, bind := g[0], g[1]
	if bind.names == nil && slices.Contains(write.verbs, "create") {
		return one(e.rolesOf(ns), "ROLE_BIND", 1, "binds itself to it (create rolebindings, bind roles)")
	}
	return e.toRoles(e.bindable("Role", ns, write, bind))
}

// rolesOf are the permissions that the Roles of a namespace give, of all where that is "".
func (e *engine) rolesOf(ns string) bulwark.VertexID {
	group := func(ns string) bulwark.VertexID { return ofKind("roles", ns) }
	if e.used[group(ns)] {
		return group(ns)
	}
	e.use(group(ns))
	for _, role := range e.rights.Roles {
		if !role.Cluster() && (ns == "" || role.Namespace == ns) {
			e.in(group, role.Namespace, e.permission(role, role.Namespace).id)
		}
	}
	return group(ns)
}

// bindable are the roles of a kind that may be taken: those that may be bound, where new
// bindings may be made; those of the bindings that may be changed, where not.
func (e *engine) bindable(kind, ns string, write, bind *grant) []scope {
	may := func(r *rbac.Role) bool {
		return r != nil && r.Kind() == kind && (bind.names == nil || slices.Contains(bind.names, r.Name))
	}
	var list []scope
	if slices.Contains(write.verbs, "create") {
		for _, called := range bind.names {
			id := kind + "/" + called
			if kind == "Role" {
				id = ns + "/" + id
			}
			if r := e.rights.Role(id); may(r) {
				list = append(list, scope{r, ns})
			}
		}
		return list
	}
	cluster, seen := write.power == writeClusterBindings, map[scope]bool{}
	for _, b := range e.rights.Bindings {
		if cluster == (b.Namespace == "") && (ns == "" || b.Namespace == ns) && may(b.Role) && (write.names == nil || slices.Contains(write.names, b.Object.Name)) {
			if at := (scope{b.Role, b.Namespace}); !seen[at] && len(list) < mostRoles {
				seen[at] = true
				list = append(list, at)
			}
		}
	}
	return list
}

const mostRoles = 1000 // that one grant leads to

func (e *engine) toRoles(list []scope) []step {
	var steps []step
	for _, at := range list[:min(len(list), mostRoles)] {
		steps = append(steps, one(e.permission(at.role, at.namespace).id, "ROLE_BIND", 1, "binds itself to "+at.role.ID()+where(at.namespace))...)
	}
	return steps
}

// escalatesEverywhere relates who may write any right into ClusterRoles, of those that it
// has itself.
func (e *engine) escalatesEverywhere(_ string, g []*grant, held []scope) []step {
	if g[0].names == nil && g[1].names == nil {
		return one(name.ClusterAdmin, "RBAC_ESCALATE_TO", 1, "writes every right into a ClusterRole that it has (escalate)")
	}
	var steps []step
	for _, h := range held {
		for _, r := range append([]*rbac.Role{h.role}, h.role.From...) {
			if r.Cluster() && both(g, r.Name) {
				steps = append(steps, one(e.admin(h.namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+r.ID()+", which it has (escalate)")...)
			}
		}
	}
	return steps
}

func (e *engine) escalates(ns string, g []*grant, held []scope) []step {
	var steps []step
	for _, h := range held {
		if !h.role.Cluster() && (ns == "" || h.role.Namespace == ns) && both(g, h.role.Name) {
			steps = append(steps, one(e.admin(h.role.Namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+h.role.ID()+", which it has (escalate)")...)
		}
	}
	return steps
}

// both tells whether two grants are for an object of that name.
func both(g []*grant, called string) bool {
	return !slices.ContainsFunc(g, func(g *grant) bool { return g.names != nil && !slices.Contains(g.names, called) })
}

// certifies relates who may ask for a client's certificate and approve it: as anybody but
// system:masters, which the API server refuses; as a node where the signer is for those.
func (e *engine) certifies(_ string, g []*grant, _ []scope) []step {
	signs := func(signer string) bool {
		return g[1].names == nil && (g[2].names == nil || slices.Contains(g[2].names, signer) || slices.Contains(g[2].names, "kubernetes.io/*"))
	}
	if signs("kubernetes.io/kube-apiserver-client") {
		return one(name.ClusterAdmin, "GENERATE_CLIENT_CERTIFICATE", 0.95, "asks for a certificate of any user and approves it")
	}
	if signs("kubernetes.io/kube-apiserver-client-kubelet") {
		return one(e.use(name.Pods("")), "GENERATE_CLIENT_CERTIFICATE", 0.8, "asks for a certificate of its node and approves it")
	}
	return nil
}

// relabels relates who may take the pod security level off a namespace, and make a pod there.
func (e *engine) relabels(ns string, g []*grant, _ []scope) []step {
	spaces := []string{ns}
	if ns == "" {
		if l, _ := e.privileged(""); l > 0 {
			return nil // there is a namespace that lets them in as it is
		}
		spaces = []string{"kube-system"}
		if g[0].names != nil {
			spaces = g[0].names
		}
	}
	for _, space := range spaces {
		if (g[0].names == nil || slices.Contains(g[0].names, space)) && e.against(space) == "" {
			return one(e.use(name.Nodes()), "PATCH_NAMESPACE_TO_BYPASS_PSA", 1, "takes the pod security level off "+space+" and makes a privileged pod there")
		}
	}
	return nil
}

// actsAsGroup relates who may act as groups, for which it must act as somebody.
func (e *engine) actsAsGroup(_ string, g []*grant, _ []scope) []step {
	if g[0].names == nil || slices.Contains(g[0].names, rbac.Masters) {
		return one(name.ClusterAdmin, "IDENTITY_IMPERSONATE", 1, "acts as the group system:masters (impersonate)")
	}
	var steps []step
	for _, group := range g[0].names {
		if !strings.HasPrefix(group, rbac.ServiceAccounts) || e.subjects[rbac.Subject{Kind: rbac.UserGroup, Name: group}] != nil {
			steps = append(steps, one(name.Identity(rbac.UserGroup, group), "IDENTITY_IMPERSONATE", 1, "acts as the group "+group+" (impersonate)")...)
		}
	}
	return steps
}
