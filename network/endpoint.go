package network

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	text  string // its name, once it is one of an engine
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
	if e.text != "" {
		return e.text
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
	l := lister{seen: map[string]bool{}, machine: map[string]bool{}, telling: sync.OnceValue(func() map[string]bool { return telling(s) })}
	for _, w := range s.Workloads() {
		l.workload(w)
	}
	l.machines(s)
	slices.SortStableFunc(l.list, func(a, b *Endpoint) int {
		return cmp.Compare(a.String(), b.String())
	})
	return append(l.list, &Endpoint{Name: "ingress-controller", Outside: true})
}

// lister collects endpoints, each once.
type lister struct {
	list    []*Endpoint
	seen    map[string]bool
	machine map[string]bool        // virtual machines that are there, by namespace and name
	telling func() map[string]bool // asked when there are labels that change
}

// workload adds the endpoints of a workload: one, unless it has pods whose labels differ.
func (l *lister) workload(w *kube.Workload) {
	e := Endpoint{Namespace: cmp.Or(w.Namespace, "default"), Name: w.Name, Kind: w.Kind, Labels: w.Meta.Labels, Workload: w, Host: w.Spec.HostNetwork, ports: portsOf(w)}
	if w.Kind == "Pod" {
		if e.Name, e.Kind = ownerOf(w); e.Kind == "VirtualMachineInstance" {
			l.machine[e.Namespace+"/"+e.Name] = true
		}
	}
	var last map[string]string
	made := 0
	for _, pod := range w.Pods {
		if phase := pod.Root.Get("status", "phase").Text(); phase == "Succeeded" || phase == "Failed" {
			continue // it has no network any more
		}
		if made > 0 && l.alike(last, pod.Labels) {
			continue
		}
		one := e
		one.Labels, last = pod.Labels, pod.Labels
		l.add(&one)
		if made++; made == maxGenerations {
			break
		}
	}
	if made == 0 {
		l.add(&e)
	}
}

// maxGenerations is how often the labels of a workload's pods may change from one to the next:
// more is no workload but an attack on who looks.
const maxGenerations = 1000

func (l *lister) add(e *Endpoint) {
	if key := e.key(l.telling); !l.seen[key] {
		l.seen[key] = true
		e.text = e.String()
		l.list = append(l.list, e)
	}
}

// alike tells whether two pods of one workload are one endpoint.
func (l *lister) alike(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v && (!changing[k] || l.telling()[k]) {
			return false
		}
	}
	return true
}

// portsOf gives the named ports of a workload's containers: not of those that are gone when
// it runs.
func portsOf(w *kube.Workload) []namedPort {
	var list []namedPort
	for _, c := range w.Containers {
		if c.Init && !c.Sidecar() {
			continue
		}
		for _, p := range c.Ports {
			if proto, ok := protocolOf(string(p.Protocol)); ok && p.Name != "" && 0 < p.ContainerPort && p.ContainerPort <= lastPort {
				list = append(list, namedPort{p.Name, proto, uint16(p.ContainerPort)})
			}
		}
	}
	return list
}

// telling gives the labels among changing that something selects pods by.
func telling(s *kube.Set) map[string]bool {
	found := map[string]bool{}
	var look func(n *kube.Node, depth int)
	look = func(n *kube.Node, depth int) {
		for name, v := range n.Fields() {
			if strings.Contains(name, "-") && changing[name] {
				found[name] = true
			}
			if key := v.Text(); name == "key" && changing[key] {
				found[key] = true
			}
			if depth > 0 {
				look(v, depth-1)
			}
		}
		for _, item := range n.Items() {
			if depth > 0 {
				look(item, depth-1)
			}
		}
	}
	for _, k := range append(slices.Clone(kinds), policyKind{kind: "Service"}) {
		for _, o := range s.Kind(k.group, k.kind) {
			look(o.Root.Get("spec"), 12)
		}
	}
	return found
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
func (e *Endpoint) key(telling func() map[string]bool) string {
	var b strings.Builder
	b.WriteString(e.String())
	if e.Host {
		b.WriteString("\x00host")
	}
	for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
		if !changing[k] || telling()[k] {
			b.WriteString("\x00" + k + "\x01" + e.Labels[k])
		}
	}
	for _, p := range e.ports {
		b.WriteString("\x00" + p.name + "\x02" + p.proto.String() + strconv.Itoa(int(p.port)))
	}
	return b.String()
}
