package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// waitingPath finds dangerous folders of the node that pods have and no container mounts.
var waitingPath = &posture.Rule{
	Rule: misconfig.Rule{ID: "workload/hostpath-unused", Severity: low, Title: "A folder of the node waits to be mounted",
		Tags:  []string{"cis:5.2.11", "pss:hostPathVolumes", "attack:T1611"},
		Fix:   "take the volume out",
		Why:   "no container mounts it now; a debugging container that somebody adds to the running pod may, and for that the right to patch pods/ephemeralcontainers is enough. Low: that right is needed first",
		Noise: "none is known: it is of no use",
		Refs:  []string{docsVolumes, "https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/"}},
	Workload: func(h *posture.Hits, w *kube.Workload) {
		for i, v := range slices.Backward(w.Spec.Volumes) {
			if v.HostPath != nil && placeOf(clean(v.HostPath.Path)) >= 0 && !harmlessPath(clean(v.HostPath.Path)) && !mounts(w, v.Name) {
				h.Pod(w, []any{"volumes", i}, "volume "+v.Name+" is the node's "+clean(v.HostPath.Path)+", and no container mounts it", kube.Drop(w.Path("volumes", i)...))
			}
		}
	},
}

func mounts(w *kube.Workload, volume string) bool {
	return slices.ContainsFunc(w.Containers, func(c kube.Container) bool {
		return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume }) ||
			slices.ContainsFunc(c.VolumeDevices, func(d corev1.VolumeDevice) bool { return d.Name == volume })
	})
}
