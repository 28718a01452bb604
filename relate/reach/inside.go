package reach

import (
	"bulwark"
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
		to, alone := x.receivers(receivers, r)
		one := bulwark.Relation{From: x.senders(senders, r.From), To: to, Type: "NETWORK_REACH", Text: "connects to " + r.Ports.String()}
		if alone {
			one.Remedies = []string{x.guard(r.To[0])}
		}
		x.to.Relation(one)
	}
	for _, f := range generate.New(x.set, "").Flows {
		if f.Direction != network.Egress || f.Peer.Kind != generate.Workload || f.Endpoint == f.Peer.Endpoint || x.workload(f.Endpoint) == nil || x.workload(f.Peer.Endpoint) == nil {
			continue
		}
		if p := x.engine.Ports(f.Endpoint, f.Peer.Endpoint).Intersect(f.Ports); !p.Empty() {
			x.to.Relation(bulwark.Relation{From: name.Workload(x.workload(f.Endpoint)), To: x.reached(f.Peer.Endpoint), Type: "NETWORK_REACH", Text: "is told to call " + p.String() + ": " + f.Why})
		}
	}
}

// senders gives the vertex that the members of a class lead to: one's own when it is alone.
func (x *reach) senders(known map[int]bulwark.VertexID, class []int) bulwark.VertexID {
	first := class[0]
	if v, ok := known[first]; ok {
		return v
	}
	v := name.Workload(x.workload(first))
	if len(class) > 1 {
		v = name.Group("senders like " + x.engine.Endpoints[first].String())
		for _, i := range class {
			x.to.Relation(bulwark.Relation{From: name.Workload(x.workload(i)), To: v, Type: "NETWORK_REACH", Text: "connects to it, and no policy stops that"})
		}
	}
	known[first] = v
	return v
}

// receivers gives the vertex that leads to the members of a class; alone tells that it is
// the one of them.
func (x *reach) receivers(known map[int]bulwark.VertexID, r network.Reach) (v bulwark.VertexID, alone bool) {
	first := r.To[0]
	if len(r.To) == 1 {
		return x.reached(first), true
	}
	if v, ok := known[first]; ok {
		return v, false
	}
	v = name.Group("receivers like " + x.engine.Endpoints[first].String())
	for _, i := range r.To {
		x.to.Relation(bulwark.Relation{From: v, To: x.reached(i), Type: "NETWORK_REACH", Text: "connects to " + r.Ports.String(), Remedies: []string{x.guard(i)}})
	}
	known[first] = v
	return v, false
}

// guard is the remedy of a policy for an endpoint's workload.
func (x *reach) guard(endpoint int) string {
	w := x.workload(endpoint)
	if x.engine.Endpoints[endpoint].Host { // no policy holds for it
		return x.remedy(w.ID()+" without hostNetwork", "take "+w.ID()+" off the network of its node (hostNetwork), and write a NetworkPolicy for it")
	}
	return x.remedy(w.ID()+" NetworkPolicy", "a NetworkPolicy for "+w.ID()+" that lets only those in that are told to call it (bulwark network generate writes it)")
}
