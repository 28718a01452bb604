package rights

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// known gives those of a kind in a namespace that have names: pods, accounts, secrets, kinds of
// workloads, and "pods on nodes" by the names of these. The table is made when it is asked for
// first: few rules name objects.
func (m *members) known(kind, namespace string) *called {
	if m.named == nil {
		m.named = map[string]map[string]*called{}
		for _, w := range m.set.Workloads() {
			m.nameWorkload(w)
		}
		for _, s := range m.spaces {
			for o := range s.owned {
				switch o.kind {
				case "accounts":
					m.call(o.kind, s.name, o.name, name.Account(s.name, o.name))
				case "secrets":
					m.call(o.kind, s.name, o.name, name.Secret(s.name, o.name))
				}
			}
		}
		for _, spaces := range m.named {
			for _, c := range spaces {
				c.names = slices.Sorted(maps.Keys(c.of))
			}
		}
	}
	return m.named[kind][namespace]
}

func (m *members) nameWorkload(w *kube.Workload) {
	one := name.Workload(w)
	if kind := plural(nil, w.Kind); w.Kind != "Pod" {
		m.call(kind, w.Namespace, w.Name, one)
	} else {
		m.call("pods", w.Namespace, w.Name, one)
	}
	if w.Spec.NodeName != "" {
		m.call(podsOnNodes, "", w.Spec.NodeName, one)
	}
	for _, p := range w.Pods {
		m.call("pods", p.Namespace, p.Name, one)
		if node := p.Root.Get("spec", "nodeName").Text(); node != "" {
			m.call(podsOnNodes, "", node, one)
		}
	}
}

const podsOnNodes = "pods on nodes"

func (m *members) call(kind, namespace, named string, one bulwark.VertexID) {
	if m.named[kind] == nil {
		m.named[kind] = map[string]*called{}
	}
	for _, ns := range []string{namespace, ""} {
		c := m.named[kind][ns]
		if c == nil {
			c = &called{of: map[string][]bulwark.VertexID{}}
			m.named[kind][ns] = c
		}
		if list := c.of[named]; len(list) == 0 || list[len(list)-1] != one {
			c.of[named] = append(list, one)
		}
		if namespace == "" {
			return
		}
	}
}

// find gives those that are there of some names, by whichever are fewer: names or objects.
// Sets are found by the names of their pods.
func (m *members) find(kind, namespace string, n *names) []bulwark.VertexID {
	list := m.among(kind, namespace, n, false)
	if kind == "pods" && len(n.sets) > 0 {
		list = append(list, m.among("statefulsets", namespace, n, true)...)
	}
	return unique(list)
}

func (m *members) among(kind, namespace string, n *names, set bool) []bulwark.VertexID {
	c := m.known(kind, namespace)
	if c == nil {
		return nil
	}
	var list []bulwark.VertexID
	if !set && len(n.list) < len(c.names) {
		for _, one := range n.list {
			list = append(list, c.of[one]...)
		}
		return list
	}
	for _, one := range c.names {
		if set && n.sets[one] || !set && n.has[one] {
			list = append(list, c.of[one]...)
		}
	}
	return list
}

// unique leaves out what is there already.
func unique[T comparable](list []T) []T {
	if len(list) < 2 {
		return list
	}
	seen := make(map[T]bool, len(list))
	return slices.DeleteFunc(slices.Clone(list), func(one T) bool {
		was := seen[one]
		seen[one] = true
		return was
	})
}

// spaceOf is the namespace of a workload's vertex.
func spaceOf(v bulwark.VertexID) string {
	_, id, _ := strings.Cut(string(v), ":")
	ns, _, _ := strings.Cut(id, "/")
	return ns
}
