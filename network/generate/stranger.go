package generate

import (
	"slices"
	"strconv"

	"bulwark/kube"
	"bulwark/network"
)

// toStrangers adds the flow to pods of a Service that are not among the objects: an operator
// makes them, or another file.
func (p *Plan) toStrangers(from int, service *kube.Object, port, why string) {
	labels := chosen(service)
	if !valid(labels) {
		return
	}
	var ports network.Ports
	for _, one := range service.Root.Get("spec", "ports").Items() {
		if port != "" && port != one.Get("port").Text() && port != one.Get("name").Text() {
			continue
		}
		proto := network.TCP
		switch one.Get("protocol").Text() {
		case "UDP":
			proto = network.UDP
		case "SCTP":
			proto = network.SCTP
		}
		// A name is that of a port of pods that nobody has seen: mostly it is the Service's own.
		target := one.Get("targetPort").Text()
		if _, err := strconv.Atoi(target); err != nil {
			if target != "" {
				p.note("%s: the port %q of %s is one of pods that are not among the objects: it is taken for %s", p.Engine.Endpoints[from], target, service.ID(), one.Get("port").Text())
			}
			target = one.Get("port").Text()
		}
		if n, err := strconv.ParseUint(target, 10, 16); err == nil && n > 0 {
			ports = ports.Union(network.PortRange(proto, uint16(n), uint16(n)))
		}
	}
	p.flow(Flow{network.Egress, from, Peer{Kind: Selected, Namespace: service.Namespace, Labels: labels}, ports, why})
}

// strangers tells of pods that Services select and that are not among the objects: what shuts a
// namespace shuts them off as well.
func (p *Plan) strangers() {
	shut := map[string]bool{}
	for _, space := range p.spaces() {
		shut[space] = true
	}
	if shut[dns.Namespace] && !slices.ContainsFunc(p.Engine.Endpoints, resolves) {
		p.note("who answers for names is not among the objects: the default deny of %s shuts it off for all, until it has a policy of its own", dns.Namespace)
	}
	for _, s := range p.Set.Kind("", "Service") {
		if shut[s.Namespace] && p.strange(s) {
			p.note("the pods of %s are not among the objects, and nothing is written for them: the default deny of %s shuts them off until they have a policy of their own", s.ID(), s.Namespace)
		}
	}
}

// strange tells whether a Service selects pods, and none of them are among the objects.
func (p *Plan) strange(s *kube.Object) bool {
	labels := chosen(s)
	return len(labels) > 0 && !slices.ContainsFunc(p.Engine.Endpoints, func(e *network.Endpoint) bool {
		return !e.Outside && e.Namespace == s.Namespace && has(e.Labels, labels)
	})
}

// chosen are the labels that a Service selects pods by.
func chosen(s *kube.Object) map[string]string {
	labels := map[string]string{}
	for name, v := range s.Root.Get("spec", "selector").Fields() {
		labels[name] = v.Text()
	}
	return labels
}
