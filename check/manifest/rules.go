package manifest

import (
	"reflect"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const validation = "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation"

var rules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "manifest/duplicate-key", Severity: bulwark.SeverityLow, Title: "A key is given twice",
			Fix: "leave the one that is meant", Why: "the last one counts and the first is lost without a word; a reader, or another parser, takes the other one: medium where it decides what a pod may do",
			Noise: "both say the same", Refs: []string{validation}},
		Object: duplicates, Kinds: []string{"*"},
	},
	{
		Rule: misconfig.Rule{ID: "manifest/misfit", Severity: bulwark.SeverityMedium, Title: "A security setting is written so that it does nothing",
			Fix: "write the field as the API names it, where the API has it, and with a value of its type", Why: "clients that do not validate drop a field that the API does not have: the protection that it was to switch on is off, and nobody is told",
			Noise: "a field of a newer version of Kubernetes than is known here, or of an operator's own pod template", Refs: []string{validation, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"}},
		Object: func(h *posture.Hits, o *kube.Object) { misfits(h, o, true) }, Kinds: []string{"*"},
	},
	{
		Rule: misconfig.Rule{ID: "manifest/invalid-field", Severity: bulwark.SeverityLow, Hygiene: true, Title: "A field does not exist, or has a value of another type",
			Fix: "write the field as the API names it, and with a value of its type", Why: "the API server refuses it or drops it, as the client asks: what was meant does not happen",
			Noise: "a field of a newer version of Kubernetes than is known here", Refs: []string{validation}},
		Object: func(h *posture.Hits, o *kube.Object) { misfits(h, o, false) }, Kinds: []string{"*"},
	},
}

func duplicates(h *posture.Hits, o *kube.Object) {
	for _, p := range o.Problems {
		hit := posture.Hit{Object: o, Path: pathAt(o.Root, p.Path, p.Line), Evidence: p.Text}
		if protective[strings.ToLower(p.Path)] {
			hit.Severity = bulwark.SeverityMedium
		}
		h.Add(hit)
	}
}

// pathAt is the path of the field of that name whose key or value stands in a line; the
// object's own where there is none.
func pathAt(root *kube.Node, name string, line int) []any {
	var found []any
	var walk func(n *kube.Node, at []any)
	walk = func(n *kube.Node, at []any) {
		if found != nil || len(at) > 40 {
			return
		}
		for field, v := range n.Fields() {
			next := append(at, field)
			if field == name && n.LineOf(field) >= line-1000 && (n.LineOf(field) == line || v.Line() == line) {
				found = append([]any(nil), next...)
				return
			}
			walk(v, next)
		}
		for i, v := range n.Items() {
			walk(v, append(at, i))
		}
	}
	walk(root, nil)
	return found
}

// known are the types of the kinds that are checked as a whole.
var known = map[string]reflect.Type{
	"v1/Pod": reflect.TypeFor[corev1.Pod](), "v1/Service": reflect.TypeFor[corev1.Service](), "v1/ServiceAccount": reflect.TypeFor[corev1.ServiceAccount](),
	"v1/Namespace": reflect.TypeFor[corev1.Namespace](), "v1/Secret": reflect.TypeFor[corev1.Secret](), "v1/ConfigMap": reflect.TypeFor[corev1.ConfigMap](),
	"v1/LimitRange": reflect.TypeFor[corev1.LimitRange](), "v1/ResourceQuota": reflect.TypeFor[corev1.ResourceQuota](), "v1/PersistentVolume": reflect.TypeFor[corev1.PersistentVolume](),
	"v1/PersistentVolumeClaim": reflect.TypeFor[corev1.PersistentVolumeClaim](), "v1/ReplicationController": reflect.TypeFor[corev1.ReplicationController](),
	"apps/v1/Deployment": reflect.TypeFor[appsv1.Deployment](), "apps/v1/StatefulSet": reflect.TypeFor[appsv1.StatefulSet](), "apps/v1/DaemonSet": reflect.TypeFor[appsv1.DaemonSet](),
	"apps/v1/ReplicaSet": reflect.TypeFor[appsv1.ReplicaSet](), "batch/v1/Job": reflect.TypeFor[batchv1.Job](), "batch/v1/CronJob": reflect.TypeFor[batchv1.CronJob](),
	"rbac.authorization.k8s.io/v1/Role": reflect.TypeFor[rbacv1.Role](), "rbac.authorization.k8s.io/v1/ClusterRole": reflect.TypeFor[rbacv1.ClusterRole](),
	"rbac.authorization.k8s.io/v1/RoleBinding": reflect.TypeFor[rbacv1.RoleBinding](), "rbac.authorization.k8s.io/v1/ClusterRoleBinding": reflect.TypeFor[rbacv1.ClusterRoleBinding](),
	"networking.k8s.io/v1/NetworkPolicy": reflect.TypeFor[networkingv1.NetworkPolicy](), "networking.k8s.io/v1/Ingress": reflect.TypeFor[networkingv1.Ingress](),
	"policy/v1/PodDisruptionBudget": reflect.TypeFor[policyv1.PodDisruptionBudget](), "autoscaling/v2/HorizontalPodAutoscaler": reflect.TypeFor[autoscalingv2.HorizontalPodAutoscaler](),
	"admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration":   reflect.TypeFor[admissionv1.ValidatingWebhookConfiguration](),
	"admissionregistration.k8s.io/v1/MutatingWebhookConfiguration":     reflect.TypeFor[admissionv1.MutatingWebhookConfiguration](),
	"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy":        reflect.TypeFor[admissionv1.ValidatingAdmissionPolicy](),
	"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": reflect.TypeFor[admissionv1.ValidatingAdmissionPolicyBinding](),
}

// misfits tells of fields that do not fit: those that protect, or all others.
func misfits(h *posture.Hits, o *kube.Object, wanted bool) {
	for _, p := range problems(h.Set, o) {
		if protects(&p) != wanted {
			continue
		}
		h.Add(posture.Hit{Object: o, Path: steps(p.Path), Evidence: p.Path + ": " + p.Text})
	}
}

// problems are those of a known kind as a whole, else of the pod templates. An operator's
// own template may have more fields than a pod's: of those only slips of the pen count.
func problems(s *kube.Set, o *kube.Object) []kube.Problem {
	if t := known[o.APIVersion+"/"+o.Kind]; t != nil {
		return o.Root.Misfits(t, "status")
	}
	var list []kube.Problem
	for _, w := range (*kube.Memo(s, byObject))[o] {
		for _, p := range w.Misfits {
			if p.Meant != "" {
				list = append(list, p)
			}
		}
	}
	return list
}

// templates are the workloads of a set, by their objects.
type templates map[*kube.Object][]*kube.Workload

func byObject(s *kube.Set) *templates {
	m := templates{}
	for _, w := range s.Workloads() {
		m[w.Object] = append(m[w.Object], w)
	}
	return &m
}

// protective are the fields that decide what a pod may do, in small letters.
var protective = words("securityContext privileged allowPrivilegeEscalation runAsNonRoot runAsUser runAsGroup readOnlyRootFilesystem capabilities drop add seccompProfile appArmorProfile " +
	"procMount seLinuxOptions windowsOptions fsGroup supplementalGroups sysctls hostNetwork hostPID hostIPC hostUsers hostPath automountServiceAccountToken serviceAccountName readOnly " +
	"runtimeClassName shareProcessNamespace policyTypes podSelector ingress egress failurePolicy verbs resources roleRef subjects validationActions tls")

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[strings.ToLower(w)] = true
	}
	return m
}

// inside are fields in which every other one protects.
var inside = words("securityContext capabilities seccompProfile appArmorProfile")

// protects tells whether a problem keeps a protection from working: the field is meant to be
// one, stands in one, or would be one in the right place.
func protects(p *kube.Problem) bool {
	names := strings.FieldsFunc(strings.ToLower(p.Path), func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(names) == 0 {
		return false
	}
	for _, n := range names[:len(names)-1] {
		if inside[n] {
			return true
		}
	}
	last := names[len(names)-1]
	if last == "resources" || last == "add" || last == "ingress" || last == "egress" || last == "subjects" || last == "readonly" {
		return protective[strings.ToLower(p.Meant)]
	}
	return protective[last] || p.Meant != "" && protective[strings.ToLower(p.Meant)]
}

// steps reads a path that kube.PathText wrote; names with dots in them end it.
func steps(path string) []any {
	var list []any
	for part := range strings.SplitSeq(path, ".") {
		name, rest, _ := strings.Cut(part, "[")
		if name != "" {
			list = append(list, name)
		}
		for rest != "" {
			digits, more, _ := strings.Cut(rest, "]")
			n := 0
			for _, c := range digits {
				if c < '0' || c > '9' || n > 1<<20 {
					return list
				}
				n = n*10 + int(c-'0')
			}
			list = append(list, n)
			rest = strings.TrimPrefix(more, "[")
		}
	}
	return list
}
