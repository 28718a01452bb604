package framework_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/framework"
	"bulwark/kube"
)

const (
	role     = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\n"
	binding  = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: Role, name: r}\n"
	foreign  = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: theirs}\n"
	builtin  = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: view}\n"
	room     = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
	homeless = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {automountServiceAccountToken: false, containers: [{name: c, image: nginx}]}\n"
	holder   = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {serviceAccountName: web, containers: [{name: c, image: nginx}]}\n"
	server   = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: kube-system}\nspec: {containers: [{name: c, image: x, command: [kube-apiserver]}]}\n"
	audit    = "---\napiVersion: audit.k8s.io/v1\nkind: Policy\n"
	secret   = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n"
	kubelet  = "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmetadata: {name: n}\n"
)

// Silence of rules proves something where what they look at was there to be seen.
func TestDomains(t *testing.T) {
	all := &kube.Cluster{Version: "v1.34.0"}
	without := func(resources ...string) *kube.Cluster {
		c := &kube.Cluster{Version: "v1.34.0", Unseen: map[string]string{}}
		for _, r := range resources {
			c.Unseen[r] = "forbidden"
		}
		return c
	}
	some := &kube.Cluster{Version: "v1.34.0", Namespaces: []string{"shop"}}
	const pass, manual = bulwark.StatusPass, bulwark.StatusManual
	for _, tt := range []struct {
		name, rule, text string
		cluster          *kube.Cluster
		want             string
	}{
		{"roles of files", "rbac/bind", pod + role + binding, nil, pass},
		{"no roles among files", "rbac/bind", pod, nil, manual},
		{"a role that is elsewhere", "rbac/bind", pod + role + foreign, nil, manual},
		{"a role that every cluster has", "rbac/bind", pod + builtin, nil, pass},
		{"a cluster without bindings", "rbac/bind", pod, all, pass},
		{"bindings that may not be listed", "rbac/bind", pod + role, without("clusterrolebindings.rbac.authorization.k8s.io"), manual},
		{"network policies that may not be listed", "exposure/no-network-policy", pod + room, without("networkpolicies.networking.k8s.io"), manual},
		{"those of a network plugin", "exposure/no-network-policy", pod + room, without("ciliumnetworkpolicies.cilium.io"), manual},
		{"network policies", "exposure/no-network-policy", pod + room, all, pass},
		{"ingresses that may not be listed", "exposure/ingress-plain", pod, without("ingresses.networking.k8s.io"), manual},
		{"quotas that may not be listed", "workload/no-quota", pod + room, without("resourcequotas"), manual},
		{"claims that may not be listed", "workload/hostpath-*", pod, without("persistentvolumes"), manual},
		{"no namespace said", "workload/default-namespace", homeless, nil, manual},
		{"a namespace said", "workload/default-namespace", pod, nil, pass},
		{"in a cluster every pod has one", "workload/default-namespace", homeless, all, pass},
		{"an account of other files", "secrets/token-without-need", holder, nil, manual},
		{"in a cluster it is known", "secrets/token-without-need", holder, all, pass},
		{"without the bindings it is not", "secrets/token-without-need", holder, without("rolebindings.rbac.authorization.k8s.io"), manual},
		{"age of Secrets in files", "secrets/old", pod + secret, nil, manual},
		{"age of Secrets", "secrets/old", pod + secret, all, pass},
		{"Secrets that may not be listed", "secrets/legacy-token", pod, without("secrets"), manual},
		{"values in files", "secrets/certificate-expired", pod + secret, nil, pass},
		{"pods checked, in files", "cluster/no-policy-control", pod, nil, manual},
		{"pods checked, in files with namespaces", "cluster/no-policy-control", pod + room, nil, pass},
		{"pods checked, in chosen namespaces", "cluster/no-policy-control", pod + room, some, manual},
		{"pods checked, webhooks unknown", "cluster/no-policy-control", pod + room, without("validatingwebhookconfigurations.admissionregistration.k8s.io"), manual},
		{"logs in files", "cluster/no-log-shipper", pod, nil, manual},
		{"logs", "cluster/no-log-shipper", pod, all, pass},
		{"an API server without its audit policy", "cluster/audit-nothing", pod + server, nil, manual},
		{"an audit policy", "cluster/audit-nothing", pod + audit, nil, pass},
		{"encryption without its file", "secrets/stored-plain", pod + server, nil, manual},
		{"one of the kubelets does not answer", "cluster/kubelet-anonymous", pod + kubelet, without("nodes/proxy"), manual},
		{"all kubelets answer", "cluster/kubelet-anonymous", pod + kubelet, all, pass},
		{"malware without images", "malware/a", pod, nil, manual},
		{"secrets of files", "secret/a", pod, nil, pass},
		{"secrets of images that were not looked at", "secret/a", pod, all, manual},
		{"a family of which one rule cannot see", "secrets/*", pod, nil, manual},
	} {
		d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{{ID: "x", Rules: []string{tt.rule}, Needs: []string{"workload"}}}}}}
		s := set(t, tt.text)
		s.Cluster = tt.cluster
		f := framework.FactsOf(&bulwark.Target{Objects: s})
		f.Rules = []bulwark.Rule{{ID: tt.rule}}
		if got := framework.Evaluate(d, &f, nil).Controls[0]; got.Status != tt.want {
			t.Errorf("%s: %s is %s (%s), want %s", tt.name, tt.rule, got.Status, got.Reason, tt.want)
		}
	}
}

// Images and versions are looked at apart, and a control over both passes over neither alone.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		name, only, except string
		image, version     int
		want               string
	}{
		{"both", "", "", 1, 1, "pass"},
		{"versions, of both", "", "", 0, 1, "manual"},
		{"images, of both", "", "", 1, 0, "manual"},
		{"versions alone", "component:*", "", 0, 1, "pass"},
		{"images alone", "", "component:*", 1, 0, "pass"},
		{"versions for images", "", "component:*", 0, 1, "manual"},
		{"images for versions", "component:*", "", 1, 0, "manual"},
	} {
		d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{{ID: "x", Rules: []string{"vuln/*"}, Only: tt.only, Except: tt.except, Needs: []string{"workload"}}}}}}
		f := framework.Facts{Seen: map[string]int{"workload": 1, "image": tt.image, "version": tt.version}, Rules: []bulwark.Rule{{ID: "vuln/*"}}}
		if got := framework.Evaluate(d, &f, nil).Controls[0]; got.Status != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, got.Status, got.Reason, tt.want)
		}
	}
}

// What could not be read may be what a control is about.
func TestUnread(t *testing.T) {
	d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{{ID: "x", Rules: []string{"workload/a"}, Needs: []string{"workload"}}}}}}
	for _, tt := range []struct {
		name   string
		broken []kube.Broken
		notes  []bulwark.Note
		want   string
	}{
		{"all was read", nil, []bulwark.Note{{Plugin: "source/manifest", Text: "nothing is fetched"}}, "pass"},
		{"a document", []kube.Broken{{File: "b.yaml", Err: errors.New("tabs")}}, nil, "manual"},
		{"a chart", nil, []bulwark.Note{{Plugin: "source/manifest", Path: "chart", Text: "not rendered", Incomplete: true}}, "manual"},
		{"something else", nil, []bulwark.Note{{Plugin: "check/vuln", Text: "no database", Incomplete: true}}, "pass"},
	} {
		s := set(t, pod)
		s.Broken = tt.broken
		f := framework.FactsOf(&bulwark.Target{Objects: s})
		f.Ran([]bulwark.Plugin{plugin{"check/workload", "workload/a"}}, tt.notes)
		if got := framework.Evaluate(d, &f, nil).Controls[0]; got.Status != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, got.Status, got.Reason, tt.want)
		}
	}
}

// An engine is held against the benchmark of engines, and what was not read of it is nobody's pass.
func TestEngine(t *testing.T) {
	const engine = "apiVersion: engine/v1\nkind: Engine\nmetadata: {name: docker}\n"
	d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{
		{ID: "settings", Rules: []string{"engine/a"}, Needs: []string{"docker"}},
		{ID: "files", Rules: []string{"engine/a"}, Needs: []string{"docker:files"}},
		{ID: "containers", Rules: []string{"engine/a", "workload/a"}, Needs: []string{"engine"}},
		{ID: "builds", Rules: []string{"image/a", "dockerfile/a", "engine/a"}, Needs: []string{"image", "Dockerfile"}},
	}}}}
	for _, tt := range []struct {
		name, text string
		engine     bool
		documents  []bulwark.Document
		want       string
	}{
		{"all of it", engine + "config: {}\nfiles: [{path: /a}]\n", true, nil, "pass pass pass not-applicable"},
		{"another machine's", engine + "config: {}\n", true, nil, "pass manual pass not-applicable"},
		{"settings that cannot be read", engine, true, nil, "manual manual pass not-applicable"},
		{"Podman", strings.Replace(engine, "docker", "podman", 1), true, nil, "manual manual pass not-applicable"},
		{"manifests", pod, false, nil, "not-applicable not-applicable manual manual"},
		{"a build file", "", false, []bulwark.Document{{Kind: "dockerfile", Path: "Dockerfile"}}, "not-applicable not-applicable manual pass"},
		{"a build file beside manifests", pod, false, []bulwark.Document{{Kind: "dockerfile", Path: "Dockerfile"}}, "not-applicable not-applicable manual manual"},
	} {
		s := set(t, tt.text)
		s.Engine = tt.engine
		f := framework.FactsOf(&bulwark.Target{Objects: s})
		f.Documents(tt.documents)
		f.Rules = []bulwark.Rule{{ID: "engine/a"}, {ID: "workload/a"}, {ID: "image/a"}, {ID: "dockerfile/a"}}
		var got []string
		for _, c := range framework.Evaluate(d, &f, nil).Controls {
			got = append(got, c.Status)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
