package kube

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workload is something that runs pods: a Pod, a Deployment, or any object that has a pod
// template somewhere (Argo's Rollout, Knative's Service).
type Workload struct {
	*Object // the topmost owner that there is
	// At is where the pod template stands in the object: empty for a Pod, {"spec",
	// "template"} for most. An object may have several.
	At []any
	// Meta and Spec are the pods'.
	Meta metav1.ObjectMeta
	Spec corev1.PodSpec
	// Containers are all of them, in the order in which they were written: init, then regular,
	// then ephemeral ones.
	Containers []Container
	// Misfits are fields of the pod template that do not fit its type.
	Misfits []Problem
	// Pods are those of a cluster that belong to the workload.
	Pods []*Object
}

// Container is one container of a workload.
type Container struct {
	*corev1.Container
	Init      bool
	Ephemeral bool
	at        []any // in the pod's spec
}

// Sidecar tells whether an init container keeps running beside the others.
func (c *Container) Sidecar() bool {
	return c.Init && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// Path is where a field of the pod's spec stands in the object.
func (w *Workload) Path(path ...any) []any {
	return slices.Concat(w.At, []any{"spec"}, path)
}

// ContainerPath is where a field of a container stands in the object.
func (w *Workload) ContainerPath(c *Container, path ...any) []any {
	return slices.Concat(w.At, []any{"spec"}, c.at, path)
}

// Windows tells whether the pods say that they run on Windows.
func (w *Workload) Windows() bool {
	return w.Spec.OS != nil && w.Spec.OS.Name == corev1.Windows || w.Spec.NodeSelector["kubernetes.io/os"] == "windows"
}

// ServiceAccount is the name of the service account that the pods run as.
func (w *Workload) ServiceAccount() string {
	if w.Spec.ServiceAccountName != "" {
		return w.Spec.ServiceAccountName
	}
	if w.Spec.DeprecatedServiceAccount != "" {
		return w.Spec.DeprecatedServiceAccount
	}
	return "default"
}

// maxTemplateDepth is how deep in an object a pod template may stand.
const maxTemplateDepth = 12

// workloads finds pod templates by their shape.
func workloads(objects []*Object) []*Workload {
	var list []*Workload
	byUID := map[string]*Object{}
	for _, o := range objects {
		if uid := o.Root.Get("metadata", "uid").Text(); uid != "" {
			byUID[uid] = o
		}
	}
	tops := map[*Object][]*Workload{}
	var owned []*Object
	for _, o := range objects {
		if top := owner(o, byUID); top != o {
			owned = append(owned, o)
			continue
		}
		found := o.templates()
		tops[o] = found
		list = append(list, found...)
	}
	for _, o := range owned {
		top := owner(o, byUID)
		if ws := tops[top]; len(ws) > 0 {
			if o.Kind == "Pod" {
				ws[0].Pods = append(ws[0].Pods, o)
			}
			continue
		}
		// The owner is no workload that we know of (a Node of a static pod, an operator's
		// resource without a template): the object stands for itself.
		found := o.templates()
		tops[o] = found
		list = append(list, found...)
	}
	return list
}

// owner is the topmost object that owns o and is there; o itself when there is none.
// What owns itself, by way of others too, stands for itself.
func owner(o *Object, byUID map[string]*Object) *Object {
	top := o
	for range 8 {
		next := top
		for _, ref := range top.Root.Get("metadata", "ownerReferences").Items() {
			up := byUID[ref.Get("uid").Text()]
			switch {
			case up == nil || up.Kind == "Node" || !ref.Get("controller").True():
			case up == o:
				return o
			default:
				next = up
			}
		}
		if next == top {
			return top
		}
		top = next
	}
	return o
}

// templates gives the workloads that an object is.
func (o *Object) templates() []*Workload {
	var list []*Workload
	if o.Kind == "Pod" && o.Group() == "" {
		return append(list, newWorkload(o, nil))
	}
	if notRunning[o.Kind] && core(o.Group()) || strings.HasSuffix(o.Group(), "kyverno.io") || strings.HasSuffix(o.Group(), "gatekeeper.sh") {
		return nil // of policies, the latter: they have patterns of pods
	}
	if w := o.pieces(); w != nil {
		return append(list, w)
	}
	if c := o.Root.Get("spec", "containers").Item(0); !core(o.Group()) && c.Get("image").Form() == String {
		return append(list, newWorkload(o, nil)) // its spec is the pods'
	}
	var walk func(n *Node, at []any, depth int)
	walk = func(n *Node, at []any, depth int) {
		if n == nil || depth > maxTemplateDepth || len(list) >= 32 {
			return
		}
		if isTemplate(n) {
			list = append(list, newWorkload(o, slices.Clone(at)))
			return
		}
		fields := n.fields()
		for i := range fields {
			f := &fields[i]
			if f.Value.Form() == Map || f.Value.Form() == List {
				walk(f.Value, append(at, f.Name), depth+1)
			}
		}
		for i, item := range n.items() {
			if item.Form() == Map {
				walk(item, append(at, i), depth+1)
			}
		}
	}
	walk(o.Root.Get("spec"), []any{"spec"}, 0)
	if t := o.Root.Get("template"); o.Is("", "PodTemplate") && isTemplate(t) {
		list = append(list, newWorkload(o, []any{"template"}))
	}
	return list
}

// notRunning are kinds of Kubernetes' own that hold no pod template, however they look.
var notRunning = map[string]bool{"CustomResourceDefinition": true, "ConfigMap": true, "Secret": true, "NetworkPolicy": true, "Service": true, "Ingress": true}

// isTemplate tells whether a node has a pod's spec: containers, each with a name or image;
// or none yet, but a setting that only pods have.
func isTemplate(n *Node) bool {
	containers := n.Get("spec", "containers")
	if !containers.Exists() {
		spec := n.Get("spec")
		return spec.Get("hostPID").True() || spec.Get("hostIPC").True() || spec.Get("hostNetwork").True()
	}
	if containers.Form() != List || containers.Len() == 0 {
		return false
	}
	first := containers.Item(0)
	return first.Form() == Map && (first.Get("image").Exists() || first.Get("name").Exists())
}

func newWorkload(o *Object, at []any) *Workload {
	w := &Workload{Object: o, At: at}
	n := o.Root.At(at...)
	var template struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Spec     corev1.PodSpec    `json:"spec"`
	}
	if len(at) == 0 {
		w.Misfits = append(n.Get("metadata").Decode(&template.Metadata, "metadata"), n.Get("spec").Decode(&template.Spec, "spec")...)
	} else {
		w.Misfits = n.Decode(&template, PathText(at...))
	}
	w.Meta, w.Spec = template.Metadata, template.Spec
	for i := range w.Spec.InitContainers {
		w.Containers = append(w.Containers, Container{Container: &w.Spec.InitContainers[i], Init: true, at: []any{"initContainers", i}})
	}
	for i := range w.Spec.Containers {
		w.Containers = append(w.Containers, Container{Container: &w.Spec.Containers[i], at: []any{"containers", i}})
	}
	for i := range w.Spec.EphemeralContainers {
		c := corev1.Container(w.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		w.Containers = append(w.Containers, Container{Container: &c, Ephemeral: true, at: []any{"ephemeralContainers", i}})
	}
	return w
}

// PathText writes a path as people do: "spec.containers[0].image".
func PathText(path ...any) string {
	var b []byte
	for _, step := range path {
		switch s := step.(type) {
		case string:
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = append(b, s...)
		case int:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s), 10)
			b = append(b, ']')
		default:
			b = fmt.Append(b, s)
		}
	}
	return string(b)
}
