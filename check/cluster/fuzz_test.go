package cluster_test

import (
	"testing"

	"bulwark"
	"bulwark/check/cluster"
	"bulwark/kube"
)

// Whatever stands where settings, flags and selectors belong: the rules get through it.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nkind: Pod\nmetadata: {namespace: kube-system}\nspec: {containers: [{command: [kube-apiserver, --a, --, --=, --audit-log-maxage, x], args: {}}]}",
		"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer: {extraArgs: [{name: a}, b, [c]]}\netcd: {local: {extraArgs: {a: {b: c}}}}",
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nauthentication: []\ntlsCipherSuites: {a: b}\ncontainerLogMaxSize: [1]\nevictionHard: x",
		"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [a, {resources: [b, {resources: c}]}, {verbs: {}}]",
		"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: kyverno}\nwebhooks: [a, {rules: [{resources: x}], namespaceSelector: []}]",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubelet-config, namespace: kube-system}\ndata: {kubelet: 'kind: KubeletConfiguration'}",
		"apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: []\nexemptions: {usernames: {a: b}}",
	} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, live bool) {
		s := &kube.Set{}
		if live {
			s.Cluster = &kube.Cluster{Version: "v1.34.1"}
		}
		for _, d := range kube.ParseYAML(text) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: "x"}); ok {
				s.Objects = append(s.Objects, o)
			}
		}
		if err := cluster.New().Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(bulwark.Record) {}); err != nil {
			t.Error(err)
		}
	})
}
