package kube

import "strings"

// ItemOf gives an item of a list of one kind (a PodList) with the kind and version that the API
// leaves to the list; one that has them, or is no map, as it is.
func (n *Node) ItemOf(list *Node) *Node {
	kind, ok := strings.CutSuffix(list.Get("kind").Text(), "List")
	if !ok || kind == "" || n.Form() != Map || n.Get("kind").Exists() || n.Get("apiVersion").Exists() {
		return n
	}
	typed, of := *n, scalarNode(String, kind, false)
	of.line = n.line
	typed.mapping(append([]Field{
		{Name: "apiVersion", Line: n.line, Value: list.Get("apiVersion")},
		{Name: "kind", Line: n.line, Value: of},
	}, n.fields()...))
	return &typed
}
