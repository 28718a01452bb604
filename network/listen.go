package network

import (
	"strconv"

	"bulwark/kube"

	corev1 "k8s.io/api/core/v1"
)

// Listening gives for each endpoint the ports on which something shows that it listens: its
// containers declare them, probes ask them, Services lead to them. None, where nothing shows
// that it listens at all.
func (e *Engine) Listening() []Ports {
	list := make([]Ports, len(e.Endpoints))
	for i, p := range e.Endpoints {
		list[i] = p.declared()
	}
	x := newServices(e, e.set)
	for _, o := range e.set.Kind("", "Service") {
		for _, b := range x.behind(o, nil) {
			list[b.endpoint] = list[b.endpoint].Union(b.ports)
		}
	}
	return list
}

// Listens are the ports that the containers of an endpoint declare, or are probed on; all,
// when there are none.
func (e *Endpoint) Listens() Ports {
	if ports := e.declared(); !ports.Empty() {
		return ports
	}
	return AllPorts()
}

func (e *Endpoint) declared() Ports {
	var ports Ports
	if e.Workload == nil {
		return ports
	}
	for i := range e.Workload.Containers {
		c := &e.Workload.Containers[i]
		if c.Init && !c.Sidecar() {
			continue
		}
		for _, p := range c.Ports {
			if proto, ok := protocolOf(string(p.Protocol)); ok && 0 < p.ContainerPort && p.ContainerPort <= lastPort {
				ports = ports.Union(PortRange(proto, uint16(p.ContainerPort), uint16(p.ContainerPort)))
			}
		}
		for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			ports = ports.Union(probed(c, p))
		}
	}
	return ports
}

// probed is the port that a probe asks.
func probed(c *kube.Container, p *corev1.Probe) Ports {
	var text string
	switch {
	case p == nil:
	case p.HTTPGet != nil:
		text = p.HTTPGet.Port.String()
	case p.TCPSocket != nil:
		text = p.TCPSocket.Port.String()
	case p.GRPC != nil:
		text = strconv.Itoa(int(p.GRPC.Port))
	}
	if n, err := strconv.ParseUint(text, 10, 16); err == nil && n > 0 {
		return PortRange(TCP, uint16(n), uint16(n))
	}
	return Ports{} // a name is that of a port that is declared
}
