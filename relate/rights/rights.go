// Package rights relates who may do what to what that gives them: a user, group or service
// account has permissions (a role in a namespace, or everywhere), each of which leads to
// pods, accounts, secrets, nodes or the whole cluster.
//
// What many have in common is one vertex: the permission between those who are bound and what
// it gives, all pods of a namespace, all its accounts, all its secrets. Rights that only
// lead further together (to write bindings and to bind) are related where one role gives both,
// and from the subject where two bindings do; then whichever goes, the relation goes. Where
// there are several ways to have each of them, the ways to have one lead to a group vertex,
// and those to have the other on from it: n and m ways take n + m relations, and what
// removes all of either cuts them. Where one right is a subject's own and the other its
// group's, all of the group who have the one come to the same vertex.
//
// What roles name is looked at up to bounds; what is beyond is told of in notes, with the
// file and line.
//
// A relation from a subject to its permission is removed by removing the binding; one from a
// permission by taking the right out of the role, which is the fix of the finding about it
// where there is one. Kubernetes' own roles cannot be changed, and its own bindings stay.
package rights

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/remedy"
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
	e := newEngine(s, t.Asset.ID, found.New(findings), to)
	for _, b := range e.rights.Bindings {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.bind(b)
	}
	e.drain()
	for _, h := range e.alike() {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.together(h)
	}
	e.drain()
	e.finish()
	return nil
}

// engine relates the rights of one set of objects.
type engine struct {
	set    *kube.Set
	asset  bulwark.AssetID
	rights *rbac.Rights
	known  *found.Findings
	to     bulwark.Relations
	admission
	*members

	operators   []want
	clouds      []want
	shapes      map[uint64][]shaped
	given       map[*rbac.Role][]grant // by its own rules
	permissions map[scope]*permission
	names       map[bulwark.VertexID]bool
	pending     []*permission
	steps       []step // of the grant that is looked at
	sieve       sieve

	subjects     map[rbac.Subject]*subject
	order        []*subject
	unbound      map[*rbac.Binding]*cause
	clusterAdmin *rbac.Role
	roles        map[string]map[string][]key
	bindings     map[grouping]*bindings
	grouped      map[grouping]bool
	objects      map[string][]*kube.Object // of custom kinds
	closed       map[string]bool           // namespaces with a NetworkPolicy
	eks          bool
	excepted     bool // there are pods that reach the node's identity in Azure

	remedies map[string]bool
	maker    *remedy.Maker
	patches  int

	rooms     rooms // of whom is looked at
	sets      map[string]*groups
	crossed   int // options of ways by several bindings
	strangers int // relations to what rules name and nobody has seen
	told      map[*rbac.Role]bool
	notes     int
}

func newEngine(s *kube.Set, asset bulwark.AssetID, known *found.Findings, to bulwark.Relations) *engine {
	e := &engine{set: s, asset: asset, rights: rbac.Of(s), known: known, to: to, admission: admissionOf(s), members: membersOf(s)}
	e.operators, e.clouds = operators(s)
	e.shapes, e.given, e.permissions, e.names = map[uint64][]shaped{}, map[*rbac.Role][]grant{}, map[scope]*permission{}, map[bulwark.VertexID]bool{}
	e.subjects, e.unbound, e.grouped = map[rbac.Subject]*subject{}, map[*rbac.Binding]*cause{}, map[grouping]bool{}
	e.remedies, e.told, e.maker = map[string]bool{}, map[*rbac.Role]bool{}, &remedy.Maker{Set: s}
	e.sets = map[string]*groups{}
	e.eks = onEKS(s)
	// Every cluster has this account, which may write any right into any role.
	e.account("kube-system", "clusterrole-aggregation-controller")
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
	e.dangling()
	for _, text := range e.rights.Problems {
		e.note("%s", text)
	}
	e.noted()
}

// administrator relates whoever holds the whole cluster to all that is in it.
func (e *engine) administrator() {
	all := e.space("")
	for _, g := range []*group{all.pods, all.accounts, all.secrets, e.nodes} {
		e.to.Relation(bulwark.Relation{From: name.ClusterAdmin, To: e.use(g), Type: "IS_CLUSTER_ADMIN", Text: "holds the cluster, and with it everything there"})
	}
	if !e.leads(rbac.Account("kube-system", "clusterrole-aggregation-controller")) {
		e.to.Relation(bulwark.Relation{From: name.Account("kube-system", "clusterrole-aggregation-controller"), To: name.ClusterAdmin, Type: "RBAC_ESCALATE_TO", Likelihood: 0.9, Text: "writes any right into any role, as the controller of every cluster may"})
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
