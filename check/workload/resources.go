package workload

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// resourceRules are about what containers may use up.
var resourceRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/no-memory-limit", Severity: low, Hygiene: true, Title: "A container may use all memory of the node",
			Tags: []string{"cis-docker:5.11", "attack:T1499", "kubelinter:unset-memory-requirements", "kubescape:C-0271"}, Fix: "set resources.limits.memory",
			Why:   "one leak, or one request that somebody shapes for it, and the node's other pods are killed with it. Hygiene: it stops things and opens nothing, and almost no manifest has it that nobody tuned",
			Noise: "a LimitRange that is not among what was scanned sets one", Refs: []string{docsLimits}},
		Workload: func(h *posture.Hits, w *kube.Workload) { unset(h, w, corev1.ResourceMemory, true) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-cpu-limit", Severity: low, Hygiene: true, Title: "A container may use all processors of the node",
			Tags: []string{"cis-docker:5.12", "attack:T1499", "kubelinter:unset-cpu-requirements", "kubescape:C-0270"}, Fix: "set resources.limits.cpu, or at least a request",
			Why:   "it takes what the others did not request. Hygiene: with requests set, nobody gets less than was asked for, and many leave the limit out on purpose",
			Noise: "clusters that guard latency set requests alone", Refs: []string{docsLimits}},
		Workload: func(h *posture.Hits, w *kube.Workload) { unset(h, w, corev1.ResourceCPU, true) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-memory-request", Severity: low, Hygiene: true, Title: "A container asks for no memory",
			Tags: []string{"kubelinter:unset-memory-requirements", "kubescape:C-0269"}, Fix: "set resources.requests.memory to what it needs",
			Why:   "the scheduler packs nodes as if it needed none, and it is the first to go when memory is short. Hygiene",
			Noise: "a LimitRange that is not among what was scanned sets one", Refs: []string{docsLimits}},
		Workload: func(h *posture.Hits, w *kube.Workload) { unset(h, w, corev1.ResourceMemory, false) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-cpu-request", Severity: low, Hygiene: true, Title: "A container asks for no processor time",
			Tags: []string{"kubelinter:unset-cpu-requirements", "kubescape:C-0268"}, Fix: "set resources.requests.cpu to what it needs",
			Why:   "under load it gets what is left. Hygiene",
			Noise: "a LimitRange that is not among what was scanned sets one", Refs: []string{docsLimits}},
		Workload: func(h *posture.Hits, w *kube.Workload) { unset(h, w, corev1.ResourceCPU, false) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-ephemeral-storage-limit", Severity: low, Hygiene: true, Title: "A container may fill the node's disk",
			Tags: []string{"attack:T1499"}, Fix: "set resources.limits.ephemeral-storage",
			Why:   "logs, its own file system and emptyDir volumes are on the node's disk; when that is full, the node evicts pods. Hygiene: it takes long, and the kubelet evicts the greatest user first",
			Noise: "containers that write nothing", Refs: []string{"https://kubernetes.io/docs/concepts/storage/ephemeral-storage/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) { unset(h, w, corev1.ResourceEphemeralStorage, true) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/overcommitted", Severity: low, Hygiene: true, Title: "A container may use far more memory than it asks for",
			Tags: []string{"attack:T1499"}, Fix: "bring resources.requests.memory near the limit",
			Why:   "the node is packed by requests: several such pods that use what they may bring it down. Hygiene",
			Noise: "programs with rare peaks", Refs: []string{docsLimits}},
		Workload: overcommitted,
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-limit-range", Severity: low, Hygiene: true, Title: "A namespace sets no limits for those who forget them",
			Tags: []string{"attack:T1499"}, Fix: "add a LimitRange with defaults for memory and processors",
			Why:   "a pod without limits gets none. Hygiene: what is missing on a workload has a finding there",
			Noise: "a policy engine that sets limits", Refs: []string{"https://kubernetes.io/docs/concepts/policy/limit-range/"}},
		Set: func(h *posture.Hits, s *kube.Set) { without(h, s, "LimitRange") },
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-quota", Severity: low, Hygiene: true, Title: "A namespace may use all of the cluster",
			Tags: []string{"attack:T1499"}, Fix: "add a ResourceQuota",
			Why:   "who may create pods there, or scale them, takes the cluster from all others. Hygiene: it needs such a right",
			Noise: "clusters of one team", Refs: []string{"https://kubernetes.io/docs/concepts/policy/resource-quotas/"}},
		Set: func(h *posture.Hits, s *kube.Set) { without(h, s, "ResourceQuota") },
	},
}

// unset tells of containers that neither limit nor, where that is asked for, request a
// resource. Those that end before the pod does its work are left out.
func unset(h *posture.Hits, w *kube.Workload, r corev1.ResourceName, limit bool) {
	for c := range lasting(w) {
		field := "requests"
		if limit {
			field = "limits"
		}
		if limit && !limited(h.Set, w, c, r) || !limit && !requested(h.Set, w, c, r) {
			h.Add(at(w, c, "no resources."+field+"."+string(r), "resources", field, string(r)))
		}
	}
}

// limited tells whether a container has a limit of a resource: of its own, of the pod's, or
// of the namespace's defaults.
func limited(s *kube.Set, w *kube.Workload, c *kube.Container, r corev1.ResourceName) bool {
	if _, ok := c.Resources.Limits[r]; ok {
		return true
	}
	if w.Spec.Resources != nil {
		if _, ok := w.Spec.Resources.Limits[r]; ok {
			return true
		}
	}
	return defaulted(s, w.Namespace, "default", r)
}

// requested tells whether it asks for one. A limit is a request where there is none.
func requested(s *kube.Set, w *kube.Workload, c *kube.Container, r corev1.ResourceName) bool {
	if _, ok := c.Resources.Requests[r]; ok {
		return true
	}
	if w.Spec.Resources != nil {
		if _, ok := w.Spec.Resources.Requests[r]; ok {
			return true
		}
	}
	return defaulted(s, w.Namespace, "defaultRequest", r) || limited(s, w, c, r)
}

// defaulted tells whether a LimitRange of the namespace sets a resource for containers.
func defaulted(s *kube.Set, namespace, field string, r corev1.ResourceName) bool {
	for _, o := range indexOf(s).ranges[namespace] {
		for _, l := range o.Root.Get("spec", "limits").Items() {
			if l.Get("type").Text() == "Container" && (l.Get(field, string(r)).Exists() || l.Get("max", string(r)).Exists()) {
				return true
			}
		}
	}
	return false
}

const mostOvercommit = 10 // times the request

func overcommitted(h *posture.Hits, w *kube.Workload) {
	for c := range lasting(w) {
		limit, ask := c.Resources.Limits[corev1.ResourceMemory], c.Resources.Requests[corev1.ResourceMemory]
		if ask.Value() > 0 && limit.Value()/mostOvercommit >= ask.Value() && limit.Value() >= 512<<20 {
			h.Add(at(w, c, fmt.Sprintf("memory: limit %s, request %s", limit.String(), ask.String()), "resources", "requests", "memory"))
		}
	}
}

// without tells of namespaces with workloads that have no object of a kind.
func without(h *posture.Hits, s *kube.Set, kind string) {
	has, runs := map[string]bool{}, map[string]bool{}
	for _, o := range s.Kind("", kind) {
		has[o.Namespace] = true
	}
	for _, w := range s.Workloads() {
		runs[w.Namespace] = true
	}
	for _, ns := range s.Kind("", "Namespace") {
		if !has[ns.Name] && runs[ns.Name] && !system(ns.Name) {
			h.Add(posture.Hit{Object: ns, Path: []any{"metadata", "name"}, Evidence: "no " + kind})
		}
	}
}

// system tells whether a namespace is Kubernetes' own.
func system(namespace string) bool {
	return strings.HasPrefix(namespace, "kube-")
}
