package workload

import (
	"slices"
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// availableRules are about workloads that go away too easily, or not at all.
var availableRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/no-readiness", Severity: low, Hygiene: true, Title: "A container that serves has no readiness probe",
			Tags: []string{"kubelinter:no-readiness-probe", "kubescape:C-0018"}, Fix: "add a readinessProbe",
			Why: "it gets requests before it can answer. Hygiene", Noise: "containers whose ports are for metrics alone", Refs: []string{docsProbes}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			probe(h, w, "readinessProbe", func(c *kube.Container) bool { return c.ReadinessProbe != nil })
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-liveness", Severity: low, Hygiene: true, Title: "A container that serves has no liveness probe",
			Tags: []string{"kubelinter:no-liveness-probe", "kubescape:C-0056"}, Fix: "add a livenessProbe that fails only when a restart helps",
			Why: "one that hangs is not restarted. Hygiene", Noise: "programs that end when they cannot go on need none", Refs: []string{docsProbes}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			probe(h, w, "livenessProbe", func(c *kube.Container) bool { return c.LivenessProbe != nil })
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/one-replica", Severity: low, Hygiene: true, Title: "A service runs as one pod",
			Tags: []string{"kubelinter:minimum-three-replicas"}, Fix: "run two replicas or more, if the program can",
			Why: "every update of a node stops it. Hygiene", Noise: "programs of which there may be only one", Refs: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if n, ok := replicas(w); ok && n == 1 && w.Kind == "Deployment" && scaler(h.Set, w) == nil && serves(w) {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"spec", "replicas"}, Evidence: "replicas: 1"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-disruption-budget", Severity: low, Hygiene: true, Title: "All pods of a service may be evicted at once",
			Tags: []string{}, Fix: "add a PodDisruptionBudget with maxUnavailable: 1",
			Why: "draining nodes takes every replica at the same time. Hygiene", Noise: "the budget is in another folder; it is told of only where the scan has budgets or a cluster", Refs: []string{docsPDB}},
		Workload: noBudget,
	},
	{
		Rule: misconfig.Rule{ID: "workload/disruption-budget-blocks", Severity: low, Hygiene: true, Title: "A PodDisruptionBudget lets no pod go",
			Tags: []string{"kubelinter:pdb-max-unavailable", "kubelinter:pdb-min-available"}, Fix: "let one pod be unavailable",
			Why: "nodes cannot be drained, and so not be patched. Hygiene: it holds up fixes of others", Noise: "programs that somebody moves by hand", Refs: []string{docsPDB}},
		Kinds: []string{"PodDisruptionBudget.policy"}, Object: budgetBlocks,
	},
	{
		Rule: misconfig.Rule{ID: "workload/disruption-budget-idle", Severity: low, Hygiene: true, Title: "A PodDisruptionBudget is of no pods",
			Tags: []string{}, Fix: "give it the labels of the pods that it is for",
			Why: "the pods that it is meant for may all be evicted at once. Hygiene", Noise: "pods that an operator makes on demand; told of only in a cluster", Refs: []string{docsPDB}},
		Kinds: []string{"PodDisruptionBudget.policy"}, Object: budgetIdle,
	},
	{
		Rule: misconfig.Rule{ID: "workload/update-stops", Severity: low, Hygiene: true, Title: "An update stops all pods of a service first",
			Tags: []string{"kubelinter:no-rolling-update-strategy"}, Fix: "use the strategy RollingUpdate",
			Why: "with Recreate nothing answers until the new pods are ready. Hygiene", Noise: "programs of which two versions may not run at once, as with a volume for one node", Refs: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if n, ok := replicas(w); ok && n > 1 && w.Root.Get("spec", "strategy", "type").Text() == "Recreate" {
				h.Add(posture.Hit{Object: w.Object, Path: []any{"spec", "strategy", "type"}, Evidence: "strategy Recreate of " + strconv.FormatInt(n, 10) + " replicas"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/no-spread", Severity: low, Hygiene: true, Title: "All pods of a service may be on one node",
			Tags: []string{"kubelinter:no-anti-affinity"}, Fix: "add topologySpreadConstraints by kubernetes.io/hostname",
			Why: "the loss of one node is the loss of the service. Hygiene", Noise: "the scheduler spreads pods as far as it can by default", Refs: []string{docsSpread}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if n, ok := replicas(w); !ok || n < 2 || w.Kind == "DaemonSet" || len(w.Spec.TopologySpreadConstraints) > 0 || w.Spec.Affinity != nil && w.Spec.Affinity.PodAntiAffinity != nil {
				return
			}
			h.Add(inPod(w, "neither topologySpreadConstraints nor podAntiAffinity", "topologySpreadConstraints"))
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/high-priority", Severity: low, Title: "Pods have the priority of the system's own",
			Tags: []string{"attack:T1499"}, Fix: "use a PriorityClass of your own, or none",
			Why:   "system-cluster-critical and system-node-critical push any other pod off a node, and are not evicted themselves: what runs away with them starves the node. Low: it stops things, it opens nothing",
			Noise: "node agents and add-ons outside kube-system", Refs: []string{"https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if p := w.Spec.PriorityClassName; (p == "system-cluster-critical" || p == "system-node-critical") && !system(w.Namespace) && agentOf(w) == "" {
				h.Add(inPod(w, "priorityClassName: "+p+" in the namespace "+w.Namespace, "priorityClassName"))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/grace-period", Severity: low, Hygiene: true, Title: "Pods get no time to end, or an hour and more",
			Tags: []string{}, Fix: "give them what they need: 30 seconds by default",
			Why: "0 kills without warning and may lose data; hours hold up updates of nodes. Hygiene", Noise: "databases that hand over for long", Refs: []string{"https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if g := w.Spec.TerminationGracePeriodSeconds; g != nil && (*g == 0 || *g >= 3600) {
				h.Add(inPod(w, "terminationGracePeriodSeconds: "+strconv.FormatInt(*g, 10), "terminationGracePeriodSeconds"))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/job-without-end", Severity: low, Hygiene: true, Title: "A job may run for ever",
			Tags: []string{"attack:T1499"}, Fix: "set activeDeadlineSeconds",
			Why: "a job that hangs holds its resources until somebody looks. Hygiene", Noise: "jobs that take as long as they take", Refs: []string{docsJobs}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			at, ok := jobSpec(w)
			if ok && !w.Root.At(at...).Get("activeDeadlineSeconds").Exists() && w.Spec.ActiveDeadlineSeconds == nil {
				h.Add(posture.Hit{Object: w.Object, Path: append(at, "activeDeadlineSeconds"), Evidence: "no activeDeadlineSeconds"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/cron-overlap", Severity: low, Hygiene: true, Title: "Runs of a CronJob may pile up",
			Tags: []string{"attack:T1499"}, Fix: "set concurrencyPolicy: Forbid",
			Why: "when runs take longer than the time between them, they fill the cluster. Hygiene", Noise: "runs that are made to go side by side", Refs: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"}},
		Kinds: []string{"CronJob.batch"}, Object: func(h *posture.Hits, o *kube.Object) {
			p := o.Root.Get("spec", "concurrencyPolicy").Text()
			if (p == "" || p == "Allow") && !o.Root.Get("spec", "jobTemplate", "spec", "activeDeadlineSeconds").Exists() {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "concurrencyPolicy"}, Evidence: "concurrencyPolicy is Allow, and runs have no deadline",
					Edits: []kube.Edit{kube.Put("Forbid", "spec", "concurrencyPolicy")}})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/many-retries", Severity: low, Hygiene: true, Title: "A job that fails is tried very often",
			Tags: []string{"attack:T1499"}, Fix: "set a backoffLimit of a few",
			Why: "every try is a pod: a job that cannot succeed fills the cluster's records. Hygiene", Noise: "jobs on machines that are taken away often", Refs: []string{docsJobs}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			at, ok := jobSpec(w)
			if n, set := w.Root.At(at...).Get("backoffLimit").Int(); ok && set && n > 20 {
				h.Add(posture.Hit{Object: w.Object, Path: append(at, "backoffLimit"), Evidence: "backoffLimit: " + strconv.FormatInt(n, 10)})
			}
		},
	},
}

// serves tells whether somebody else talks to the pods: a container names a port.
func serves(w *kube.Workload) bool {
	for c := range lasting(w) {
		if len(c.Ports) > 0 {
			return true
		}
	}
	return false
}

func probe(h *posture.Hits, w *kube.Workload, field string, has func(*kube.Container) bool) {
	if _, job := jobSpec(w); job || w.Kind == "Job" {
		return
	}
	for c := range lasting(w) {
		if len(c.Ports) > 0 && !c.Init && !has(c) {
			h.Add(at(w, c, "no "+field, field))
		}
	}
}

// replicas is how many pods a workload is told to run.
func replicas(w *kube.Workload) (int64, bool) {
	switch w.Kind {
	case "Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout", "DeploymentConfig":
	default:
		return 0, false
	}
	n := w.Root.Get("spec", "replicas")
	if !n.Exists() {
		return 1, true
	}
	return n.Int()
}

// fewest is how many pods there are at least, when a scaler takes as many away as it may.
func fewest(s *kube.Set, w *kube.Workload) (int64, bool) {
	o := scaler(s, w)
	if o == nil {
		return replicas(w)
	}
	for _, field := range []string{"minReplicas", "minReplicaCount"} {
		if n, ok := o.Root.Get("spec", field).Int(); ok {
			return n, true
		}
	}
	return 1, true
}

// jobSpec is where the job of a workload stands in it.
func jobSpec(w *kube.Workload) ([]any, bool) {
	switch {
	case w.Is("batch", "Job"):
		return []any{"spec"}, true
	case w.Is("batch", "CronJob"):
		return []any{"spec", "jobTemplate", "spec"}, true
	}
	return nil, false
}

func noBudget(h *posture.Hits, w *kube.Workload) {
	budgets := h.Set.Kind("policy", "PodDisruptionBudget")
	if n, ok := replicas(w); !ok || n < 2 || h.Set.Cluster == nil && len(budgets) == 0 {
		return
	}
	for _, b := range indexOf(h.Set).budgets[w.Namespace] {
		if b.selects(w) {
			return
		}
	}
	h.Add(posture.Hit{Object: w.Object, Path: []any{"spec", "replicas"}, Evidence: "no PodDisruptionBudget selects its pods"})
}

func budgetIdle(h *posture.Hits, o *kube.Object) {
	x := indexOf(h.Set)
	b := x.budgetOf(o)
	if h.Set.Cluster != nil && !slices.ContainsFunc(x.at[o.Namespace], b.selects) {
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "selector"}, Evidence: "no workload of the namespace " + o.Namespace + " has these labels"})
	}
}

func budgetBlocks(h *posture.Hits, o *kube.Object) {
	most, least := o.Root.Get("spec", "maxUnavailable").Text(), o.Root.Get("spec", "minAvailable").Text()
	switch {
	case most == "0" || most == "0%":
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "maxUnavailable"}, Evidence: "maxUnavailable: " + most, Edits: []kube.Edit{kube.Put(1, "spec", "maxUnavailable")}})
	case least == "100%":
		h.Add(posture.Hit{Object: o, Path: []any{"spec", "minAvailable"}, Evidence: "minAvailable: 100%"})
	case least != "" && !strings.HasSuffix(least, "%"):
		n, err := strconv.Atoi(least)
		x := indexOf(h.Set)
		b := x.budgetOf(o)
		for _, w := range x.at[o.Namespace] {
			if err == nil && b.selects(w) {
				if have, ok := fewest(h.Set, w); ok && int64(n) >= have {
					h.Add(posture.Hit{Object: o, Path: []any{"spec", "minAvailable"}, Evidence: "minAvailable: " + least + " of " + w.ID() + ", which has " + strconv.FormatInt(have, 10)})
				}
			}
		}
	}
}
