package workload

import (
	"iter"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// placeRules are about where pods run.
var placeRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/default-namespace", Severity: low, Hygiene: true, Title: "A workload is in the default namespace",
			Tags: []string{"cis:5.6.4", "kubelinter:use-namespace", "kubescape:C-0061"}, Fix: "give it a namespace of its own",
			Why:   "rights, policies and quotas are set by namespace, and default has everybody's things. Hygiene",
			Noise: "a manifest that names none gets that of whoever applies it: told of only where default is named, or in a cluster", Refs: []string{docsNS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Namespace == "default" && (h.Set.Cluster != nil || w.Root.Get("metadata", "namespace").Exists()) {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"metadata", "namespace"}, Evidence: "namespace: default"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/system-namespace", Severity: low, Hygiene: true, Title: "A workload of others is in a namespace of the system",
			Tags: []string{"cis:5.6.1", "attack:T1036.005"}, Fix: "give it a namespace of its own",
			Why:   "kube-system is left out of many policies, and who may change things there may do much more: what hides there is not looked at. Hygiene: add-ons are put there by habit",
			Noise: "the cluster's add-ons, which are known by the names of their images as far as possible", Refs: []string{docsNS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if system(w.Namespace) && agentOf(w) == "" && !addOn(w) {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"metadata", "namespace"}, Evidence: "namespace: " + w.Namespace})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/control-plane-node", Severity: low, Title: "Pods may run on the nodes of the control plane",
			Tags: []string{"attack:T1610"}, Fix: "take the toleration and the node selector out",
			Why:   "who gets out of such a container is where the cluster's keys are. Low: it has to get out first; told of where the pods choose such a node, or tolerate it without being on every node anyway",
			Noise: "controllers and backups of the control plane belong there; a toleration of every taint is told of where an affinity leads there as well", Refs: []string{"https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"}},
		Workload: controlPlane,
	},
	{
		Rule: misconfig.Rule{ID: "workload/node-name", Severity: low, Hygiene: true, Title: "Pods choose their node by its name",
			Tags: []string{"attack:T1610"}, Fix: "use a nodeSelector or affinity",
			Why:   "the scheduler is not asked: taints and free resources do not count, and the pods go down with that node. Hygiene",
			Noise: "in a cluster the scheduler writes it; told of in templates alone", Refs: []string{"https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Spec.NodeName != "" && (h.Set.Cluster == nil || len(w.At) > 0) {
				h.Add(inPod(w, "nodeName: "+w.Spec.NodeName, "nodeName"))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/bare-pod", Severity: low, Hygiene: true, Title: "A pod stands alone",
			Tags: []string{"kubescape:C-0073"}, Fix: "make it a Deployment or Job",
			Why:   "nobody starts it again when its node goes. Hygiene",
			Noise: "pods for tests", Refs: []string{"https://kubernetes.io/docs/concepts/configuration/overview/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Is("", "Pod") && w.Root.Get("metadata", "ownerReferences").Len() == 0 && w.Root.Get("metadata", "annotations", "kubernetes.io/config.mirror").Text() == "" {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"kind"}, Evidence: "it has no owner"})
			}
		},
	},
}

// addOn tells whether the images are those of Kubernetes' own add-ons.
func addOn(w *kube.Workload) bool {
	for c := range lasting(w) {
		i := parseImage(c.Image)
		if i.registry != "registry.k8s.io" && i.registry != "k8s.gcr.io" && !strings.Contains(c.Image, "coredns") && !strings.HasPrefix(i.registry, "gke.") && !strings.Contains(i.registry, ".eks.") && !strings.HasPrefix(i.registry, "mcr.") {
			return false
		}
	}
	return true
}

const (
	taintNew = "node-role.kubernetes.io/control-plane"
	taintOld = "node-role.kubernetes.io/master"
)

func controlPlane(h *posture.Hits, w *kube.Workload) {
	if w.Kind == "DaemonSet" || system(w.Namespace) {
		return // one on every node, or the system's own
	}
	for _, key := range []string{taintNew, taintOld} {
		if _, ok := w.Spec.NodeSelector[key]; ok {
			h.Add(inPod(w, "nodeSelector: "+key, "nodeSelector", key))
		}
	}
	for key, path := range controlPlaneAffinity(w) {
		h.Add(inPod(w, "nodeAffinity: "+key, path...))
	}
	for i, t := range w.Spec.Tolerations {
		if (t.Key == taintNew || t.Key == taintOld) && t.Effect != corev1.TaintEffectPreferNoSchedule {
			hit := inPod(w, "a toleration of "+t.Key, "tolerations", i)
			h.Add(hit)
		}
	}
}

// controlPlaneAffinity gives the terms by which pods want a node of the control plane, with
// their paths in the spec.
func controlPlaneAffinity(w *kube.Workload) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		if w.Spec.Affinity == nil || w.Spec.Affinity.NodeAffinity == nil || w.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
			return
		}
		for i, term := range w.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			for j, e := range term.MatchExpressions {
				wanted := e.Operator == corev1.NodeSelectorOpExists || e.Operator == corev1.NodeSelectorOpIn
				path := []any{"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", i, "matchExpressions", j}
				if wanted && (e.Key == taintNew || e.Key == taintOld) && !yield(e.Key, path) {
					return
				}
			}
		}
	}
}
