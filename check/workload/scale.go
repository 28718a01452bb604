package workload

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// scaleRules are about autoscalers, which keep a service up under load.
var scaleRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/scaler-fixed", Severity: low, Hygiene: true, Title: "An autoscaler has nowhere to go",
			Tags: []string{"attack:T1499"}, Fix: "let maxReplicas be above minReplicas",
			Why: "load does not make more pods. Hygiene", Noise: "a scaler that was stopped on purpose", Refs: []string{docsHPA}},
		Kinds: []string{"HorizontalPodAutoscaler.autoscaling"}, Object: func(h *posture.Hits, o *kube.Object) {
			least, ok := o.Root.Get("spec", "minReplicas").Int()
			if !ok {
				least = 1
			}
			if most, ok := o.Root.Get("spec", "maxReplicas").Int(); ok && most <= least {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "maxReplicas"}, Evidence: "minReplicas: " + strconv.FormatInt(least, 10) + ", maxReplicas: " + strconv.FormatInt(most, 10)})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/scaler-target", Severity: low, Hygiene: true, Title: "An autoscaler scales something that is not there",
			Tags: []string{"kubelinter:dangling-horizontalpodautoscaler"}, Fix: "name the workload in scaleTargetRef",
			Why: "nothing is scaled under load. Hygiene", Noise: "the target is in another folder", Refs: []string{docsHPA}},
		Kinds: []string{"HorizontalPodAutoscaler.autoscaling"}, Object: func(h *posture.Hits, o *kube.Object) {
			ref := o.Root.Get("spec", "scaleTargetRef")
			kind := ref.Get("kind").Text()
			group, _, _ := strings.Cut(ref.Get("apiVersion").Text(), "/")
			others := h.Set.Kind(group, kind)
			there := slices.ContainsFunc(others, func(t *kube.Object) bool { return t.Namespace == o.Namespace && t.Name == ref.Get("name").Text() })
			if !ref.Exists() || there || len(others) == 0 && h.Set.Cluster == nil || h.Set.Cluster != nil && len(h.Set.Cluster.Unseen) > 0 {
				return
			}
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "scaleTargetRef"}, Evidence: "there is no " + kind + " " + ref.Get("name").Text() + " in the namespace " + o.Namespace})
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/scaler-without-requests", Severity: low, Hygiene: true, Title: "An autoscaler has nothing to measure by",
			Tags: []string{}, Fix: "set requests of that resource for every container",
			Why: "use is measured in percent of the request: without one, nothing is scaled under load. Hygiene", Noise: "a LimitRange that is not among what was scanned sets requests", Refs: []string{docsHPA}},
		Kinds: []string{"HorizontalPodAutoscaler.autoscaling"}, Object: func(h *posture.Hits, o *kube.Object) {
			w := target(h.Set, o)
			if w == nil {
				return
			}
			for _, r := range measured(o) {
				for c := range lasting(w) {
					if !requested(h.Set, w, c, r) {
						h.Add(posture.Hit{Object: o, Path: []any{"spec", "metrics"}, Evidence: "container " + c.Name + " of " + w.ID() + " requests no " + string(r)})
					}
				}
			}
		},
	},
}

// measured are the resources that an autoscaler goes by in percent of requests.
func measured(o *kube.Object) []corev1.ResourceName {
	var list []corev1.ResourceName
	if o.Root.Get("spec", "targetCPUUtilizationPercentage").Exists() {
		list = append(list, corev1.ResourceCPU)
	}
	for _, m := range o.Root.Get("spec", "metrics").Items() {
		r := m.Get("resource")
		if r.Get("target", "averageUtilization").Exists() || r.Get("targetAverageUtilization").Exists() {
			list = append(list, corev1.ResourceName(r.Get("name").Text()))
		}
	}
	return list
}
