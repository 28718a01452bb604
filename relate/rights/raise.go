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
	{parts: []power{createClusterRoles, escalateClusterRoles}, keys: aggregating, lead: aggregates, own: true},
	{parts: []power{changeRoles, escalateRoles}, keys: escalatable, lead: escalates, own: true},
	{parts: []power{createRequests, approveRequests, approveSigners}, keys: signers, lead: certifies},
	{parts: []power{createRequests, approveNodes}, lead: func(e *engine, _ *spot, _ *key) {
		e.one(e.use(e.space("").pods), "GENERATE_CLIENT_CERTIFICATE", 0.8, "asks for a certificate of its node, which is approved without being looked at")
	}},
	{parts: []power{patchNamespaces, createPods}, keys: namespaces, lead: relabels, beyond: true},
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

// escalatable are the roles that somebody has and may write any right into. Who may do that to
// every ClusterRole has one.
func escalatable(_ *engine, _ int, g *grant, at *spot) ([]key, bool) {
	wide := table[g.power].cluster
	if g.names == nil && wide {
		return nil, true
	}
	var list []key
	has := func(r *rbac.Role, namespace string) {
		if g.names.allow(r.Name) && r.Cluster() == wide && (wide || at.namespace == "" || r.Namespace == at.namespace) {
			list = append(list, key{scope: scope{r, namespace}})
		}
	}
	for _, h := range at.held {
		if !wide {
			has(h.role, h.role.Namespace)
			continue
		}
		has(h.role, h.namespace)
		for _, r := range h.role.From {
			has(r, h.namespace)
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

func escalates(e *engine, _ *spot, k *key) {
	if k != nil {
		e.one(e.admin(k.namespace), "RBAC_ESCALATE_TO", 1, "writes every right into "+k.role.ID()+", which it has (escalate)")
	}
}

// aggregating are the roles that somebody has which take in others, where any may be made: what
// is to be made has no name yet.
func aggregating(_ *engine, _ int, g *grant, at *spot) ([]key, bool) {
	var list []key
	for _, h := range at.held {
		if g.names == nil && h.role.Cluster() && h.role.Aggregates {
			list = append(list, key{scope: h})
		}
	}
	return list, false
}

// aggregates relates who makes a ClusterRole with every right and the label by which one that
// it has takes in others.
func aggregates(e *engine, _ *spot, k *key) {
	if k != nil {
		e.one(e.admin(k.namespace), "RBAC_ESCALATE_TO", 1, "makes a ClusterRole with every right that "+k.role.ID()+", which it has, aggregates (create clusterroles, escalate)")
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
		if !strings.HasPrefix(group, rbac.ServiceAccounts) || e.leads(rbac.Subject{Kind: rbac.UserGroup, Name: group}) {
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
