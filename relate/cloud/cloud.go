// Package cloud relates a cluster to the cloud that it runs in: accounts and nodes to the
// identities that they have there, operators to what they command, and identities of the cloud
// to what they are in the cluster. Keys in secrets are relate/workload's.
//
// What an identity may do in the cloud is not known here: it is what is worth taking.
package cloud

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/remedy"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/cloud", Summary: "Which identities of clouds a cluster holds, and which hold it", Version: 1}
}

// How likely a step is.
const (
	metadata   = 0.9 // of nodes: whoever holds a node asks the metadata service as it does
	fromPod    = 0.8 // of pods on the node's network: a hop limit may stop them
	commanded  = 0.9 // of operators and agents: they do what objects say
	impersonal = 0.9 // of identities of the cloud: somebody has to hold them first
)

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	s := kube.Of(t)
	if s.Len() == 0 || s.Engine {
		return nil
	}
	c := &cloud{set: s, known: found.New(findings), to: to, maker: remedy.Maker{Set: s}, mends: map[string]bool{}}
	for _, step := range []func(){c.accounts, c.associations, c.nodes, c.pods, c.annotated, c.azurePods, c.awsAuth, c.accessEntries, c.providers, c.configConnector} {
		if err := ctx.Err(); err != nil {
			return err
		}
		step()
	}
	return nil
}

type cloud struct {
	set   *kube.Set
	known *found.Findings
	to    bulwark.Relations
	told  map[[3]string]bool
	rules []string    // of findings that the next relation is because of
	edits []kube.Edit // of the next relation's remedy

	maker remedy.Maker
	mends map[string]bool // remedies that were told of
}

// mostPatches are made: each takes a look at its file.
const mostPatches = 500

// mended gives the next relation's remedy the edits that it is.
func (c *cloud) mended(edits ...kube.Edit) *cloud {
	c.edits = edits
	return c
}

// remedy tells of one, once, with its patch where there is one.
func (c *cloud) remedy(id, text string, o *kube.Object, edits []kube.Edit) {
	if c.mends[id] {
		return
	}
	c.mends[id] = true
	f := &bulwark.Fix{Text: text}
	if len(edits) > 0 && len(c.mends) < mostPatches {
		if p, err := c.maker.Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits}); err == nil {
			f.Patch = p
		}
	}
	c.to.Remedy(bulwark.Remedy{ID: id, Text: text, Fix: f})
}

// because names rules whose findings about the object are a reason of the next relation.
func (c *cloud) because(rules ...string) *cloud {
	c.rules = rules
	return c
}

// relation tells one, with what in an object makes it and what change of that removes it.
func (c *cloud) relation(from, to bulwark.VertexID, edge string, likelihood float64, text string, o *kube.Object, change string, path ...any) {
	rules, edits := c.rules, c.edits
	c.rules, c.edits = nil, nil
	key := [3]string{string(from), string(to), edge}
	if c.told[key] {
		return
	}
	if c.told == nil {
		c.told = map[[3]string]bool{}
	}
	c.told[key] = true
	r := bulwark.Relation{From: from, To: to, Type: edge, Likelihood: likelihood, Text: text}
	if o != nil {
		if l := o.Place(path...); l.File != "" {
			r.Place = &bulwark.Place{Path: l.File, Line: max(l.Line, 1)}
		}
		c.known.Because(&r, o.ID(), rules...)
		if change != "" && r.Remedies == nil {
			id := o.ID() + " " + kube.PathText(path...) + " " + string(to)
			r.Remedies = append(r.Remedies, id)
			c.remedy(id, change, o, edits)
		}
	}
	c.to.Relation(r)
}

// identityOf is one of an account's annotations.
type identityOf struct {
	annotation, provider, edge, how string
}

var annotations = []identityOf{
	{"eks.amazonaws.com/role-arn", "aws", "CLOUD_ROLE", "trades its token for the role of AWS"},
	{"iam.gke.io/gcp-service-account", "gcp", "CLOUD_ROLE", "acts as the service account of Google Cloud"},
	{"azure.workload.identity/client-id", "azure", "CLOUD_ROLE", "trades its token for the identity of Azure"},
	{"alibabacloud.com/ram-role", "alibaba", "CLOUD_ROLE", "trades its token for the role of Alibaba Cloud"},
	{"pod-identity.alibabacloud.com/role-name", "alibaba", "CLOUD_ROLE", "trades its token for the role of Alibaba Cloud"},
}

// accounts relates service accounts to the identities that their annotations name, and the pods
// that run as them: those are given what proves it besides the token for the API server, so
// that taking the latter away changes nothing.
func (c *cloud) accounts() {
	pods := c.byAccount()
	for _, o := range c.set.Kind("", "ServiceAccount") {
		for _, a := range annotations {
			id := o.Annotations[a.annotation]
			if id == "" {
				continue
			}
			account, to, remedy := name.Account(o.Namespace, o.Name), name.Cloud(a.provider, id), "take the annotation "+a.annotation+" from "+o.ID()+", or let "+id+" do no more than its pods use"
			c.mended(kube.Drop("metadata", "annotations", a.annotation)).relation(account, to, a.edge, 1, a.how, o, remedy, "metadata", "annotations", a.annotation)
			for _, w := range pods[account] {
				if a.provider != "azure" || w.Meta.Labels["azure.workload.identity/use"] == "true" {
					c.given(w, to, o, remedy, "metadata", "annotations", a.annotation)
				}
			}
		}
	}
}

// given relates the containers of pods to the identity that all pods of their account have.
func (c *cloud) given(w *kube.Workload, to bulwark.VertexID, o *kube.Object, remedy string, path ...any) {
	for i := range w.Containers {
		c.relation(name.Container(w, &w.Containers[i]), to, "CLOUD_ROLE", 1, "has that identity, as all pods of its account have", o, remedy, path...)
	}
}

// byAccount are the workloads that run as each account.
func (c *cloud) byAccount() map[bulwark.VertexID][]*kube.Workload {
	pods := map[bulwark.VertexID][]*kube.Workload{}
	for _, w := range c.set.Workloads() {
		account := name.Account(w.Namespace, w.ServiceAccount())
		pods[account] = append(pods[account], w)
	}
	return pods
}

// annotated relates pods to the role that an agent on their node (kube2iam, kiam) hands them
// in the place of the node's.
func (c *cloud) annotated() {
	const annotation = "iam.amazonaws.com/role"
	for _, w := range c.set.Workloads() {
		if role := w.Meta.Annotations[annotation]; role != "" {
			c.relation(name.Workload(w), name.Cloud("aws", role), "CLOUD_ROLE", commanded, "asks the metadata service, at which kube2iam or kiam gives it the role of AWS",
				w.Object, "take the annotation "+annotation+" from the pods of "+w.ID()+", or let "+role+" do no more than they use")
		}
	}
}

// associations relates accounts by the objects that make pod identities of EKS.
func (c *cloud) associations() {
	pods := c.byAccount()
	for _, o := range c.set.Kind("eks.services.k8s.aws", "PodIdentityAssociation") {
		spec := o.Root.Get("spec")
		account, role := name.Account(spec.Get("namespace").Text(), spec.Get("serviceAccount").Text()), spec.Get("roleARN").Text()
		if role == "" {
			role = spec.Get("roleRef", "from", "name").Text()
		}
		if role == "" || spec.Get("serviceAccount").Text() == "" {
			continue
		}
		remedy := "remove " + o.ID() + ", or let the role do no more than the pods use"
		c.relation(account, name.Cloud("aws", role), "CLOUD_ROLE", 1, "is given the role of AWS by the pod identity agent", o, remedy, "spec", "roleARN")
		for _, w := range pods[account] {
			c.given(w, name.Cloud("aws", role), o, remedy, "spec", "roleARN")
		}
	}
}
