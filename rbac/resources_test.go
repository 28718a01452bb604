package rbac

import "testing"

func TestLookup(t *testing.T) {
	for _, tt := range []struct {
		word, name, group string
		namespaced, ok    bool
	}{
		{"po", "pods", "", true, true},
		{"Pod", "pods", "", true, true},
		{"deploy", "deployments", "apps", true, true},
		{"deployments.apps", "deployments", "apps", true, true},
		{"deployments.v1.apps", "deployments", "apps", true, true},
		{"sa", "serviceaccounts", "", true, true},
		{"no", "nodes", "", false, true},
		{"csr", "certificatesigningrequests", "certificates.k8s.io", false, true},
		{"ingress", "ingresses", "networking.k8s.io", true, true},
		{"networkpolicy", "networkpolicies", "networking.k8s.io", true, true},
		{"widgets.example.com", "widgets", "example.com", true, false},
		{"pods.example.com", "pods", "example.com", true, false},
		{"nodes.metrics.k8s.io", "nodes", "metrics.k8s.io", false, true},
		{"podmetrics", "pods", "metrics.k8s.io", true, true},
		{"uids", "uids", "authentication.k8s.io", false, true},
		{"*", "*", "", true, true},
	} {
		r, ok := Lookup(tt.word)
		if r.Name != tt.name || r.Group != tt.group || r.Namespaced != tt.namespaced || ok != tt.ok {
			t.Errorf("Lookup(%q) = %+v, %v", tt.word, r, ok)
		}
	}
}
