package workload

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/relate/internal/relatetest"
)

// drawn is what the relater says.
type drawn struct{ *relatetest.Told }

func draw(tb testing.TB, s *kube.Set, findings ...bulwark.Finding) drawn {
	tb.Helper()
	return drawn{relatetest.Ask(tb, New(), &bulwark.Target{Objects: s}, findings...)}
}

// of gives the relations of a type, sorted, as "FROM -> TO".
func (d drawn) of(edge string) []string {
	var list []string
	for _, r := range d.Relations {
		if r.Type == edge {
			list = append(list, string(r.From)+" -> "+string(r.To))
		}
	}
	slices.Sort(list)
	return list
}

// finding is a finding of a rule about shop/Pod/web, with a fix.
func finding(rule string, evidence ...string) bulwark.Finding {
	return bulwark.Finding{Key: "key of " + rule, Rule: rule, Subject: "shop/Pod/web", Asset: "a", Evidence: evidence, Fix: &bulwark.Fix{Text: "mend it"}}
}

func pod(spec string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {" + spec + "}}\n"
}

// TestCauses holds that causes which are enough alone are relations of their own, and that
// one which needs several settings is removed by mending any of them.
func TestCauses(t *testing.T) {
	all := []bulwark.Finding{finding("workload/privileged"), finding("workload/cap-all"), finding("workload/cap-sys-module"), finding("workload/cap-sys-admin"), finding("workload/cap-sys-ptrace"), finding("workload/host-pid")}
	for _, tt := range []struct {
		edge, spec string
		want       []string // the rules of each relation
	}{
		{"CE_MODULE_LOAD", "containers: [{name: c, securityContext: {privileged: true, capabilities: {add: [ALL, cap_sys_module]}}}]",
			[]string{"workload/cap-all", "workload/cap-sys-module", "workload/privileged"}},
		{"CE_NSENTER", "hostPID: true, containers: [{name: c, securityContext: {privileged: true}}]", []string{"workload/privileged workload/host-pid"}},
		{"CE_SYS_PTRACE", "hostPID: true, containers: [{name: c, securityContext: {capabilities: {add: [SYS_PTRACE, SYS_ADMIN]}}}]",
			[]string{"workload/cap-sys-ptrace workload/cap-sys-admin workload/host-pid"}},
		{"CE_SYS_PTRACE", "hostPID: true, containers: [{name: c, securityContext: {capabilities: {add: [ALL, SYS_ADMIN]}}}]", []string{"workload/cap-all workload/host-pid"}},
	} {
		var got []string
		for _, r := range draw(t, kubetest.Set(t, pod(tt.spec)), all...).Relations {
			if r.Type != tt.edge {
				continue
			}
			var rules []string
			for _, key := range r.Because {
				rules = append(rules, strings.TrimPrefix(key, "key of "))
			}
			if len(r.Remedies) != len(rules) {
				t.Errorf("%s: %d remedies for %v", tt.edge, len(r.Remedies), rules)
			}
			got = append(got, strings.Join(rules, " "))
		}
		slices.Sort(got)
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.edge, diff)
		}
	}
}

// TestMounts holds that a folder is tied to the finding about its own mount, and to a remedy
// of its own where there is none.
func TestMounts(t *testing.T) {
	s := kubetest.Set(t, pod("volumes: [{name: a, hostPath: {path: /etc}}, {name: b, hostPath: {path: /root}}], containers: [{name: c, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /ab}]}]"))
	d := draw(t, s, finding("workload/hostpath-etc", "container c: hostPath /etc at /a (writable)"), finding("workload/hostpath-home", "container c: hostPath /root at /abc (writable)"))
	got := map[string][]string{}
	for _, r := range d.Relations {
		if r.Type == "EXPLOIT_HOST_WRITE" {
			got[r.Text] = r.Remedies
		}
	}
	want := map[string][]string{
		"writes /etc of the node: its configuration": {"a key of workload/hostpath-etc"},
		"writes /root of the node: root's home":      {"shop/Pod/web mount c /ab"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Remedies["shop/Pod/web mount c /ab"].Fix == nil {
		t.Error("the remedy is not told")
	}
}

// TestLikelihoods holds what makes a step less likely.
func TestLikelihoods(t *testing.T) {
	privileged := "containers: [{name: c, securityContext: {privileged: true%s}}]"
	for _, tt := range []struct {
		name, spec, edge string
		want             float64
	}{
		{"privileged", strings.Replace(privileged, "%s", "", 1), "CE_PRIV_MOUNT", 1},
		{"own users", "hostUsers: false, " + strings.Replace(privileged, "%s", "", 1), "CE_PRIV_MOUNT", 0.05},
		{"another user than root", strings.Replace(privileged, "%s", ", runAsUser: 7", 1), "CE_PRIV_MOUNT", 0.5},
		{"a sandbox", "runtimeClassName: gvisor, " + strings.Replace(privileged, "%s", "", 1), "CE_PRIV_MOUNT", 0.02},
		{"a runtime class that is none", "runtimeClassName: fast, " + strings.Replace(privileged, "%s", "", 1), "CE_PRIV_MOUNT", 1},
		{"no way to become root", "containers: [{name: c, securityContext: {runAsUser: 7, allowPrivilegeEscalation: false, capabilities: {add: [SYS_MODULE]}}}]", "CE_MODULE_LOAD", 0.095},
		{"root of own users writes the node's files", "hostUsers: false, volumes: [{name: a, hostPath: {path: /etc}}], containers: [{name: c, volumeMounts: [{name: a, mountPath: /a}]}]", "EXPLOIT_HOST_WRITE", 1},
		{"an init container", "initContainers: [{name: c}], containers: []", "CONTAINER_ATTACH", 0.2},
		{"a sidecar", "initContainers: [{name: c, restartPolicy: Always}], containers: []", "CONTAINER_ATTACH", 0},
	} {
		got := -1.0
		for _, r := range draw(t, kubetest.Set(t, pod(tt.spec))).Relations {
			if r.Type == tt.edge {
				got = r.Likelihood
			}
		}
		if got < tt.want-1e-9 || got > tt.want+1e-9 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestNodes holds that the pods of a workload are on their nodes and lead to these alone.
func TestNodes(t *testing.T) {
	text := "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: shop, uid: u}, spec: {template: {spec: {containers: [{name: c, securityContext: {privileged: true}}]}}}}\n"
	for _, n := range []string{"n1", "n2"} {
		text += "---\n{apiVersion: v1, kind: Pod, metadata: {name: agent-" + n + ", namespace: shop, ownerReferences: [{uid: u, controller: true}]}, spec: {nodeName: " + n + ", containers: [{name: c}]}}\n" +
			"---\n{apiVersion: v1, kind: Node, metadata: {name: " + n + "}}\n"
	}
	text += "---\n{apiVersion: v1, kind: Node, metadata: {name: n3, labels: {node-role.kubernetes.io/master: ''}}}\n"
	d := draw(t, kubetest.Set(t, text))
	for edge, want := range map[string][]string{
		"CE_PRIV_MOUNT": {"container:shop/DaemonSet/agent/c -> group:nodes of shop/DaemonSet/agent"},
		"POD_ATTACH":    {"node:n1 -> workload:shop/DaemonSet/agent", "node:n2 -> workload:shop/DaemonSet/agent"},
		"VOLUME_ACCESS": {
			"group:volumes of shop/DaemonSet/agent -> volume:shop/DaemonSet/agent/kube-api-access", "group:volumes on n1 -> group:volumes of shop/DaemonSet/agent",
			"group:volumes on n2 -> group:volumes of shop/DaemonSet/agent", "node:* -> group:volumes on *", "node:n1 -> group:volumes on n1", "node:n2 -> group:volumes on n2", "node:n3 -> group:volumes on n3"},
		"CONTROL_PLANE_KEYS": {"node:n3 -> cluster-admin"},
		"RUNS_ON":            {"group:nodes of shop/DaemonSet/agent -> node:n1", "group:nodes of shop/DaemonSet/agent -> node:n2"},
	} {
		if diff := gocmp.Diff(want, d.of(edge)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", edge, diff)
		}
	}
}

// TestHostile holds that what is odd neither panics nor relates what is not there.
func TestHostile(t *testing.T) {
	deep := "/" + strings.Repeat("a/", 5000)
	for _, text := range []string{
		pod("containers: [{}]"), pod("containers: [{name: c, volumeMounts: [{name: none, mountPath: /a}], volumeDevices: [{name: none}]}]"),
		pod("volumes: [{name: a, hostPath: {path: '" + deep + "'}}], containers: [{name: c, volumeMounts: [{name: a, mountPath: /a, subPath: ../../etc}]}]"),
		pod("volumes: [{name: a, hostPath: {path: ''}}, {name: b, persistentVolumeClaim: {}}, {name: p, projected: {sources: [{}]}}], containers: [{name: c, volumeMounts: [{name: a}, {name: b}, {name: p}]}]"),
		pod("imagePullSecrets: [{}], containers: [{name: c, image: '///', env: [{name: A, valueFrom: {}}], envFrom: [{}]}]"),
		"{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, type: kubernetes.io/service-account-token}\n",
		"{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, data: {kubeconfig: '!!'}, stringData: {config: 'current-context: [[[', kubeconfig: 'users: {a: b}'}}\n",
		"{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, bulwark: 7}\n",
	} {
		for _, r := range draw(t, kubetest.Set(t, text)).Relations {
			if strings.Contains(string(r.From+r.To), "secret:shop/ ") || cmp.Or(r.Text, r.Type) == "" {
				t.Errorf("%s: %+v", text, r)
			}
		}
	}
}
