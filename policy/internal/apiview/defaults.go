package apiview

import (
	"reflect"
	"slices"
	"sync"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// defaults are what the API server puts into an object of a type before policies see it,
// where nothing is written: by its own defaulting, and by the admission plugins that are on
// in every cluster (see whole).
var defaults = map[reflect.Type]func(*Map){
	reflect.TypeFor[corev1.PodSpec]():                            podSpec,
	reflect.TypeFor[corev1.Container]():                          container,
	reflect.TypeFor[corev1.EphemeralContainer]():                 container,
	reflect.TypeFor[corev1.ResourceRequirements]():               requests,
	reflect.TypeFor[corev1.ContainerPort]():                      port,
	reflect.TypeFor[corev1.Probe]():                              sets("timeoutSeconds", 1, "periodSeconds", 10, "successThreshold", 1, "failureThreshold", 3),
	reflect.TypeFor[corev1.HTTPGetAction]():                      sets("path", "/", "scheme", "HTTP"),
	reflect.TypeFor[corev1.GRPCAction]():                         sets("service", ""),
	reflect.TypeFor[corev1.ObjectFieldSelector]():                sets("apiVersion", "v1"),
	reflect.TypeFor[corev1.Volume]():                             volume,
	reflect.TypeFor[corev1.HostPathVolumeSource]():               sets("type", ""),
	reflect.TypeFor[corev1.SecretVolumeSource]():                 sets("defaultMode", 420),
	reflect.TypeFor[corev1.ConfigMapVolumeSource]():              sets("defaultMode", 420),
	reflect.TypeFor[corev1.DownwardAPIVolumeSource]():            sets("defaultMode", 420),
	reflect.TypeFor[corev1.ProjectedVolumeSource]():              sets("defaultMode", 420),
	reflect.TypeFor[corev1.ServiceAccountTokenProjection]():      sets("expirationSeconds", 3600),
	reflect.TypeFor[corev1.PersistentVolumeClaimSpec]():          sets("volumeMode", "Filesystem"),
	reflect.TypeFor[corev1.ServiceSpec]():                        sets("type", "ClusterIP", "sessionAffinity", "None", "internalTrafficPolicy", "Cluster"),
	reflect.TypeFor[corev1.ServicePort]():                        servicePort,
	reflect.TypeFor[corev1.Secret]():                             secret,
	reflect.TypeFor[appsv1.DeploymentSpec]():                     deployment,
	reflect.TypeFor[appsv1.DaemonSetSpec]():                      daemonSet,
	reflect.TypeFor[appsv1.StatefulSetSpec]():                    statefulSet,
	reflect.TypeFor[appsv1.ReplicaSetSpec]():                     sets("replicas", 1),
	reflect.TypeFor[corev1.ReplicationControllerSpec]():          sets("replicas", 1),
	reflect.TypeFor[batchv1.JobSpec]():                           job,
	reflect.TypeFor[batchv1.CronJobSpec]():                       sets("concurrencyPolicy", "Allow", "suspend", false, "successfulJobsHistoryLimit", 3, "failedJobsHistoryLimit", 1),
	reflect.TypeFor[networkingv1.NetworkPolicySpec]():            networkPolicy,
	reflect.TypeFor[autoscalingv1.HorizontalPodAutoscalerSpec](): sets("minReplicas", 1),
	reflect.TypeFor[autoscalingv2.HorizontalPodAutoscalerSpec](): sets("minReplicas", 1),
	reflect.TypeFor[networkingv1.NetworkPolicyPort]():            sets("protocol", "TCP"),
}

// sets gives fields that are not there a value: pairs of names and values.
func sets(pairs ...any) func(*Map) {
	var list []entry
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, entry{name: pairs[i].(string), val: types.DefaultTypeAdapter.NativeToValue(pairs[i+1])})
	}
	return func(m *Map) {
		for _, e := range list {
			m.missing(e)
		}
	}
}

func (m *Map) missing(e entry) {
	if m.find(e.name) < 0 {
		m.put(e)
	}
}

// made gives a field that is not there the value of a type with nothing written but its
// defaults, and then those fields.
func (m *Map) made(name string, fields ...entry) {
	if m.find(name) >= 0 {
		return
	}
	f := m.kind.fields[name]
	sub := newMap(nil, f.of, m, name, -1)
	sub.build()
	for _, e := range fields {
		sub.put(e)
	}
	m.put(entry{name: name, val: sub})
}

func (m *Map) text(name string) string {
	s, _ := m.get(name).(types.String)
	return string(s)
}

func set(name string, v any) entry {
	return entry{name: name, val: types.DefaultTypeAdapter.NativeToValue(v)}
}

var podDefaults = sets("dnsPolicy", "ClusterFirst", "restartPolicy", "Always", "schedulerName", "default-scheduler", "terminationGracePeriodSeconds", 30)

func podSpec(m *Map) {
	podDefaults(m)
	m.made("securityContext")
	// The old and the new name of the service account are written both.
	switch name, old := m.text("serviceAccountName"), m.text("serviceAccount"); {
	case name != "":
		m.put(entry{name: "serviceAccount", val: types.String(name)})
	case old != "":
		m.put(entry{name: "serviceAccountName", val: types.String(old)})
	}
}

var always, ifNotPresent = set("imagePullPolicy", "Always"), set("imagePullPolicy", "IfNotPresent")

var containerDefaults = sets("terminationMessagePath", "/dev/termination-log", "terminationMessagePolicy", "File")

func container(m *Map) {
	containerDefaults(m)
	if m.find("imagePullPolicy") < 0 {
		policy := ifNotPresent
		if tagOf(m.text("image")) == "latest" {
			policy = always
		}
		m.put(policy)
	}
}

// pod is the pod that a container is of; nil when it is of a template, or none.
func (m *Map) pod() *Map {
	if m.up != nil && m.up.up != nil && m.up.up.kind != nil && m.up.up.kind.name == "Pod" {
		return m.up.up
	}
	return nil
}

// requests are the limits where nothing else is requested, of the containers of pods.
func requests(r *Map) {
	if r.up == nil || r.name != "resources" || r.up.pod() == nil || r.up.name == "ephemeralContainers" {
		return
	}
	limits, ok := r.get("limits").(*Map)
	if !ok {
		return
	}
	want, ok := r.get("requests").(*Map)
	if !ok {
		want = newMap(nil, r.kind.fields["requests"].of, r, "requests", -1)
		r.put(entry{name: "requests", val: want})
	}
	limits.build()
	if !want.built {
		want.entries = r.top.store.room(want.node.Len() + len(limits.entries))
		want.build()
	}
	for i := range limits.entries {
		want.missing(entry{name: limits.entries[i].name, val: limits.value(i)})
	}
}

var tcp = set("protocol", "TCP")

func port(m *Map) {
	m.missing(tcp)
	if m.up == nil || m.up.up == nil || m.up.up.get("hostNetwork") != types.True {
		return
	}
	if n := m.get("containerPort"); n != nil {
		m.missing(entry{name: "hostPort", val: n})
	}
}

func volume(m *Map) {
	if len(m.entries) <= 1 {
		m.made("emptyDir")
	}
}

func servicePort(m *Map) {
	m.missing(tcp)
	if target := m.get("targetPort"); target == types.IntZero || target == nil {
		if n := m.get("port"); n != nil {
			m.put(entry{name: "targetPort", val: n})
		}
	}
}

func deployment(m *Map) {
	sets("replicas", 1, "revisionHistoryLimit", 10, "progressDeadlineSeconds", 600)(m)
	if strategy, ok := m.get("strategy").(*Map); ok {
		strategy.build()
		strategy.missing(set("type", "RollingUpdate"))
		rolling(strategy, set("maxUnavailable", "25%"), set("maxSurge", "25%"))
	}
}

func daemonSet(m *Map) {
	m.missing(set("revisionHistoryLimit", 10))
	if strategy, ok := m.get("updateStrategy").(*Map); ok {
		strategy.build()
		strategy.missing(set("type", "RollingUpdate"))
		rolling(strategy, set("maxUnavailable", 1), set("maxSurge", 0))
	}
}

func statefulSet(m *Map) {
	sets("replicas", 1, "revisionHistoryLimit", 10, "podManagementPolicy", "OrderedReady")(m)
	m.made("persistentVolumeClaimRetentionPolicy")
	if keep, ok := m.get("persistentVolumeClaimRetentionPolicy").(*Map); ok {
		keep.build()
		sets("whenDeleted", "Retain", "whenScaled", "Retain")(keep)
	}
	if strategy, ok := m.get("updateStrategy").(*Map); ok {
		strategy.build()
		strategy.missing(set("type", "RollingUpdate"))
		rolling(strategy, set("partition", 0), set("maxUnavailable", 1))
	}
}

func rolling(strategy *Map, fields ...entry) {
	if strategy.text("type") != "RollingUpdate" {
		return
	}
	strategy.made("rollingUpdate")
	if r, ok := strategy.get("rollingUpdate").(*Map); ok {
		r.build()
		for _, e := range fields {
			r.missing(e)
		}
	}
}

func job(m *Map) {
	if m.up == nil || m.up.kind == nil || m.up.kind.name != "Job" {
		return // the template of a CronJob is given them when a job is made of it
	}
	if m.find("completions") < 0 && m.find("parallelism") < 0 {
		m.put(set("completions", 1))
	}
	sets("parallelism", 1, "backoffLimit", 6, "completionMode", "NonIndexed", "suspend", false, "manualSelector", false)(m)
	if m.find("podFailurePolicy") >= 0 {
		m.missing(set("podReplacementPolicy", "Failed"))
	}
	m.missing(set("podReplacementPolicy", "TerminatingOrFailed"))
}

// networkPolicy says which ways a policy is about, as its rules show.
func networkPolicy(m *Map) {
	ways := []string{"Ingress"}
	if out, ok := m.get("egress").(traits.Lister); ok && out.Size() != types.IntZero {
		ways = append(ways, "Egress")
	}
	m.missing(set("policyTypes", ways))
}

// secret moves what is written as text to the data, encoded.
func secret(m *Map) {
	m.missing(set("type", "Opaque"))
	plain, ok := m.get("stringData").(*Map)
	if !ok {
		return
	}
	m.drop("stringData")
	m.made("data")
	data, ok := m.get("data").(*Map)
	if !ok {
		return
	}
	data.build()
	plain.build()
	for i := range plain.entries {
		if s, ok := plain.value(i).(types.String); ok {
			data.put(entry{name: plain.entries[i].name, val: base64(string(s))})
		}
	}
}

// whole gives a whole object what only the whole shows: its namespace, and a pod what
// admission plugins that are on in every cluster give it.
func whole(m *Map) {
	if meta, ok := m.get("metadata").(*Map); ok && m.top.object.Namespace != "" {
		meta.build()
		meta.put(entry{name: "namespace", val: types.String(m.top.object.Namespace)})
	}
	if m.kind != nil && m.kind.name == "Namespace" {
		namespace(m)
	}
	if m.kind == nil || m.kind.name != "Pod" {
		return
	}
	if m.top.at != nil { // a template is no pod yet
		m.put(entry{name: "apiVersion", val: types.String("v1")})
		m.put(entry{name: "kind", val: types.String("Pod")})
	}
	if status, ok := m.get("status").(*Map); ok {
		status.build()
		status.missing(set("phase", "Pending"))
	}
	spec, ok := m.get("spec").(*Map)
	if !ok {
		return
	}
	spec.build()
	admitted(spec)
	tolerations(spec)
}

// namespace gives a namespace the label of its name, and what keeps it until it is empty.
func namespace(m *Map) {
	if meta, ok := m.get("metadata").(*Map); ok && meta.text("name") != "" {
		meta.made("labels")
		if labels, ok := meta.get("labels").(*Map); ok {
			labels.build()
			labels.missing(entry{name: "kubernetes.io/metadata.name", val: types.String(meta.text("name"))})
		}
	}
	if spec, ok := m.get("spec").(*Map); ok {
		spec.build()
		spec.missing(kept)
	}
	if status, ok := m.get("status").(*Map); ok {
		status.build()
		status.missing(active)
	}
}

var kept, active = set("finalizers", []string{"kubernetes"}), set("phase", "Active")

// admitted are fields that admission plugins give pods. The service account's old name is
// written when the new one is, so the two are there or not together.
var admitted = sets("enableServiceLinks", true, "priority", 0, "preemptionPolicy", "PreemptLowerPriority", "serviceAccountName", "default", "serviceAccount", "default")

var (
	unready = []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
	granted = sync.OnceValue(func() map[string]ref.Val {
		m := map[string]ref.Val{}
		for _, key := range unready {
			m[key] = types.DefaultTypeAdapter.NativeToValue(map[string]any{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
		}
		return m
	})
)

// tolerations are those for nodes that are not ready or out of reach, which every pod gets
// that has none for them.
func tolerations(spec *Map) {
	var there []ref.Val
	if have, ok := spec.get("tolerations").(*List); ok {
		there = have.items
	}
	all := spec.top.store.list(len(there) + len(unready))
	all.items = append(all.items, there...)
	for _, key := range unready {
		if !slices.ContainsFunc(there, func(v ref.Val) bool { return tolerates(v, key) }) {
			all.items = append(all.items, granted()[key])
		}
	}
	spec.put(entry{name: "tolerations", val: all})
}

// tolerates tells whether a toleration is one for nodes in that state.
func tolerates(v ref.Val, state string) bool {
	t, ok := v.(*Map)
	if !ok {
		return false
	}
	effect, key := t.text("effect"), t.text("key")
	return (effect == "NoExecute" || effect == "") && (key == state || key == "")
}
