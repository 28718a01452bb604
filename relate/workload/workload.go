// Package workload relates pods to what they hold and to the node below them: containers,
// accounts, secrets, and every setting that lets a container take its node.
package workload

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/workload", Summary: "What pods hold, and how containers take their node", Version: 1}
}

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	known := found.New(findings)
	for _, w := range kube.Of(t).Workloads() {
		if err := ctx.Err(); err != nil {
			return err
		}
		one := &pods{Workload: w, known: known, to: to}
		one.relate()
	}
	return nil
}

// pods relates one workload.
type pods struct {
	*kube.Workload
	known *found.Findings
	to    bulwark.Relations
}

func (p *pods) relate() {
	nodes := p.nodes()
	for i := range p.Containers {
		c := &p.Containers[i]
		at := name.Container(p.Workload, c)
		p.to.Relation(bulwark.Relation{From: name.Workload(p.Workload), To: at, Type: "CONTAINER_ATTACH", Text: "is in the pod"})
		p.identity(at)
		p.volumes(c, at)
		p.escapes(c, at, nodes)
	}
}

// nodes are those that the pods run on; one that stands for any, where that is not known.
func (p *pods) nodes() []bulwark.VertexID {
	seen := map[string]bool{}
	var list []bulwark.VertexID
	add := func(n string) {
		if n != "" && !seen[n] {
			seen[n] = true
			list = append(list, name.Node(n))
		}
	}
	add(p.Spec.NodeName)
	for _, o := range p.Pods {
		add(o.Root.Get("spec", "nodeName").Text())
	}
	if list == nil {
		return []bulwark.VertexID{name.AnyNode}
	}
	return list
}

// identity relates a container to the account whose token it has.
func (p *pods) identity(at bulwark.VertexID) {
	if auto := p.Spec.AutomountServiceAccountToken; auto != nil && !*auto {
		return
	}
	r := bulwark.Relation{From: at, To: name.Account(p.Namespace, p.ServiceAccount()), Type: "IDENTITY_ASSUME", Text: "uses the token in the pod"}
	p.known.Because(&r, p.ID(), "workload/default-account-token")
	p.to.Relation(r)
}
