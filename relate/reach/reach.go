// Package reach relates workloads by the network: what the Internet reaches, who reaches whom
// in the cluster, and who reaches the metadata service of the cloud.
//
// To reach a workload is not to hold it. What is reached is its endpoint, a vertex of its own:
// exploits lead from there to the containers that listen, so that each is told once, whoever comes.
// What pods send comes from their network, a group to which each of their containers leads.
//
//	internet -> endpoint:shop/Deployment/web            EXPOSED
//	group:network of ... -> endpoint:...                NETWORK_REACH, by way of groups
//	endpoint:shop/Deployment/web -> container:...       ENDPOINT_EXPLOIT
//	group:network of ... -> cloud:aws/role of nodes     CLOUD_METADATA
package reach

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/mend"
)

// How likely steps are, where nothing more is known. They are chances that an attacker
// succeeds, not measurements; what counts is their order.
const (
	unknownWeakness = 0.1 // what listens has some weakness that the attacker finds
	noPassword      = 0.9 // what listens asks nobody for a password

	openToAll   = 1.0 // a load balancer, an Ingress, a Gateway, a public address
	afterLogin  = 0.5 // something in between asks who comes
	nodesOpen   = 0.5 // nodes have addresses that the Internet knows, and no firewall
	someSources = 0.1 // the attacker is at one of some addresses
	notShown    = 0.5 // the objects do not show how the controller is reached
	asNode      = 0.5 // of a Service whose policies let in nodes alone: many networks hide the client behind one

	hopLimit      = 0.5 // of AWS: the nodes let answers of the metadata service travel to pods
	metadataOpen  = 0.9 // of other clouds, which answer pods unless they are kept from it
	unknownCloud  = 0.3 // the cluster runs in a cloud at all
	withoutEgress = 0.5 // keys that cannot be sent out have to be used from the pod
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/reach", Summary: "What the Internet and workloads reach by the network", Version: 1}
}

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	s := kube.Of(t)
	if len(s.Workloads()) == 0 {
		return nil
	}
	x := &reach{set: s, engine: network.Of(s), known: found.New(findings), to: to, mend: mend.New(s, to), doors: map[bulwark.VertexID]bool{}}
	for _, p := range x.engine.Problems {
		to.Note(bulwark.Note{Plugin: "relate/reach", Asset: t.Asset.ID, Text: p.String(), Incomplete: true})
	}
	x.limits = x.limit(findings)
	x.exposed()
	if err := ctx.Err(); err != nil {
		return err
	}
	x.inside()
	x.loopback()
	x.exploits()
	x.metadata()
	return ctx.Err()
}

// reach relates the workloads of a set.
type reach struct {
	set    *kube.Set
	engine *network.Engine
	known  *found.Findings
	to     bulwark.Relations
	mend   *mend.Maker
	limits *limits
	doors  map[bulwark.VertexID]bool
	order  []door // those that somebody reaches
}

// workload is what runs the pods of an endpoint.
func (x *reach) workload(endpoint int) *kube.Workload { return x.engine.Endpoints[endpoint].Workload }
