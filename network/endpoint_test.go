package network_test

import (
	"fmt"
	"slices"
	"testing"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// textsOf is the objects of some JSON texts.
func textsOf(tb testing.TB, texts ...string) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	for _, text := range texts {
		s.Objects = append(s.Objects, kubetest.Object(tb, "%s", text))
	}
	return s
}

// cluster is a StatefulSet as a cluster has it: its pods have labels that its template has not.
func cluster(policy string) []string {
	list := []string{`{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db","namespace":"a","uid":"u"},"spec":{"template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c","image":"x"}]}}}}`}
	for i, phase := range []string{"Running", "Running", "Succeeded"} {
		list = append(list, fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"db-%d","namespace":"a","uid":"p%d","labels":{"app":"db","injected":"yes","statefulset.kubernetes.io/pod-name":"db-%d"},
			"ownerReferences":[{"kind":"StatefulSet","name":"db","uid":"u","controller":true}]},"spec":{"containers":[{"name":"c","image":"x"}]},"status":{"phase":%q}}`, i, i, i, phase))
	}
	return append(list, `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"a"},"spec":`+policy+`}`)
}

// Pods of one workload are as many endpoints as policies tell apart, by the labels that they
// have and not only those of their template.
func TestPodsOfWorkload(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		closed       []bool // of each endpoint but the ingress controller: whether 80 is closed to itself
	}{
		{"nothing tells them apart", `{"podSelector":{"matchLabels":{"app":"db"}}}`, []bool{true}},
		{"a label that was injected", `{"podSelector":{"matchLabels":{"injected":"yes"}}}`, []bool{true}},
		{"a label that only the template would lack", `{"podSelector":{"matchExpressions":[{"key":"injected","operator":"DoesNotExist"}]}}`, []bool{false}},
		{"the name of one pod", `{"podSelector":{"matchLabels":{"statefulset.kubernetes.io/pod-name":"db-1"}}}`, []bool{false, true}},
	} {
		e := network.New(textsOf(t, cluster(tt.policy)...))
		var closed []bool
		for i := range len(e.Endpoints) - 1 {
			closed = append(closed, !e.Ports(i, i).Has(network.TCP, 80))
		}
		if diff := cmp.Diff(tt.closed, closed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Owners that own each other, and one that is not there, end somewhere.
func TestCyclicOwners(t *testing.T) {
	pod := func(name, uid, owner string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"a","uid":%q,"ownerReferences":[{"kind":"Pod","name":"x","uid":%q,"controller":true}]},"spec":{"containers":[{"name":"c","image":"x"}]}}`, name, uid, owner)
	}
	e := network.New(textsOf(t, pod("a", "1", "2"), pod("b", "2", "1"), pod("c", "3", "3"), pod("d", "4", "gone")))
	if len(e.Endpoints) < 2 || !slices.ContainsFunc(e.Endpoints, func(p *network.Endpoint) bool { return !p.Outside && p.Namespace == "a" }) {
		t.Errorf("endpoints: %v", e.Endpoints)
	}
}
