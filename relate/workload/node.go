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

// ground is a node that pods run on.
type ground struct {
	name    string
	vertex  bulwark.VertexID
	volumes bulwark.VertexID // that lie on it
}

// node gives the node of a name, once.
func (w *world) node(n string) *ground {
	g := w.below[n]
	if g == nil {
		g = &ground{n, name.Node(n), volumesOn(n)}
		w.below[n] = g
	}
	return g
}

// unknown is a node that is not known.
var unknown = &ground{"*", name.AnyNode, volumesOn("*")}

// land finds the nodes that the pods run on, and relates those to the pods.
func (p *pods) land() {
	seen := map[*ground]bool{}
	add := func(n string) {
		if n == "" {
			return
		}
		if g := p.world.node(n); !seen[g] {
			seen[g] = true
			p.on = append(p.on, g)
		}
	}
	add(p.Spec.NodeName)
	for _, o := range p.Pods {
		add(o.Root.Get("spec", "nodeName").Text())
	}
	if p.stranger {
		return
	}
	if len(p.on) == 0 {
		p.adrift = true
		p.to.Relation(bulwark.Relation{From: podsAnywhere, To: p.vertex, Type: "POD_ATTACH", Text: "is one of them"})
	}
	for _, g := range p.on {
		p.to.Relation(bulwark.Relation{From: g.vertex, To: p.vertex, Type: "POD_ATTACH", Text: "runs on it"})
	}
}

// node is the vertex of the nodes below: one, or a group of several.
func (p *pods) node() bulwark.VertexID {
	return p.under(&p.nodes, "nodes of ", func(g *ground) bulwark.VertexID { return g.vertex })
}

// held is the vertex of the volumes on these.
func (p *pods) held() bulwark.VertexID {
	return p.under(&p.volumes, "volumes on nodes of ", func(g *ground) bulwark.VertexID { return g.volumes })
}

// under gives a vertex for all nodes below, which is made when it is asked for.
func (p *pods) under(made *bulwark.VertexID, group string, of func(*ground) bulwark.VertexID) bulwark.VertexID {
	switch {
	case *made != "":
	case len(p.on) == 0:
		*made = of(unknown)
	case len(p.on) == 1:
		*made = of(p.on[0])
	default:
		*made = name.Group(group + p.id)
		for _, g := range p.on {
			p.to.Relation(bulwark.Relation{From: *made, To: of(g), Type: "RUNS_ON", Text: "runs there"})
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
		to = name.Group("volumes of " + p.id)
		p.to.Relation(bulwark.Relation{From: to, To: volume, Type: "VOLUME_ACCESS", Text: "lies on the node"})
		if p.lying {
			return
		}
		p.lying = true
	}
	if len(p.on) == 0 {
		p.to.Relation(bulwark.Relation{From: unknown.volumes, To: to, Type: "VOLUME_ACCESS", Likelihood: somewhere, Text: "lies on the node, perhaps"})
	}
	for _, g := range p.on {
		p.to.Relation(bulwark.Relation{From: g.volumes, To: to, Type: "VOLUME_ACCESS", Text: "lies on the node"})
	}
}

// grounds relates every node to what it is and holds.
func (w *world) grounds() {
	master := map[string]bool{}
	for _, o := range w.set.Kind("", "Node") {
		w.node(o.Name)
		master[o.Name] = controlPlane(o)
	}
	for _, n := range slices.Sorted(maps.Keys(w.below)) {
		g := w.below[n]
		w.stands(g)
		w.to.Relation(bulwark.Relation{From: g.vertex, To: name.Identity("User", "system:node:"+n), Type: "IDENTITY_ASSUME", Text: "uses the kubelet's certificate"})
		w.to.Relation(bulwark.Relation{From: name.Nodes(), To: g.vertex, Type: "MEMBER_OF", Text: "is one of them"})
		if master[n] {
			w.to.Relation(bulwark.Relation{From: g.vertex, To: name.ClusterAdmin, Type: "CONTROL_PLANE_KEYS", Text: "has the keys of the API server and the administrators' kubeconfig"})
		}
	}
	if len(w.below) > 0 {
		w.to.Relation(bulwark.Relation{From: unknown.vertex, To: name.Nodes(), Type: "MEMBER_OF", Text: "is one of them"})
	} else {
		w.to.Relation(bulwark.Relation{From: name.Nodes(), To: unknown.vertex, Type: "MEMBER_OF", Text: "is one of them"})
	}
	w.stands(unknown)
	if w.adrift {
		w.to.Relation(bulwark.Relation{From: unknown.vertex, To: podsAnywhere, Type: "POD_ATTACH", Likelihood: somewhere, Text: "runs on it, perhaps"})
	}
}

// stands relates a node to the group that all nodes are in, and to the volumes on it.
func (w *world) stands(g *ground) {
	w.to.Relation(bulwark.Relation{From: g.vertex, To: name.Identity("Group", "system:nodes"), Type: "IDENTITY_ASSUME", Text: "uses the kubelet's certificate"})
	w.to.Relation(bulwark.Relation{From: g.vertex, To: g.volumes, Type: "VOLUME_ACCESS", Text: "reads the volumes of its pods"})
}

func controlPlane(node *kube.Object) bool {
	for _, role := range []string{"control-plane", "master", "controlplane", "etcd"} {
		if _, ok := node.Labels["node-role.kubernetes.io/"+role]; ok {
			return true
		}
	}
	return false
}
