// Package rights relates who may do what to what that gives them: a user, group or service
// account has permissions (a role in a namespace, or everywhere), each of which leads to
// pods, accounts, secrets, nodes or the whole cluster.
//
// What many have in common is one vertex: the permission between those who are bound and what
// it gives, all pods of a namespace, all its accounts, all its secrets. Rights that only
// lead further together (to write bindings and to bind) are related where one role gives both,
// and from the subject where two bindings do; then whichever goes, the relation goes.
//
// A relation from a subject to its permission is removed by removing the binding; one from a
// permission by taking the right out of the role, which is the fix of the finding about it
// where there is one. Kubernetes' own roles cannot be changed, and its own bindings stay.
package rights

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/rights", Summary: "What roles and bindings let users, groups and service accounts take", Version: 1}
}

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	s := kube.Of(t)
	if s.Len() == 0 || s.Engine {
		return nil
	}
	e := newEngine(s, found.New(findings), to)
	for _, b := range e.rights.Bindings {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.bind(b)
	}
	e.drain()
	for _, sub := range e.order {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.together(sub)
	}
	e.drain()
	if e.crossed > 2*mostCrossed {
		to.Note(bulwark.Note{Plugin: "relate/rights", Asset: t.Asset.ID, Text: "there are too many ways by several bindings together; not all are told", Incomplete: true})
	}
	e.finish()
	return nil
}

// engine relates the rights of one set of objects.
type engine struct {
	set    *kube.Set
	rights *rbac.Rights
	known  *found.Findings
	to     bulwark.Relations
	admission
	*members

	operators    []want
	clouds       []want
	given        map[*rbac.Role][]grant // by its own rules
	permissions  map[scope]*permission
	names        map[bulwark.VertexID]*rbac.Role
	subjects     map[rbac.Subject]*subject
	order        []*subject
	remedies     map[string]bool
	causes       map[source]*cause
	unbound      map[*rbac.Binding]*cause
	crossed      int
	pending      []*permission
	clusterAdmin *rbac.Role
	eks          bool
	excepted     bool // there are pods that reach the node's identity in Azure
}

func newEngine(s *kube.Set, known *found.Findings, to bulwark.Relations) *engine {
	e := &engine{set: s, rights: rbac.Of(s), known: known, to: to, admission: admissionOf(s), members: membersOf(s)}
	e.operators, e.clouds = operators(s)
	e.given, e.permissions, e.names = map[*rbac.Role][]grant{}, map[scope]*permission{}, map[bulwark.VertexID]*rbac.Role{}
	e.subjects, e.remedies = map[rbac.Subject]*subject{}, map[string]bool{}
	e.causes, e.unbound = map[source]*cause{}, map[*rbac.Binding]*cause{}
	e.eks = onEKS(s)
	e.excepted = len(s.Kind("aadpodidentity.k8s.io", "AzurePodIdentityException")) > 0
	return e
}

// finish relates what stands between, as far as anything leads there.
func (e *engine) finish() {
	e.to.Relation(bulwark.Relation{From: name.Identity(rbac.UserGroup, rbac.Masters), To: name.ClusterAdmin, Type: "IS_CLUSTER_ADMIN", Text: "may do everything: no role is asked"})
	e.administrator()
	e.groups()
	e.outside()
	e.members.relate(e.to)
}

// administrator relates whoever holds the whole cluster to all that is in it.
func (e *engine) administrator() {
	for _, v := range []bulwark.VertexID{name.Pods(""), name.Accounts(""), name.Secrets(""), name.Nodes()} {
		e.use(v)
		e.to.Relation(bulwark.Relation{From: name.ClusterAdmin, To: v, Type: "IS_CLUSTER_ADMIN", Text: "holds the cluster, and with it everything there"})
	}
	// Every cluster has this account, which may write any right into any role.
	if e.used[name.Accounts("kube-system")] || e.used[name.Accounts("")] {
		at := name.Account("kube-system", "clusterrole-aggregation-controller")
		if e.subjects[rbac.Account("kube-system", "clusterrole-aggregation-controller")] == nil {
			e.to.Relation(bulwark.Relation{From: at, To: name.ClusterAdmin, Type: "RBAC_ESCALATE_TO", Likelihood: 0.9, Text: "writes any right into any role, as the controller of every cluster may"})
		}
		e.member(name.Accounts("kube-system"), at)
	}
}

// onEKS tells whether the cluster is Amazon's.
func onEKS(s *kube.Set) bool {
	if s.Find("kube-system/ConfigMap/aws-auth") != nil {
		return true
	}
	for _, n := range s.Kind("", "Node") {
		if _, ok := n.Labels["eks.amazonaws.com/nodegroup"]; ok {
			return true
		}
	}
	for _, a := range s.Kind("", "ServiceAccount") {
		if _, ok := a.Annotations["eks.amazonaws.com/role-arn"]; ok {
			return true
		}
	}
	return false
}
