package rights_test

import (
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// TestOpening holds who opens what policies close, has names lead elsewhere, and makes an
// aws-auth: only where there is what that takes.
func TestOpening(t *testing.T) {
	policy := "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed, namespace: shop}, spec: {podSelector: {}}}\n"
	dns := "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: coredns, namespace: kube-system}}\n"
	eks := "---\n{apiVersion: v1, kind: Node, metadata: {name: n2, labels: {eks.amazonaws.com/nodegroup: a}}}\n"
	auth := "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: aws-auth, namespace: kube-system}}\n"
	const policies = "networking.k8s.io"
	whole := &kube.Cluster{}
	for _, tt := range []struct {
		name, there, namespace, rules string
		cluster                       *kube.Cluster
		want                          string
	}{
		{"policies are deleted", policy, "shop", rule("delete", policies, "networkpolicies"), nil, "NETWORK_POLICY_OPEN group:pods behind policies of shop"},
		{"anywhere", policy, "", rule("create", policies, "networkpolicies"), nil, "NETWORK_POLICY_OPEN group:pods behind policies"},
		{"one policy", policy, "shop", rule("delete", policies, "networkpolicies", "closed"), nil, "NETWORK_POLICY_OPEN group:pods behind policies of shop"},
		{"one that is not there", policy, "shop", rule("delete", policies, "networkpolicies", "gone"), nil, ""},
		{"policies are read", policy, "shop", rule("get list", policies, "networkpolicies"), nil, ""},
		{"there are no policies", "", "shop", rule("delete", policies, "networkpolicies"), nil, ""},
		{"of another namespace", policy, "held", rule("delete", policies, "networkpolicies"), nil, ""},
		{"names of the cluster", dns, "kube-system", rule("patch", "", "configmaps"), nil, "CORE_DNS group:secrets"},
		{"the ConfigMap alone", dns, "kube-system", rule("patch", "", "configmaps", "coredns"), nil, "CORE_DNS group:secrets"},
		{"another ConfigMap", dns, "kube-system", rule("patch", "", "configmaps", "other"), nil, ""},
		{"ConfigMaps of another namespace", dns, "shop", rule("patch", "", "configmaps"), nil, ""},
		{"no coredns", "", "kube-system", rule("patch", "", "configmaps"), nil, ""},
		{"makes aws-auth", eks, "kube-system", rule("create", "", "configmaps"), whole, "UPDATE_AWS_AUTH cluster-admin"},
		{"aws-auth is there", eks + auth, "kube-system", rule("create", "", "configmaps"), whole, ""},
		{"not of EKS", "", "kube-system", rule("create", "", "configmaps"), whole, ""},
		{"where aws-auth was not looked for", eks, "kube-system", rule("create", "", "configmaps"), nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := kubetest.Set(t, town+tt.there+bound("x", tt.namespace, tt.rules))
			s.Cluster = tt.cluster
			g := relate(t, s)
			if got := strings.Join(g.lines("account:default/a"), ", "); got != tt.want {
				t.Fatalf("%q", got)
			}
			for _, r := range g.Relations {
				if strings.HasPrefix(string(r.From), "permission:") && tt.want != "" && strings.HasPrefix(tt.want, r.Type) && len(r.Remedies) == 0 {
					t.Errorf("nothing removes %+v", r)
				}
			}
		})
	}
}

// TestNewPods holds that who makes pods reaches what those of the namespace do: new ones have
// labels of its choice.
func TestNewPods(t *testing.T) {
	g := relate(t, kubetest.Set(t, town+bound("x", "shop", rule("create", "", "pods"))))
	var got []string
	for _, r := range g.find("group:new pods of shop", "group:network of shop/Deployment/web", "MEMBER_OF") {
		got = append(got, string(r.To))
	}
	if !slices.Equal(got, []string{"group:network of shop/Deployment/web"}) || len(g.find(bulwark.VertexID("permission:shop/Role/x in shop"), "group:new pods of shop", "POD_CREATE")) != 1 {
		t.Errorf("%q", got)
	}
}
