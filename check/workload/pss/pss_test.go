package pss_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"bulwark/check/workload/pss"
)

// pick sets one of the values, mostly the first.
func pick[T any](r *rand.Rand, values ...T) T {
	if r.IntN(4) > 0 {
		return values[0]
	}
	return values[r.IntN(len(values))]
}

func ptr[T any](v T) *T { return &v }

func securityContext(r *rand.Rand) *corev1.SecurityContext {
	s := &corev1.SecurityContext{
		Privileged: pick(r, nil, ptr(true), ptr(false)), AllowPrivilegeEscalation: pick(r, ptr(false), nil, ptr(true)), RunAsNonRoot: pick(r, ptr(true), nil, ptr(false)), RunAsUser: pick(r, nil, ptr(int64(0)), ptr(int64(9))),
		ProcMount: pick(r, nil, ptr(corev1.UnmaskedProcMount), ptr(corev1.DefaultProcMount)), SeccompProfile: pick(r, &corev1.SeccompProfile{Type: "RuntimeDefault"}, nil, &corev1.SeccompProfile{Type: "Unconfined"}),
		AppArmorProfile: pick(r, nil, &corev1.AppArmorProfile{Type: "Unconfined"}, &corev1.AppArmorProfile{Type: "RuntimeDefault"}), SELinuxOptions: pick(r, nil, &corev1.SELinuxOptions{Type: "spc_t"}, &corev1.SELinuxOptions{Level: "s0"}),
		Capabilities:   pick(r, &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, nil, &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}, &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_BIND_SERVICE"}}, &corev1.Capabilities{Add: []corev1.Capability{"CHOWN"}}),
		WindowsOptions: pick(r, nil, &corev1.WindowsSecurityContextOptions{HostProcess: ptr(true)}),
	}
	return pick(r, s, nil)
}

func pod(r *rand.Rand) (*metav1.ObjectMeta, *corev1.PodSpec) {
	spec := &corev1.PodSpec{
		HostPID: pick(r, false, true), HostIPC: pick(r, false, false, true), HostNetwork: pick(r, false, false, true), HostUsers: pick(r, nil, ptr(false), ptr(true)), OS: pick(r, nil, &corev1.PodOS{Name: "windows"}, &corev1.PodOS{Name: "linux"}),
		SecurityContext: pick(r, nil, &corev1.PodSecurityContext{RunAsNonRoot: ptr(true), SeccompProfile: &corev1.SeccompProfile{Type: "RuntimeDefault"}}, &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: "kernel.sem"}}}),
		Volumes:         pick(r, nil, []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}, []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{}}}}),
	}
	for range 1 + r.IntN(2) {
		spec.Containers = append(spec.Containers, corev1.Container{Name: "c", SecurityContext: securityContext(r), Ports: pick(r, nil, []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}),
			LivenessProbe: pick(r, nil, &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Host: "other"}}})})
	}
	spec.InitContainers = pick(r, nil, []corev1.Container{{Name: "i", SecurityContext: securityContext(r)}})
	meta := &metav1.ObjectMeta{Annotations: pick(r, nil, map[string]string{"container.apparmor.security.beta.kubernetes.io/c": "unconfined"})}
	return meta, spec
}

// TestAsTheServerDoes holds the level to that of the evaluator that the API server runs.
func TestAsTheServerDoes(t *testing.T) {
	server, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(level api.Level, meta *metav1.ObjectMeta, spec *corev1.PodSpec) bool {
		return policy.AggregateCheckResults(server.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, meta, spec)).Allowed
	}
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for range 20000 {
		meta, spec := pod(r)
		want := pss.Privileged
		if allowed(api.LevelBaseline, meta, spec) {
			want = pss.Baseline
		}
		if allowed(api.LevelRestricted, meta, spec) {
			want = pss.Restricted
		}
		got, misses := pss.Judge(meta, spec)
		if got != want || (len(misses) == 0) != (got == pss.Restricted) {
			t.Fatalf("level %s with %v, the server's is %s: %+v", got, misses, want, spec)
		}
		seen[got]++
	}
	if len(seen) != 3 {
		t.Errorf("the pods reach %v alone", seen)
	}
	t.Log(seen)
}

// TestIDs holds the ids to those that are tags of rules.
func TestIDs(t *testing.T) {
	for _, id := range []string{"privileged", "hostNamespaces", "capabilities_baseline", "hostPathVolumes", "runAsNonRoot", "seccompProfile_restricted"} {
		if !slices.Contains(pss.IDs(), id) {
			t.Errorf("the library has no check %s", id)
		}
	}
}
