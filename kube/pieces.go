package kube

import (
	corev1 "k8s.io/api/core/v1"
)

// maxPieces is how many containers one object of pieces may have.
const maxPieces = 512

// pieces gives the workload that an object is whose spec has what is the pods' and, apart
// from it, the containers of several pods: Argo's workflows and Tekton's tasks. nil for others.
func (o *Object) pieces() *Workload {
	var places [][]any
	spec := o.Root.Get("spec")
	switch o.Group() + "/" + o.Kind {
	case "argoproj.io/Workflow", "argoproj.io/WorkflowTemplate", "argoproj.io/ClusterWorkflowTemplate":
		for i, t := range spec.Get("templates").Items() {
			places = append(places, within(t, []any{"templates", i}, []string{"container", "script"}, []string{"initContainers", "sidecars"})...)
			places = append(places, within(t.Get("containerSet"), []any{"templates", i, "containerSet"}, nil, []string{"containers"})...)
		}
	case "tekton.dev/Task", "tekton.dev/ClusterTask":
		places = within(spec, nil, nil, []string{"steps", "sidecars"})
	default:
		return nil
	}
	if len(places) == 0 || len(places) > maxPieces {
		return nil
	}
	return o.joined(spec, places)
}

// within gives the places of single containers and of lists of them in a node.
func within(n *Node, at []any, single, lists []string) [][]any {
	var places [][]any
	step := func(more ...any) []any { return append(append([]any(nil), at...), more...) }
	for _, name := range single {
		if n.Get(name).Form() == Map {
			places = append(places, step(name))
		}
	}
	for _, name := range lists {
		for i := range n.Get(name).Items() {
			places = append(places, step(name, i))
		}
	}
	return places
}

// joined makes one workload of the containers at those places of a spec.
func (o *Object) joined(spec *Node, places [][]any) *Workload {
	w := &Workload{Object: o}
	spec.Decode(&w.Spec, "spec") // what is not the pods' does not fit, and is left
	spec.Get("podMetadata").Decode(&w.Meta, "")
	w.Spec.InitContainers, w.Spec.EphemeralContainers = nil, nil
	w.Spec.Containers = make([]corev1.Container, len(places))
	for i, at := range places {
		n, c := spec.At(at...), &w.Spec.Containers[i]
		n.Decode(c, "")
		for _, script := range []string{"source", "script"} {
			if text := n.Get(script).Text(); text != "" {
				c.Args = append(c.Args, text)
			}
		}
		if c.Name == "" {
			c.Name = spec.At(at[:2]...).Get("name").Text()
		}
		n.Get("computeResources").Decode(&c.Resources, "")
		inherit(c, spec.At(at[:2]...).Get("securityContext"))
		inherit(c, spec.Get("stepTemplate", "securityContext"))
		w.Containers = append(w.Containers, Container{Container: c, at: at})
	}
	for _, t := range spec.Get("templates").Items() {
		var own corev1.PodSpec
		t.Get("volumes").Decode(&own.Volumes, "")
		w.Spec.Volumes = append(w.Spec.Volumes, own.Volumes...)
	}
	return w
}

// inherit gives a container what is said for all of its pod's, where it says nothing itself.
func inherit(c *corev1.Container, from *Node) {
	if !from.Exists() || c.SecurityContext != nil && from.Len() == 0 {
		return
	}
	var all corev1.SecurityContext
	from.Decode(&all, "")
	if c.SecurityContext == nil {
		c.SecurityContext = &all
		return
	}
	own := c.SecurityContext
	if own.RunAsUser == nil {
		own.RunAsUser = all.RunAsUser
	}
	if own.RunAsNonRoot == nil {
		own.RunAsNonRoot = all.RunAsNonRoot
	}
	if own.SeccompProfile == nil {
		own.SeccompProfile = all.SeccompProfile
	}
}
