package network

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// found are the findings of a set, as "rule subject severity", in order.
func found(t *testing.T, s *kube.Set, hygiene bool) []string {
	t.Helper()
	var list []string
	err := New().Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil && (hygiene || !slices.Contains(f.Tags, "hygiene")) {
			list = append(list, f.Rule+" "+f.Subject+" "+f.Severity.String())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// TestQuiet: of real manifests little is told, and of those without any policy nothing, which
// check/exposure tells of.
func TestQuiet(t *testing.T) {
	for corpus, want := range map[string][]string{
		"badpods": nil, "k8s-examples": nil, "kube-prometheus": nil, "kubernetes-goat": nil, "microservices-demo": nil,
		"kubelinter-tests": {"network/pods-unselected production/NetworkPolicy/api-network-policy low"},
	} {
		t.Run(corpus, func(t *testing.T) {
			if diff := cmp.Diff(want, found(t, kubetest.Data(t, "manifests", corpus), false)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPolicies: what is told of policies that others wrote to try programs like this one.
func TestPolicies(t *testing.T) {
	for name, want := range map[string][]string{
		"anp_test_11_swapping_rules": {
			"network/pods-unselected Namespace/network-policy-conformance-gryffindor low",
			"network/pods-unselected Namespace/network-policy-conformance-hufflepuff low",
			"network/pods-unselected Namespace/network-policy-conformance-ravenclaw low",
			"network/pods-unselected Namespace/network-policy-conformance-slytherin low",
			"network/rule-overridden AdminNetworkPolicy/egress-tcp-with-swapped-rules low",
			"network/rule-overridden AdminNetworkPolicy/egress-tcp-with-swapped-rules medium",
		},
		"netpol_named_port_test_2": {
			"network/egress-unlimited Namespace/helloworld low",
			"network/named-port-missing helloworld/NetworkPolicy/enable-ingress-from-named-port low",
			"network/pods-unselected Namespace/helloworld low",
		},
		"minimal_test_in_ns": {"network/pods-unselected Namespace/hello-world low"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, found(t, kubetest.Data(t, "netpol", name), true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
