package cluster

import "bulwark/kube"

// defines gives the resource that a definition of a custom resource defines, when its objects
// have a pod template by their schema.
func defines(n *kube.Node) (full string, ok bool) {
	spec := n.Get("spec")
	for _, v := range spec.Get("versions").Items() {
		if v.Get("served").True() && hasTemplate(v.Get("schema", "openAPIV3Schema", "properties", "spec"), 0) {
			return resourceName(spec.Get("group").Text(), spec.Get("names", "plural").Text()), true
		}
	}
	return "", false
}

const deepestSchema = 30

// hasTemplate tells whether a schema has somewhere a "spec" with a list of containers.
func hasTemplate(schema *kube.Node, depth int) bool {
	if depth > deepestSchema || schema.Form() != kube.Map {
		return false
	}
	if schema.Get("properties", "spec", "properties", "containers", "type").Text() == "array" {
		return true
	}
	for _, p := range schema.Get("properties").Fields() {
		if hasTemplate(p, depth+1) {
			return true
		}
	}
	return hasTemplate(schema.Get("items"), depth+1) || hasTemplate(schema.Get("additionalProperties"), depth+1)
}
