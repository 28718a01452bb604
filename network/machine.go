package network

import (
	"maps"

	"bulwark/kube"
)

// machines are KubeVirt's virtual machines: each runs in a pod, which has the labels of the
// machine. One whose pod is there is that pod.
func (l *lister) machines(s *kube.Set) {
	for _, kind := range []string{"VirtualMachine", "VirtualMachineInstance"} {
		for _, o := range s.Kind("kubevirt.io", kind) {
			if name := o.Namespace + "/" + o.Name; !l.machine[name] {
				l.machine[name] = true
				l.add(machine(o))
			}
		}
	}
}

func machine(o *kube.Object) *Endpoint {
	w := &kube.Workload{Object: o}
	labels := o.Labels
	if o.Kind == "VirtualMachine" {
		w.At = []any{"spec", "template"}
		labels = map[string]string{}
		for k, v := range o.Root.At("spec", "template", "metadata", "labels").Fields() {
			labels[k] = v.Text()
		}
	}
	w.Meta.Labels = map[string]string{"kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": o.Name}
	maps.Copy(w.Meta.Labels, labels)
	return &Endpoint{Namespace: o.Namespace, Name: o.Name, Kind: o.Kind, Labels: w.Meta.Labels, Workload: w}
}
