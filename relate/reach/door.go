package reach

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

// door is what somebody reaches of a workload: containers that listen there.
type door struct {
	vertex     bulwark.VertexID
	workload   *kube.Workload
	containers []*kube.Container
}

// reached notes that somebody reaches ports of an endpoint, and gives the vertices of what
// listens there: one for the workload where all of its containers may, else one for each that
// does.
func (x *reach) reached(endpoint int, ports network.Ports) []bulwark.VertexID {
	w := x.workload(endpoint)
	running := staying(w)
	listening := behind(running, ports)
	if len(listening) == len(running) {
		return []bulwark.VertexID{x.door(name.Endpoint(w), w, running)}
	}
	var list []bulwark.VertexID
	for _, c := range listening {
		list = append(list, x.door(name.Door(w, c), w, []*kube.Container{c}))
	}
	return list
}

func (x *reach) door(v bulwark.VertexID, w *kube.Workload, containers []*kube.Container) bulwark.VertexID {
	if !x.doors[v] {
		x.doors[v] = true
		x.order = append(x.order, door{v, w, containers})
	}
	return v
}

// staying are the containers that run as long as the pod does; all where none is such.
func staying(w *kube.Workload) (list []*kube.Container) {
	for i := range w.Containers {
		if c := &w.Containers[i]; !name.Passes(c) && !c.Ephemeral {
			list = append(list, c)
		}
	}
	if len(list) > 0 {
		return list
	}
	for i := range w.Containers {
		list = append(list, &w.Containers[i])
	}
	return list
}

// behind are the containers that listen on some of the ports: those that say so, and where
// nobody does those that say nothing; each where nothing is known.
func behind(containers []*kube.Container, ports network.Ports) []*kube.Container {
	if len(containers) < 2 || len(containers) > most {
		return containers
	}
	var says, silent []*kube.Container
	var known network.Ports
	for _, c := range containers {
		switch declared := listens(c); {
		case declared.Empty():
			silent = append(silent, c)
		case !declared.Intersect(ports).Empty():
			says = append(says, c)
			known = known.Union(declared)
		}
	}
	if !known.Union(ports).Equal(known) { // somebody listens on the others
		says = append(says, silent...)
	}
	if len(says) == 0 {
		return containers
	}
	return says
}

// most is how many containers of a pod, and ports of a container, are told apart.
const most = 64

// listens are the ports that a container says it listens on; none where it says too many.
func listens(c *kube.Container) (ports network.Ports) {
	if len(c.Ports) > most {
		return ports
	}
	for _, p := range c.Ports {
		proto := network.TCP
		switch p.Protocol {
		case "UDP":
			proto = network.UDP
		case "SCTP":
			proto = network.SCTP
		}
		if n := p.ContainerPort; n > 0 && n < 1<<16 {
			ports = ports.Union(network.PortRange(proto, uint16(n), uint16(n)))
		}
	}
	return ports
}

// loopback relates the containers of a pod to what the others of it listen on: no policy
// stands between them.
func (x *reach) loopback() {
	for _, w := range x.set.Workloads() {
		list := staying(w)
		if len(list) < 2 || len(list) > most {
			continue
		}
		for _, c := range list {
			if !listens(c).Empty() {
				to := x.door(name.Door(w, c), w, []*kube.Container{c})
				x.to.Relation(bulwark.Relation{From: name.Network(w), To: to, Type: "NETWORK_REACH", Text: "connects to it by the loopback of the pod"})
			}
		}
	}
}

// open are rules of what asks nobody for a password.
var open = []string{"workload/no-authentication", "workload/dashboard-skip-login", "workload/tiller", "workload/engine-in-container"}

// exploits relates each door that somebody reaches to what runs there.
func (x *reach) exploits() {
	for _, d := range x.order {
		for _, c := range d.containers {
			to := name.Container(d.workload, c)
			x.to.Relation(bulwark.Relation{From: d.vertex, To: to, Type: "ENDPOINT_EXPLOIT", Likelihood: unknownWeakness, Text: "finds a weakness in what listens"})
			for _, rule := range open {
				for _, f := range x.known.Of(d.workload.ID(), rule) {
					if about(f, c) {
						r := bulwark.Relation{From: d.vertex, To: to, Type: "ENDPOINT_EXPLOIT", Likelihood: noPassword, Text: "uses what asks nobody for a password"}
						found.Add(&r, f)
						x.to.Relation(r)
					}
				}
			}
		}
	}
}

// about tells whether a finding is about a container: it names it, or none.
func about(f *bulwark.Finding, c *kube.Container) bool {
	named := false
	for _, line := range f.Evidence {
		if strings.HasPrefix(line, "container "+c.Name+": ") {
			return true
		}
		named = named || strings.HasPrefix(line, "container ")
	}
	return !named
}
