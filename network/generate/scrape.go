package generate

import (
	"slices"
	"strconv"
	"strings"

	"bulwark/kube"
	"bulwark/network"
)

const monitoring = "monitoring.coreos.com"

// scraped adds the flows of Prometheus, which asks for metrics what monitors select and what is
// annotated for it.
func (p *Plan) scraped() {
	by := p.scrapers()
	open := func(to int, ports network.Ports, why string) {
		for _, peer := range by {
			if peer.Kind == Workload {
				if peer.Endpoint != to {
					p.between(peer.Endpoint, to, ports, why)
				}
				continue
			}
			p.flow(Flow{network.Ingress, to, peer, ports, why})
		}
	}
	for _, o := range p.Set.Kind(monitoring, "ServiceMonitor") {
		for _, s := range p.Set.Kind("", "Service") {
			if !watches(o, s.Namespace, s.Labels) {
				continue
			}
			for _, e := range o.Root.Get("spec", "endpoints").Items() {
				for to, ports := range p.directory.Behind(s, firstOf(e.Get("port").Text(), e.Get("targetPort").Text())) {
					open(to, ports, "ServiceMonitor "+o.Name+" scrapes it")
				}
			}
		}
	}
	for _, o := range p.Set.Kind(monitoring, "PodMonitor") {
		for i, e := range p.Engine.Endpoints {
			if !p.holds(i) || !watches(o, e.Namespace, e.Labels) {
				continue
			}
			for _, m := range o.Root.Get("spec", "podMetricsEndpoints").Items() {
				open(i, portOf(e, firstOf(firstOf(m.Get("port").Text(), m.Get("portNumber").Text()), m.Get("targetPort").Text())), "PodMonitor "+o.Name+" scrapes it")
			}
		}
	}
	p.annotated(open)
}

// annotated gives the pods and Services that ask to be scraped.
func (p *Plan) annotated(open func(to int, ports network.Ports, why string)) {
	for i, e := range p.Engine.Endpoints {
		if !p.holds(i) || e.Workload.Meta.Annotations["prometheus.io/scrape"] != "true" {
			continue
		}
		ports := portOf(e, e.Workload.Meta.Annotations["prometheus.io/port"])
		if ports.Empty() {
			for _, c := range e.Workload.Containers {
				for _, one := range c.Ports {
					ports = ports.Union(portOf(e, strconv.Itoa(int(one.ContainerPort))))
				}
			}
		}
		open(i, ports, "it is annotated to be scraped")
	}
	for _, s := range p.Set.Kind("", "Service") {
		if s.Annotations["prometheus.io/scrape"] != "true" {
			continue
		}
		port := s.Annotations["prometheus.io/port"]
		for to, ports := range p.directory.Behind(s, "") {
			if port != "" {
				ports = portOf(p.Engine.Endpoints[to], port)
			}
			open(to, ports, "Service "+s.Name+" is annotated to be scraped")
		}
	}
}

// scrapers are the pods of Prometheus: workloads, what its operator makes, or, when there is
// neither, any pod.
func (p *Plan) scrapers() []Peer {
	var list []Peer
	for i, e := range p.Engine.Endpoints {
		if !p.holds(i) {
			continue
		}
		for _, name := range []string{"prometheus", "prometheus-server"} {
			if c := e.Labels["app.kubernetes.io/component"]; e.Labels["app.kubernetes.io/name"] == name && (c == "" || c == "server" || c == "prometheus") || e.Labels["app"] == name && (e.Labels["component"] == "" || e.Labels["component"] == "server") {
				list = append(list, Peer{Kind: Workload, Endpoint: i})
			}
		}
	}
	for kind, name := range map[string]string{"Prometheus": "prometheus", "PrometheusAgent": "prometheus-agent"} {
		for _, o := range p.Set.Kind(monitoring, kind) {
			list = append(list, Peer{Kind: Selected, Namespace: firstOf(o.Namespace, "default"), Labels: map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/instance": o.Name}})
		}
	}
	if len(list) == 0 {
		list = append(list, Peer{Kind: AnyPod})
	}
	return list
}

// watches tells whether a monitor selects what has labels in a namespace.
func watches(o *kube.Object, namespace string, labels map[string]string) bool {
	spaces := o.Root.Get("spec", "namespaceSelector")
	if !spaces.Get("any").True() {
		names := spaces.Get("matchNames").Strings()
		if len(names) == 0 {
			names = []string{firstOf(o.Namespace, "default")}
		}
		if !slices.Contains(names, namespace) {
			return false
		}
	}
	selector := o.Root.Get("spec", "selector")
	for name, v := range selector.Get("matchLabels").Fields() {
		if labels[name] != v.Text() {
			return false
		}
	}
	for _, x := range selector.Get("matchExpressions").Items() {
		v, ok := labels[x.Get("key").Text()]
		in := slices.Contains(x.Get("values").Strings(), v)
		switch x.Get("operator").Text() {
		case "In":
			ok = ok && in
		case "NotIn":
			ok = !ok || !in
		case "DoesNotExist":
			ok = !ok
		}
		if !ok {
			return false
		}
	}
	return true
}

// portOf is a port of an endpoint by number or name.
func portOf(e *network.Endpoint, word string) network.Ports {
	if n, err := strconv.ParseUint(strings.TrimSpace(word), 10, 16); err == nil && n > 0 {
		return network.PortRange(network.TCP, uint16(n), uint16(n))
	}
	if proto, n, ok := e.Named(word); ok && word != "" {
		return network.PortRange(proto, n, n)
	}
	return network.Ports{}
}
