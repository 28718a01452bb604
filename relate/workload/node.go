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

// land finds the nodes that the pods run on, and relates those to the pods.
func (p *pods) land() {
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
	if len(p.on) == 0 {
		p.adrift = true
		p.to.Relation(bulwark.Relation{From: podsAnywhere, To: at, Type: "POD_ATTACH", Text: "is one of them"})
		return
	}
	for _, n := range p.on {
		p.below[n] = true
		p.to.Relation(bulwark.Relation{From: name.Node(n), To: at, Type: "POD_ATTACH", Text: "runs on it"})
	}
}

// node is the vertex of the nodes below: one, or a group of several.
func (p *pods) node() bulwark.VertexID {
	return p.under(&p.nodes, name.AnyNode, "nodes of "+p.ID(), name.Node)
}

// held is the vertex of the volumes on these.
func (p *pods) held() bulwark.VertexID {
	return p.under(&p.volumes, volumesOn("*"), "volumes on nodes of "+p.ID(), volumesOn)
}

// under gives a vertex for all nodes below, which is made when it is asked for.
func (p *pods) under(made *bulwark.VertexID, unknown bulwark.VertexID, group string, of func(string) bulwark.VertexID) bulwark.VertexID {
	switch {
	case *made != "":
	case len(p.on) == 0:
		*made = unknown
	case len(p.on) == 1:
		*made = of(p.on[0])
	default:
		*made = name.Group(group)
		for _, n := range p.on {
			p.to.Relation(bulwark.Relation{From: *made, To: of(n), Type: "RUNS_ON", Text: "runs there"})
		}
	}
	return *made
}

// podsAnywhere are the pods of which the nodes are not known.
var podsAnywhere = name.Group("pods on any node")

// volumesOn are the volumes and tokens that lie on a node; "*" is one that is not known.
func volumesOn(node string) bulwark.VertexID { return name.Group("volumes on " + node) }

// lies says on which nodes a volume of the pods is to be had: where there are several, by a
// group of the volumes of the pods.
func (p *pods) lies(volume bulwark.VertexID) {
	to := volume
	if len(p.on) > 1 {
		to = name.Group("volumes of " + p.ID())
		p.to.Relation(bulwark.Relation{From: to, To: volume, Type: "VOLUME_ACCESS", Text: "lies on the node"})
		if p.lying {
			return
		}
		p.lying = true
	}
	if len(p.on) == 0 {
		p.to.Relation(bulwark.Relation{From: volumesOn("*"), To: to, Type: "VOLUME_ACCESS", Likelihood: somewhere, Text: "lies on the node, perhaps"})
	}
	for _, n := range p.on {
		p.to.Relation(bulwark.Relation{From: volumesOn(n), To: to, Type: "VOLUME_ACCESS", Text: "lies on the node"})
	}
}

// ground relates every node to what it is and holds.
func (w *world) ground() {
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
