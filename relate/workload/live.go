package workload

import (
	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"

	corev1 "k8s.io/api/core/v1"
)

// injected is a container that pods have besides those of their template: a mesh's, or of
// somebody who looks into one (kubectl debug).
type injected struct {
	kube.Container
	first *kube.Object // the first pod that has it
	pods  []*kube.Object
}

// strangers are such containers of a workload, by name.
func strangers(w *kube.Workload) []*injected {
	var list []*injected
	for _, o := range w.Pods {
		spec := o.Root.Get("spec")
		if spec.Get("containers").Len() == len(w.Spec.Containers) && spec.Get("initContainers").Len() == len(w.Spec.InitContainers) && !spec.Get("ephemeralContainers").Exists() {
			continue
		}
		for _, field := range []string{"initContainers", "containers", "ephemeralContainers"} {
			for i, c := range spec.Get(field).Items() {
				list = meet(list, w, o, field, i, c.Get("name").Text())
			}
		}
	}
	return list
}

const mostStrangers = 32 // of one workload

func meet(list []*injected, w *kube.Workload, o *kube.Object, field string, i int, called string) []*injected {
	for j := range w.Containers {
		if w.Containers[j].Name == called {
			return list
		}
	}
	for _, one := range list {
		if one.Name == called {
			one.pods = append(one.pods, o)
			return list
		}
	}
	if c := containerOf(kube.As[corev1.Pod](o), field, i); c.Container != nil && len(list) < mostStrangers {
		list = append(list, &injected{c, o, []*kube.Object{o}})
	}
	return list
}

func containerOf(p *corev1.Pod, field string, i int) kube.Container {
	switch {
	case field == "initContainers" && i < len(p.Spec.InitContainers):
		return kube.Container{Container: &p.Spec.InitContainers[i], Init: true}
	case field == "containers" && i < len(p.Spec.Containers):
		return kube.Container{Container: &p.Spec.Containers[i]}
	case field == "ephemeralContainers" && i < len(p.Spec.EphemeralContainers):
		c := corev1.Container(p.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		return kube.Container{Container: &c, Ephemeral: true}
	}
	return kube.Container{}
}

// live relates these as containers of the workload that are on the nodes of their own pods.
// What findings say is of the template, so that none of them is a reason.
func (w *world) live(of *kube.Workload) {
	for _, one := range strangers(of) {
		as := *of
		as.Spec, as.Pods, as.Containers = kube.As[corev1.Pod](one.first).Spec, one.pods, []kube.Container{one.Container}
		p := &pods{Workload: &as, world: w, id: one.first.ID(), parts: map[string]*parts{}, stranger: true}
		p.vertex, p.network = name.Workload(of), name.Network(of)
		p.land()
		c := &as.Containers[0]
		at := name.Container(of, c)
		p.to.Relation(bulwark.Relation{From: p.vertex, To: at, Type: "CONTAINER_ATTACH", Text: "is in the pod " + one.first.Name})
		p.to.Relation(bulwark.Relation{From: at, To: p.network, Type: "POD_NETWORK", Text: "sends as the pod"})
		p.identity(c, at)
		p.holds(c, at)
		p.escapes(c, at)
		p.runs(c, at)
	}
}
