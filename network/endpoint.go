package network

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"bulwark/kube"
)

// Endpoint is pods that no policy can tell apart: those of one workload with the same
// labels and ports.
type Endpoint struct {
	Namespace, Name, Kind string
	Labels                map[string]string
	// Workload is what runs the pods; nil for what stands for something outside.
	Workload *kube.Workload
	// Host tells that the pods use the network of their node. Most network plugins hold no
	// policy for them.
	Host bool
	// Outside tells that the endpoint stands for something that the objects do not show: an
	// ingress controller.
	Outside bool

	ports []namedPort
}

// namedPort is a port that a container gives a name.
type namedPort struct {
	name  string
	proto Protocol
	port  uint16
}

// String is the endpoint as answers name it: "shop/cart[Deployment]", "{ingress-controller}".
func (e *Endpoint) String() string {
	if e.Outside {
		return "{" + e.Name + "}"
	}
	return e.Namespace + "/" + e.Name + "[" + e.Kind + "]"
}

// Named resolves a named port of the endpoint.
func (e *Endpoint) Named(name string) (proto Protocol, port uint16, ok bool) {
	for _, p := range e.ports {
		if p.name == name {
			return p.proto, p.port, true
		}
	}
	return 0, 0, false
}

// endpoints gives those of the workloads, by name, and last the ingress controller.
func endpoints(s *kube.Set) []*Endpoint {
	seen := map[string]bool{}
	var list []*Endpoint
	for _, w := range s.Workloads() {
		e := &Endpoint{Namespace: w.Namespace, Name: w.Name, Kind: w.Kind, Labels: w.Meta.Labels, Workload: w, Host: w.Spec.HostNetwork}
		if w.Namespace == "" {
			e.Namespace = "default"
		}
		if w.Kind == "Pod" {
			e.Name, e.Kind = ownerOf(w)
		}
		for _, c := range w.Containers {
			for _, p := range c.Ports {
				if proto, ok := protocolOf(string(p.Protocol)); ok && p.Name != "" && 0 < p.ContainerPort && p.ContainerPort <= lastPort {
					e.ports = append(e.ports, namedPort{p.Name, proto, uint16(p.ContainerPort)})
				}
			}
		}
		if key := e.key(); !seen[key] {
			seen[key] = true
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b *Endpoint) int { return cmp.Compare(a.String(), b.String()) })
	return append(list, &Endpoint{Name: "ingress-controller", Outside: true})
}

// ownerOf is what a pod is called by: the controller that its metadata names, there or not.
func ownerOf(w *kube.Workload) (name, kind string) {
	for _, ref := range w.Root.Get("metadata", "ownerReferences").Items() {
		if ref.Get("controller").True() && ref.Get("kind").Text() != "Node" && ref.Get("name").Text() != "" {
			return ref.Get("name").Text(), cmp.Or(ref.Get("kind").Text(), "Pod")
		}
	}
	return w.Name, w.Kind
}

// changing are labels that controllers give pods, other ones to each generation or pod.
var changing = map[string]bool{"pod-template-hash": true, "controller-revision-hash": true, "pod-template-generation": true,
	"statefulset.kubernetes.io/pod-name": true, "apps.kubernetes.io/pod-index": true, "batch.kubernetes.io/controller-uid": true, "controller-uid": true}

// key is equal for pods that are one endpoint.
func (e *Endpoint) key() string {
	var b strings.Builder
	b.WriteString(e.String())
	if e.Host {
		b.WriteString("\x00host")
	}
	for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
		if !changing[k] {
			b.WriteString("\x00" + k + "\x01" + e.Labels[k])
		}
	}
	for _, p := range e.ports {
		b.WriteString("\x00" + p.name + "\x02" + p.proto.String() + string(rune(p.port)))
	}
	return b.String()
}
