package workload

import (
	"slices"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// TestEscapes holds each way out of a container that a workload shows to its severity and to
// the names that it goes by.
func TestEscapes(t *testing.T) {
	pod := func(spec, container string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {" + spec + "containers: [{name: a, image: 'x:1', " + container + "}]}"
	}
	mount := func(path, mode string) string {
		return pod("volumes: [{name: v, hostPath: {path: "+path+"}}], ", "volumeMounts: [{name: v, mountPath: /h"+mode+"}]")
	}
	caps := func(list string) string { return "securityContext: {capabilities: {add: [" + list + "]}}" }
	for name, tt := range map[string]struct {
		text, rule string
		severity   bulwark.Severity
		tag        string
	}{
		"privileged alone":               {pod("", "securityContext: {privileged: true}"), "privileged", high, "edge:CE_PRIV_MOUNT"},
		"privileged and hostPID":         {pod("hostPID: true, ", "securityContext: {privileged: true}"), "privileged", critical, "edge:CE_NSENTER"},
		"privileged and the root folder": {pod("volumes: [{name: v, hostPath: {path: /}}], ", "securityContext: {privileged: true, runAsUser: 5}, volumeMounts: [{name: v, mountPath: /h}]"), "privileged", critical, "edge:CE_PRIV_MOUNT"},
		"kernel modules":                 {pod("", caps("SYS_MODULE")), "cap-sys-module", high, "edge:CE_MODULE_LOAD"},
		"all capabilities":               {pod("", caps("ALL")), "cap-all", high, "edge:CE_MODULE_LOAD"},
		"all capabilities and hostPID":   {pod("hostPID: true, ", caps("ALL")), "cap-all", critical, "edge:CE_SYS_PTRACE"},
		"ptrace and hostPID":             {pod("hostPID: true, ", caps("SYS_PTRACE, SYS_ADMIN")), "cap-sys-ptrace", critical, "edge:CE_SYS_PTRACE"},
		"ptrace alone":                   {pod("", caps("CAP_SYS_PTRACE")), "cap-sys-ptrace", medium, "attack:T1611"},
		"ptrace, with root mapped":       {pod("hostUsers: false, ", caps("SYS_PTRACE")), "cap-sys-ptrace", low, "attack:T1611"},
		"raw packets on the node":        {pod("hostNetwork: true, ", caps("NET_RAW")), "cap-net-raw", high, "attack:T1040"},
		"core_pattern as root":           {mount("/proc", ""), "hostpath-proc", critical, "edge:CE_UMH_CORE_PATTERN"},
		"core_pattern, deeper":           {mount("/proc/sys/kernel", ""), "hostpath-proc-setting", critical, "edge:CE_UMH_CORE_PATTERN"},
		"logs":                           {mount("/var/log", ""), "hostpath-log", medium, "edge:CE_VAR_LOG_SYMLINK"},
		"docker's socket":                {mount("/var/run/docker.sock", ""), "runtime-socket", critical, "edge:EXPLOIT_CONTAINERD_SOCK"},
		"containerd's socket, read-only": {mount("/run/containerd/containerd.sock", ", readOnly: true"), "runtime-socket", critical, "edge:EXPLOIT_CONTAINERD_SOCK"},
		"the folder of sockets":          {mount("/run", ""), "runtime-socket", high, "edge:EXPLOIT_CONTAINERD_SOCK"},
		"the root folder":                {mount("/", ""), "hostpath-root", critical, "edge:EXPLOIT_HOST_WRITE"},
		"the root folder by dots":        {mount("/var/../", ""), "hostpath-root", critical, "edge:EXPLOIT_HOST_WRITE"},
		"the root folder by a subPath":   {mount("/", ", subPath: etc/shadow, readOnly: true"), "hostpath-etc", medium, "edge:EXPLOIT_HOST_READ"},
		"the root folder to read":        {mount("/", ", readOnly: true"), "hostpath-root", high, "edge:EXPLOIT_HOST_READ"},
		"tokens of all pods":             {mount("/var/lib/kubelet/pods", ", readOnly: true"), "hostpath-kubelet", high, "edge:EXPLOIT_HOST_TRAVERSE"},
		"a folder":                       {mount("/srv", ""), "hostpath-writable", low, "edge:EXPLOIT_HOST_WRITE"},
		"static pods":                    {mount("/etc/kubernetes/manifests", ""), "hostpath-control-plane", critical, "edge:EXPLOIT_HOST_WRITE"},
		"shared processes":               {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {shareProcessNamespace: true, containers: [{name: a, securityContext: {privileged: true}}, {name: b}]}", "share-process-namespace", medium, "edge:SHARE_PS_NAMESPACE"},
		"unmasked /proc":                 {pod("", "securityContext: {procMount: Unmasked}"), "proc-mount", high, "attack:T1611"},
		"an HTTP hook":                   {pod("", "lifecycle: {postStart: {httpGet: {host: 169.254.169.254, port: 80}}}"), "host-probe", low, "pss:hostProbesAndHostLifecycle"},
	} {
		var seen []string
		ok := false
		for _, f := range found(t, New(), objects(t, tt.text, "a.yaml")) {
			seen = append(seen, f.Rule+" "+f.Severity.String())
			ok = ok || f.Rule == "workload/"+tt.rule && f.Severity == tt.severity && slices.Contains(f.Tags, tt.tag)
		}
		if !ok {
			t.Errorf("%s: no %s of %s with %s in %v", name, tt.rule, tt.severity, tt.tag, seen)
		}
	}
}

// TestOneFinding holds that ten containers with one problem are one finding.
func TestOneFinding(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
	for range 10 {
		text += "  - {name: a, image: 'x:1', securityContext: {privileged: true}}\n"
	}
	n := 0
	for _, f := range found(t, New(), objects(t, text, "a.yaml")) {
		if f.Rule == "workload/privileged" {
			n++
			if len(f.Places) != 10 || f.Line != 6 {
				t.Errorf("it has %d places and line %d", len(f.Places), f.Line)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d findings", n)
	}
}

// FuzzWorkload throws foreign documents at every rule.
func FuzzWorkload(f *testing.F) {
	for _, seed := range []string{
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostPID: true, containers: [{name: a, image: 'a:1', command: [nc, -e, sh], volumeMounts: [{name: v, subPath: ../..}]}], volumes: [{name: v, hostPath: {path: x/../../y}}]}}",
		"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: x, template: {spec: {containers: [null, {}, {name: 1, ports: [{hostPort: 99999999999}]}]}}}}",
		"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {scaleTargetRef: [], metrics: {a: b}}}",
		"{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: -1, selector: {matchExpressions: [{key: a, operator: Bad}]}}}",
	} {
		f.Add(seed)
	}
	family := New()
	f.Fuzz(func(t *testing.T, text string) {
		s := &kube.Set{}
		for _, d := range kube.ParseYAML([]byte(text)) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: "a.yaml"}); ok && d.Err == nil {
				s.Objects = append(s.Objects, o)
			}
		}
		found(t, family, s)
		for _, r := range family.List {
			mended(t, r, s, r.ID)
		}
	})
}
