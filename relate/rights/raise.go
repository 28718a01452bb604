package rights

import (
	"strings"

	"bulwark"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// Ways that take several powers, most of them to raise one's own rights.

// combinations are all of them.
var combinations = []combination{
	{parts: []power{createSecrets, readSecrets}, lead: fillsSecret},
	{parts: []power{createSecrets, takeSecrets}, lead: fillsSecret},
	{parts: []power{createClusterBindings, bindClusterRoles}, keys: bindable("ClusterRole"), lead: bindsEverywhere},
	{parts: []power{changeClusterBindings, bindClusterRoles}, keys: rebindable("ClusterRole", true), lead: bindsEverywhere},
	{parts: []power{createBindings, bindClusterRoles}, keys: bindable("ClusterRole"), lead: bindsClusterRoles},
	{parts: []power{changeBindings, bindClusterRoles}, keys: rebindable("ClusterRole", false), lead: rebinds("ClusterRole")},
	{parts: []power{createBindings, bindRoles}, keys: bindable("Role"), lead: bindsRoles},
	{parts: []power{changeBindings, bindRoles}, keys: rebindable("Role", false), lead: rebinds("Role")},
	{parts: []power{changeClusterRoles, escalateClusterRoles}, keys: escalatable, lead: escalatesEverywhere, own: true},
	{parts: []power{createClusterRoles, escalateClusterRoles}, keys: unnamed, lead: aggregates, own: true},
	{parts: []power{changeRoles, escalateRoles}, keys: escalatable, lead: escalates, own: true},
	{parts: []power{createRequests, approveRequests, approveSigners}, keys: signers, lead: certifies},
	{parts: []power{createRequests, approveNodes}, lead: func(e *engine, _ *spot, _ *key) {
		e.one(e.use(e.space("").pods), "GENERATE_CLIENT_CERTIFICATE", 0.8, "asks for a certificate of its node, which is approved without being looked at")
	}},
	{parts: []power{patchNamespaces, createPods}, keys: namespaces, lead: relabels},
	{parts: []power{createVolumes, createPods}, lead: func(e *engine, _ *spot, _ *key) {
		e.one(e.use(e.nodes), "CREATE_PERSISTENT_VOLUME", 0.9, "makes a volume of the node's disk, which no pod security level looks at, and a pod that mounts it")
	}},
	{parts: []power{beGroups, beUsers}, keys: actors, lead: actsAsGroup},
	{parts: []power{beGroups, beAccounts}, keys: actors, lead: actsAsGroup},
	{parts: []power{writeMutations, bindMutations}, lead: func(e *engine, _ *spot, _ *key) {
		e.one(name.ClusterAdmin, "MUTATING_POLICY", 0.8, "has the API server change every object that is made")
	}},
}

func fillsSecret(e *engine, at *spot, _ *key) {
	e.one(e.use(e.space(at.namespace).accounts), "CREATE_SECRET_WITH_TOKEN", 1, "makes a secret that is filled with its token, and reads it")
}

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

// bindable are the roles of a kind that may be bound by new bindings.
func bindable(kind string) keys {
	return func(e *engine, _ int, g *grant, at *spot) ([]key, bool) {
		if g.names == nil {
			return nil, true
		}
		if kind == "Role" {
			return e.rolesCalled(g.names, at.namespace), false
		}
		var list []key
		for _, called := range g.names.list {
			if r := e.rights.Role("ClusterRole/" + called); r != nil {
				list = append(list, key{scope: scope{r, at.namespace}})
			}
		}
		return list, false
	}
}

// rolesCalled are the Roles of some names in a namespace, in all where that is "".
func (e *engine) rolesCalled(n *names, namespace string) []key {
	var list []key
	for _, role := range e.rolesIn(namespace) {
		if n.has[role.Name] {
			list = append(list, key{scope: scope{role, role.Namespace}})
		}
	}
	return list
}

func (e *engine) rolesIn(namespace string) []*rbac.Role {
	if e.roles == nil {
		e.roles = map[string][]*rbac.Role{}
		for _, role := range e.rights.Roles {
			if !role.Cluster() {
				e.roles[role.Namespace], e.roles[""] = append(e.roles[role.Namespace], role), append(e.roles[""], role)
			}
		}
	}
	return e.roles[namespace]
}

// bound are the roles of a kind that bindings of some names bind in a namespace; everywhere
// RoleBindings count where ClusterRoles of all namespaces are asked for.
func (e *engine) bound(kind, namespace string, n *names) []key {
	var list []key
	for _, b := range e.bindingsIn(namespace) {
		if b.Role.Kind() == kind && n.allow(b.Object.Name) {
			list = append(list, key{scope: scope{b.Role, b.Namespace}})
		}
	}
	return unique(list)
}

// everywhere stands for all namespaces among bindings: those of "" are ClusterRoleBindings.
const everywhere = "*"

func (e *engine) bindingsIn(namespace string) []*rbac.Binding {
	if e.bindings == nil {
		e.bindings = map[string][]*rbac.Binding{}
		for _, b := range e.rights.Bindings {
			if b.Role == nil {
				continue
			}
			e.bindings[b.Namespace] = append(e.bindings[b.Namespace], b)
			if b.Namespace != "" {
				e.bindings[everywhere] = append(e.bindings[everywhere], b)
			}
		}
	}
	return e.bindings[namespace]
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
	for _, role := range e.rolesIn(namespace) {
		at := scope{role, role.Namespace}
		if !e.joined[at] {
			e.joined[at] = true
			g := e.members.kind(e.space(role.Namespace), "roles")
			g.members = append(g.members, e.permission(role, role.Namespace).id)
		}
	}
	return e.members.kind(e.space(namespace), "roles")
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
			return e.bound(kind, in, g.names), false
		}
		var list []key
		for _, k := range e.bound(kind, in, nil) {
			if g.names.has[k.role.Name] {
				list = append(list, k)
			}
		}
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
			for _, k := range e.bound(kind, rebound(at.namespace, false), nil) {
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

// escalatable are the roles that somebody has and may write any right into.
func escalatable(_ *engine, _ int, g *grant, at *spot) ([]key, bool) {
	if g.names == nil {
		return nil, true
	}
	var list []key
	for _, h := range at.held {
		for _, r := range append([]*rbac.Role{h.role}, h.role.From...) {
			switch wide := table[g.power].cluster; {
			case !g.names.has[r.Name] || r.Cluster() != wide:
			case wide:
				list = append(list, key{scope: scope{r, h.namespace}})
			case at.namespace == "" || r.Namespace == at.namespace:
				list = append(list, key{scope: scope{r, r.Namespace}})
			}
		}
	}
	return unique(list), false
}

func escalatesEverywhere(e *engine, _ *spot, k *key) {
	if k == nil {
		e.one(name.ClusterAdmin, "RBAC_ESCALATE_TO", 1, "writes every right into a ClusterRole that it has (escalate)")
		return
	}
	e.one(e.admin(k.namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+k.role.ID()+", which it has (escalate)")
}

func escalates(e *engine, at *spot, k *key) {
	if k != nil {
		e.one(e.admin(k.namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+k.role.ID()+", which it has (escalate)")
		return
	}
	for _, h := range at.held {
		if !h.role.Cluster() && (at.namespace == "" || h.role.Namespace == at.namespace) {
			e.one(e.admin(h.role.Namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+h.role.ID()+", which it has (escalate)")
		}
	}
}

// unnamed are for everything or for nothing: what is to be made has no name yet.
func unnamed(_ *engine, _ int, g *grant, _ *spot) ([]key, bool) { return nil, g.names == nil }

// aggregates relates who makes a ClusterRole with every right and the label by which one that
// it has takes in others.
func aggregates(e *engine, at *spot, _ *key) {
	for _, h := range at.held {
		if h.role.Cluster() && h.role.Aggregates {
			e.one(e.admin(h.namespace), "RBAC_ESCALATE_TO", 1, "makes a ClusterRole with every right that "+h.role.ID()+", which it has, aggregates (create clusterroles, escalate)")
		}
	}
}

const (
	clientSigner  = "kubernetes.io/kube-apiserver-client"
	kubeletSigner = "kubernetes.io/kube-apiserver-client-kubelet"
)

// signers are those that somebody may approve requests for. Whoever asks gives the request its
// name, so that a rule for some names is as good as one for all.
func signers(_ *engine, j int, g *grant, _ *spot) ([]key, bool) {
	if g.names == nil || j < 2 {
		return nil, true
	}
	var list []key
	for _, signer := range []string{clientSigner, kubeletSigner} {
		if g.names.has[signer] || g.names.has["kubernetes.io/*"] {
			list = append(list, key{name: signer})
		}
	}
	return list, false
}

// certifies relates who may ask for a client's certificate and approve it: as anybody but
// system:masters, which the API server refuses; as a node where the signer is for those.
func certifies(e *engine, _ *spot, k *key) {
	if k == nil || k.name == clientSigner {
		e.one(name.ClusterAdmin, "GENERATE_CLIENT_CERTIFICATE", 0.95, "asks for a certificate of any user and approves it")
		return
	}
	e.one(e.use(e.space("").pods), "GENERATE_CLIENT_CERTIFICATE", 0.8, "asks for a certificate of its node and approves it")
}

// namespaces are those whose labels somebody may change.
func namespaces(_ *engine, _ int, g *grant, at *spot) ([]key, bool) {
	if g.names == nil {
		return nil, true
	}
	var list []key
	for _, called := range g.names.list {
		if at.namespace == "" || at.namespace == called {
			list = append(list, key{name: called})
		}
	}
	return list, false
}

// relabels relates who may take the pod security level off a namespace, and make a pod there.
func relabels(e *engine, at *spot, k *key) {
	space := at.namespace
	if space == "" {
		if l, _ := e.privileged(""); l > 0 {
			return // there is a namespace that lets them in as it is
		}
		space = "kube-system"
	}
	if k != nil {
		space = k.name
	}
	if e.against(space) == "" {
		e.one(e.use(e.nodes), "PATCH_NAMESPACE_TO_BYPASS_PSA", 1, "takes the pod security level off "+space+" and makes a privileged pod there")
	}
}

// actors are groups that somebody may act as, for which it must act as somebody.
func actors(e *engine, j int, g *grant, _ *spot) ([]key, bool) {
	if g.names == nil || j > 0 {
		return nil, true
	}
	var list []key
	for _, group := range g.names.list {
		if !strings.HasPrefix(group, rbac.ServiceAccounts) || e.subjects[rbac.Subject{Kind: rbac.UserGroup, Name: group}] != nil {
			list = append(list, key{name: group})
		}
	}
	return list, false
}

func actsAsGroup(e *engine, _ *spot, k *key) {
	if k == nil || k.name == rbac.Masters {
		e.one(name.ClusterAdmin, "IDENTITY_IMPERSONATE", 1, "acts as the group system:masters (impersonate)")
		return
	}
	e.one(name.Identity(rbac.UserGroup, k.name), "IDENTITY_IMPERSONATE", 1, "acts as the group "+k.name+" (impersonate)")
}
