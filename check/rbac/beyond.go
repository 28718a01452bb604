package rbac

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// beyondRules are about rights that stand elsewhere than in roles and bindings.
var beyondRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "rbac/embedded-admin", Severity: high, Title: "An operator is told to make somebody cluster-admin",
			Tags:  []string{"cis:5.1.1", "attack:T1098.006", "edge:IS_CLUSTER_ADMIN"},
			Fix:   "take the binding out of it, or bind a role with what is used",
			Why:   "the operator makes the binding with its own rights, and again when somebody deletes it; who looks at the bindings of the manifests does not see it",
			Noise: "installations of clusters that begin with an administrator",
			Refs:  []string{docs + "#user-facing-roles", good}},
		Kinds: []string{"Object.kubernetes.crossplane.io", "ClusterPolicy.kyverno.io", "Policy.kyverno.io", "GeneratingPolicy.policies.kyverno.io", "ManifestWork.work.open-cluster-management.io", "ResourceSet.fluxcd.controlplane.io", "Work.work.karmada.io", "Composition.apiextensions.crossplane.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			embedded(o.Root.Get("spec"), []any{"spec"}, 16, func(path []any) {
				h.Add(posture.Hit{Object: o, Path: path, Evidence: "a binding of cluster-admin"})
			})
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/cloud-identity-admin", Severity: medium, Title: "An identity of the cloud is made system:masters",
			Tags:  []string{"cis:5.1.7", "attack:T1098", "attack:T1078.004", "edge:UPDATE_AWS_AUTH"},
			Fix:   "map it to a group that RBAC gives what it needs; access entries of EKS do the same with an end",
			Why:   "no role can take from system:masters what it has, and no binding shows it: whoever may take that identity in the cloud is the cluster's administrator. Medium, as for people who are bound to cluster-admin",
			Noise: "the administrators' own identity",
			Refs:  []string{"https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html"}},
		Kinds: []string{"ConfigMap"}, Object: mappedMasters,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/controller-account", Severity: high, Title: "Pods run as a controller of the control plane",
			Tags:  []string{"cis:5.1.1", "attack:T1078", "attack:T1610", "edge:IDENTITY_ASSUME"},
			Fix:   "give the pods a service account of their own; find out who made them when nobody knows",
			Why:   "the account belongs to a controller that runs inside of the controller manager, never in a pod: it may write roles, secrets or pods everywhere, which is why intruders who may make pods in kube-system take it",
			Noise: "none is known",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Namespace == system && slices.Contains(controllers, w.ServiceAccount()) {
				h.Pod(w, []any{"serviceAccountName"}, "serviceAccountName: "+w.ServiceAccount())
			}
		},
	},
}

// controllers are the service accounts of the controller manager's parts.
var controllers = []string{
	"attachdetach-controller", "bootstrap-signer", "certificate-controller", "clusterrole-aggregation-controller", "cronjob-controller", "daemon-set-controller", "deployment-controller", "disruption-controller",
	"endpoint-controller", "endpointslice-controller", "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector", "horizontal-pod-autoscaler", "job-controller", "legacy-service-account-token-cleaner",
	"namespace-controller", "node-controller", "persistent-volume-binder", "pod-garbage-collector", "pv-protection-controller", "pvc-protection-controller", "replicaset-controller", "replication-controller",
	"resourcequota-controller", "root-ca-cert-publisher", "service-account-controller", "statefulset-controller", "token-cleaner", "ttl-controller",
}

// embedded finds bindings of cluster-admin within another object.
func embedded(n *kube.Node, path []any, depth int, found func([]any)) {
	if depth == 0 || !n.Exists() {
		return
	}
	if ref := n.Get("roleRef"); ref.Get("name").Text() == "cluster-admin" {
		found(append(slices.Clone(path), "roleRef", "name"))
		return
	}
	for name, v := range n.Fields() {
		if name == "kind" && v.Text() == "ClusterRoleBinding" && n.Get("data", "roleRef", "name").Text() == "cluster-admin" {
			found(append(slices.Clone(path), "data", "roleRef", "name"))
			return
		}
		embedded(v, append(path[:len(path):len(path)], name), depth-1, found)
	}
	for i, v := range n.Items() {
		embedded(v, append(path[:len(path):len(path)], i), depth-1, found)
	}
}

// mappedMasters looks at what EKS takes for users.
func mappedMasters(h *posture.Hits, o *kube.Object) {
	if o.Name != "aws-auth" || o.Namespace != system {
		return
	}
	for _, key := range []string{"mapRoles", "mapUsers"} {
		text := o.Root.Get("data", key).Text()
		if !strings.Contains(text, "system:masters") {
			continue
		}
		for _, d := range kube.ParseYAML([]byte(text)) {
			if d.Err != nil {
				continue
			}
			for _, m := range d.Root.Items() {
				if slices.Contains(m.Get("groups").Strings(), "system:masters") {
					who := m.Get("rolearn").Text() + m.Get("userarn").Text()
					h.Add(posture.Hit{Object: o, Path: []any{"data", key}, Evidence: key + ": " + who + " is in system:masters"})
				}
			}
		}
	}
}
