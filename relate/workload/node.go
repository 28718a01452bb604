package workload

import (
	"maps"
	"slices"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// somewhere is the chance that pods of which the node is not known run on the one that was
// taken.
const somewhere = 0.5

// ground finds the nodes that the pods run on, and relates those to the pods.
func (p *pods) ground() {
	seen := map[string]bool{}
	add := func(n string) {
		if n != "" && !seen[n] {
			seen[n] = true
			p.on = append(p.on, n)
		}
	}
	add(p.Spec.NodeName)
	for _, o := range p.Pods {
		add(o.Root.Get("spec", "nodeName").Text())
	}
	at := name.Workload(p.Workload)
	switch len(p.on) {
	case 0:
		p.adrift = true
		p.node, p.held = name.AnyNode, volumesOn("*")
		p.to.Relation(bulwark.Relation{From: podsAnywhere, To: at, Type: "POD_ATTACH", Text: "is one of them"})
		return
	case 1:
		p.node, p.held = name.Node(p.on[0]), volumesOn(p.on[0])
	default:
		p.node, p.held = name.Group("nodes of "+p.ID()), name.Group("volumes on nodes of "+p.ID())
	}
	for _, n := range p.on {
		p.below[n] = true
		p.to.Relation(bulwark.Relation{From: name.Node(n), To: at, Type: "POD_ATTACH", Text: "runs on it"})
		if len(p.on) > 1 {
			p.to.Relation(bulwark.Relation{From: p.node, To: name.Node(n), Type: "RUNS_ON", Text: "runs there"})
			p.to.Relation(bulwark.Relation{From: p.held, To: volumesOn(n), Type: "RUNS_ON", Text: "runs there"})
		}
	}
}

// podsAnywhere are the pods of which the nodes are not known.
var podsAnywhere = name.Group("pods on any node")

// volumesOn are the volumes and tokens that lie on a node; "*" is one that is not known.
func volumesOn(node string) bulwark.VertexID { return name.Group("volumes on " + node) }

// lies says on which nodes a volume of the pods is to be had.
func (p *pods) lies(volume bulwark.VertexID) {
	if len(p.on) == 0 {
		p.to.Relation(bulwark.Relation{From: volumesOn("*"), To: volume, Type: "VOLUME_ACCESS", Text: "lies on the node"})
	}
	for _, n := range p.on {
		p.to.Relation(bulwark.Relation{From: volumesOn(n), To: volume, Type: "VOLUME_ACCESS", Text: "lies on the node"})
	}
}

// nodes relates every node to what it is and holds.
func (w *world) nodes() {
	master := map[string]bool{}
	for _, o := range w.set.Kind("", "Node") {
		w.below[o.Name] = true
		master[o.Name] = controlPlane(o)
	}
	any := name.AnyNode
	for _, n := range slices.Sorted(maps.Keys(w.below)) {
		at := name.Node(n)
		w.stands(at, n)
		w.to.Relation(bulwark.Relation{From: at, To: name.Identity("User", "system:node:"+n), Type: "IDENTITY_ASSUME", Text: "uses the kubelet's certificate"})
		w.to.Relation(bulwark.Relation{From: name.Nodes(), To: at, Type: "MEMBER_OF", Text: "is one of them"})
		if master[n] {
			w.to.Relation(bulwark.Relation{From: at, To: name.ClusterAdmin, Type: "CONTROL_PLANE_KEYS", Text: "has the keys of the API server and the administrators' kubeconfig"})
		}
	}
	if len(w.below) > 0 {
		w.to.Relation(bulwark.Relation{From: any, To: name.Nodes(), Type: "MEMBER_OF", Text: "is one of them"})
	} else {
		w.to.Relation(bulwark.Relation{From: name.Nodes(), To: any, Type: "MEMBER_OF", Text: "is one of them"})
	}
	w.stands(any, "*")
	if w.adrift {
		w.to.Relation(bulwark.Relation{From: any, To: podsAnywhere, Type: "POD_ATTACH", Likelihood: somewhere, Text: "runs on it, perhaps"})
	}
}

// stands relates a node to the group that all nodes are in, and to the volumes on it.
func (w *world) stands(at bulwark.VertexID, n string) {
	w.to.Relation(bulwark.Relation{From: at, To: name.Identity("Group", "system:nodes"), Type: "IDENTITY_ASSUME", Text: "uses the kubelet's certificate"})
	w.to.Relation(bulwark.Relation{From: at, To: volumesOn(n), Type: "VOLUME_ACCESS", Text: "reads the volumes of its pods"})
}

func controlPlane(node *kube.Object) bool {
	for _, role := range []string{"control-plane", "master", "controlplane", "etcd"} {
		if _, ok := node.Labels["node-role.kubernetes.io/"+role]; ok {
			return true
		}
	}
	return false
}
