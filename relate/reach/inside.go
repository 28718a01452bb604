package reach

import (
	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/network/generate"
	"bulwark/relate/internal/name"
)

// inside relates workloads to the endpoints that they reach in the cluster. Those that are
// alike have a group before and after them, so that an open cluster of ten thousand takes
// about twenty thousand relations. A policy for the receiver closes all of it, but for what it
// has to let in: who is told to call it has a relation of his own, which nothing removes.
func (x *reach) inside() {
	list, complete := x.engine.Reaches()
	if !complete {
		x.to.Note(bulwark.Note{Plugin: "relate/reach", Text: "too many policies differ for every pair of workloads to be looked at: who reaches whom is told in part", Incomplete: true})
	}
	senders, receivers := map[int]bulwark.VertexID{}, map[int]bulwark.VertexID{}
	for _, r := range list {
		if len(r.From) == 1 && len(r.To) == 1 && r.From[0] == r.To[0] {
			continue
		}
		one := bulwark.Relation{From: x.senders(senders, r.From), Type: "NETWORK_REACH", Text: "connects to " + r.Ports.String()}
		if len(r.To) > 1 {
			one.To = x.receivers(receivers, r)
			x.to.Relation(one)
			continue
		}
		x.guard(&one, r.To[0])
		x.each(one, x.reached(r.To[0], r.Ports))
	}
	for _, f := range generate.New(x.set, "").Flows {
		if f.Direction != network.Egress || f.Peer.Kind != generate.Workload || f.Endpoint == f.Peer.Endpoint || x.workload(f.Endpoint) == nil || x.workload(f.Peer.Endpoint) == nil {
			continue
		}
		if p := x.engine.Ports(f.Endpoint, f.Peer.Endpoint).Intersect(f.Ports); !p.Empty() {
			one := bulwark.Relation{From: name.Network(x.workload(f.Endpoint)), Type: "NETWORK_REACH", Text: "is told to call " + p.String() + ": " + f.Why}
			x.each(one, x.reached(f.Peer.Endpoint, p))
		}
	}
}

// each tells a relation to each of some vertices.
func (x *reach) each(r bulwark.Relation, to []bulwark.VertexID) {
	for _, r.To = range to {
		x.to.Relation(r)
	}
}

// senders gives the vertex that the members of a class lead to: one's own when it is alone.
func (x *reach) senders(known map[int]bulwark.VertexID, class []int) bulwark.VertexID {
	first := class[0]
	if v, ok := known[first]; ok {
		return v
	}
	v := name.Network(x.workload(first))
	if len(class) > 1 {
		v = name.Group("senders like " + x.engine.Endpoints[first].String())
		for _, i := range class {
			x.to.Relation(bulwark.Relation{From: name.Network(x.workload(i)), To: v, Type: "NETWORK_REACH", Text: "connects to it, and no policy stops that"})
		}
	}
	known[first] = v
	return v
}

// receivers gives the vertex that leads to the members of a class.
func (x *reach) receivers(known map[int]bulwark.VertexID, r network.Reach) bulwark.VertexID {
	first := r.To[0]
	v, ok := known[first]
	if ok {
		return v
	}
	v = name.Group("receivers like " + x.engine.Endpoints[first].String())
	known[first] = v
	for _, i := range r.To {
		one := bulwark.Relation{From: v, Type: "NETWORK_REACH", Text: "connects to " + r.Ports.String()}
		x.guard(&one, i)
		x.each(one, x.reached(i, r.Ports))
	}
	return v
}

// guard gives a relation to an endpoint what keeps all out that need not come: a policy for
// its workload, and what was found about those that there are.
func (x *reach) guard(r *bulwark.Relation, endpoint int) {
	e := x.engine.Endpoints[endpoint]
	if e.Host { // no policy holds for it
		r.Remedies = append(r.Remedies, x.offNode(e.Workload))
		return
	}
	x.limits.let(r, network.Ingress, endpoint, e.Namespace)
	id := e.Workload.ID()
	text := "a NetworkPolicy for " + id + " that lets only those in that are told to call it"
	if x.limits.isolated[network.Ingress][endpoint] {
		text = "let the policies for " + id + " let only those in that are told to call it"
	}
	r.Remedies = append(r.Remedies, x.mend.Remedy(id+" NetworkPolicy", text+" (bulwark network generate writes it)", nil))
}

// offNode is the remedy for what is on the network of its node.
func (x *reach) offNode(w *kube.Workload) string {
	return x.mend.Remedy(w.ID()+" without hostNetwork", "take "+w.ID()+" off the network of its node (hostNetwork), and write a NetworkPolicy for it", nil)
}
