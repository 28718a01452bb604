package secrets

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// mighty are controllers of the control plane whose accounts lead to every right.
var mighty = []string{
	"clusterrole-aggregation-controller", "daemon-set-controller", "deployment-controller", "replicaset-controller", "statefulset-controller", "job-controller", "cronjob-controller", "replication-controller",
	"namespace-controller", "generic-garbage-collector", "resourcequota-controller", "horizontal-pod-autoscaler", "persistent-volume-binder", "expand-controller",
}

var tokenRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "secrets/legacy-token", Severity: medium, Title: "A service account has a token that never expires",
			Tags:  []string{"sec:SEC23", "attack:T1528", "attack:T1552.007"},
			Fix:   "delete the Secret, and ask for tokens that expire (kubectl create token, a projected volume)",
			Why:   "whoever reads the Secret once is the service account for ever, from anywhere that reaches the API server; no pod needs it since Kubernetes 1.24. High for the control plane's own controllers, which no pod is to be",
			Noise: "systems outside that know no other way to sign in",
			Refs:  []string{"https://kubernetes.io/docs/concepts/configuration/secret/#service-account-token-secrets"}},
		Kinds: []string{"Secret"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if typeOf(o) == "kubernetes.io/service-account-token" {
				hit := posture.Hit{Object: o, Path: []any{"type"}, Evidence: "a token for the service account " + o.Annotations["kubernetes.io/service-account.name"]}
				if o.Namespace == "kube-system" && slices.Contains(mighty, o.Annotations["kubernetes.io/service-account.name"]) {
					hit.Severity = high
					hit.Evidence += ", which is the control plane's own"
				}
				h.Add(hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "secrets/default-account-pull-secret", Severity: low, Title: "Every pod of the namespace pulls with the same password",
			Tags:  []string{"sec:SEC25"},
			Fix:   "give the pull secret to the service accounts of the pods that need it",
			Why:   "the default service account hands it to any pod that names no other: whoever may create a pod pulls every private image that the password opens. Low, since reading images is seldom the end of it",
			Noise: "namespaces with one application",
			Refs:  []string{"https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#add-imagepullsecrets-to-a-service-account"}},
		Kinds: []string{"ServiceAccount"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if o.Name != "default" {
				return
			}
			for i, s := range o.Root.Get("imagePullSecrets").Items() {
				h.Add(posture.Hit{Object: o, Path: []any{"imagePullSecrets", i}, Evidence: "all pods of " + o.Namespace + " pull with " + s.Get("name").Text()})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "secrets/token-without-need", Severity: low, Hygiene: true, Title: "Pods have a token for the API, and their service account no rights",
			Tags:  []string{"sec:SEC22", "cis:5.1.6", "attack:T1528", "kubescape:C-0034"},
			Fix:   "automountServiceAccountToken: false",
			Why:   "the token says who the pod is to the API server and to others who trust the cluster: rights that the account is given one day are those of whoever got into the pod. Low, since it opens nothing now",
			Noise: "programs that show the token to others than the API server",
			Refs:  []string{"https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting"}},
		Set: withoutNeed,
	},
}

// withoutNeed looks at the pods whose service account nobody gives any rights. Without the
// bindings that is not known.
func withoutNeed(h *posture.Hits, s *kube.Set) {
	if s.Cluster != nil {
		for resource := range s.Cluster.Unseen {
			if strings.Contains(resource, "rolebindings") {
				return
			}
		}
	}
	bound := map[string]bool{}
	bindings := append(slices.Clone(s.Kind("rbac.authorization.k8s.io", "RoleBinding")), s.Kind("rbac.authorization.k8s.io", "ClusterRoleBinding")...)
	for _, b := range bindings {
		for _, sub := range b.Root.Get("subjects").Items() {
			if sub.Get("kind").Text() != "ServiceAccount" {
				continue
			}
			ns := sub.Get("namespace").Text()
			if ns == "" {
				ns = b.Namespace
			}
			bound[ns+"/"+sub.Get("name").Text()] = true
		}
	}
	for _, w := range s.Workloads() {
		account := s.Find(w.Namespace + "/ServiceAccount/" + w.ServiceAccount())
		switch {
		case s.Cluster == nil && w.ServiceAccount() != "default", bound[w.Namespace+"/"+w.ServiceAccount()]:
			continue // whose bindings may be in another file
		case w.Spec.AutomountServiceAccountToken != nil && !*w.Spec.AutomountServiceAccountToken, len(w.Containers) == 0:
			continue
		case w.Spec.AutomountServiceAccountToken == nil && account != nil && account.Root.Get("automountServiceAccountToken").False():
			continue
		}
		h.Pod(w, []any{"automountServiceAccountToken"}, "the token of "+w.ServiceAccount()+" is mounted, and no binding names it",
			kube.Put(false, w.Path("automountServiceAccountToken")...))
	}
}
