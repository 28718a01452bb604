package secrets

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// unused looks through all other objects for the Secret's name.
func unused(h *posture.Hits, s *kube.Set) {
	if s.Cluster == nil || s.Cluster.Namespaces != nil || len(s.Cluster.Unseen) > 0 {
		return // what is not seen may use it
	}
	wanted := map[string]bool{}
	for _, o := range s.Kind("", "Secret") {
		if byPeople(o) || typeOf(o) == "kubernetes.io/tls" {
			wanted[o.Name] = false
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, o := range s.Objects {
		if !o.Is("", "Secret") && !o.Is("", "Event") {
			mention(o.Root, wanted, 0)
		}
	}
	for _, o := range s.Kind("", "Secret") {
		if used, ok := wanted[o.Name]; ok && !used && managed(o) == "" && (byPeople(o) || typeOf(o) == "kubernetes.io/tls") && !strings.Contains(o.Name, "sealed-secrets") {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "name"}, Evidence: "no other object names it"})
		}
	}
}

// mention marks the names that stand in a tree: alone, behind a namespace, or in an argument.
func mention(n *kube.Node, wanted map[string]bool, depth int) {
	if depth > 60 {
		return
	}
	if text := n.Text(); text != "" {
		if _, ok := wanted[text]; ok {
			wanted[text] = true
			return
		}
		if i := strings.LastIndexAny(text, "/=:"); i >= 0 {
			if _, ok := wanted[text[i+1:]]; ok {
				wanted[text[i+1:]] = true
			}
		}
		return
	}
	for _, v := range n.Fields() {
		mention(v, wanted, depth+1)
	}
	for _, v := range n.Items() {
		mention(v, wanted, depth+1)
	}
}

const mostNamed = 6 // of a list that is told

// sharedValue tells of each Secret that has a value of another namespace's.
func sharedValue(h *posture.Hits, s *kube.Set) {
	type place struct {
		o   *kube.Object
		key string
	}
	at := map[string][]place{}
	for _, o := range s.Kind("", "Secret") {
		if strings.HasPrefix(typeOf(o), "kubernetes.io/dockerc") || strings.HasPrefix(typeOf(o), "helm.sh/") {
			continue
		}
		v := values(h, o)
		for i := range v.Keys {
			if k := &v.Keys[i]; k.Size >= 8 && k.Hash != "" && !k.Placeholder && len(k.Certificates) == 0 && (k.PrivateKey != nil || named(k.Name) != none) {
				at[k.Hash] = append(at[k.Hash], place{o, k.Name})
			}
		}
	}
	for _, hash := range slices.Sorted(maps.Keys(at)) {
		list := at[hash]
		inNamespace := map[string]int{}
		for _, p := range list {
			inNamespace[p.o.Namespace]++
		}
		for _, p := range list {
			n := len(list) - inNamespace[p.o.Namespace]
			if n == 0 {
				continue
			}
			var others []string
			for _, q := range list {
				if len(others) == mostNamed {
					break
				}
				if q.o.Namespace != p.o.Namespace {
					others = append(others, q.o.ID())
				}
			}
			text := strings.Join(others, ", ")
			if n > len(others) {
				text += fmt.Sprintf(" and %d more", n-len(others))
			}
			h.Add(posture.Hit{Object: p.o, Path: pathOf(p.o, p.key), Evidence: "the key " + p.key + " has the value of " + text})
		}
	}
}
