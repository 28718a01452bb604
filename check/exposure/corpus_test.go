package exposure

import (
	"context"
	"slices"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// shown are the findings of a set that are shown by default, as "rule path".
func shown(t *testing.T, s *kube.Set) []string {
	t.Helper()
	var list []string
	err := New(Options{Now: caseTime}).Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil && !slices.Contains(f.Tags, "hygiene") {
			list = append(list, f.Rule+" "+f.Path)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestGoat holds what Kubernetes Goat's YAML shows of reachability: the port of every node,
// and the namespace that keeps nobody out.
func TestGoat(t *testing.T) {
	got := shown(t, kubetest.Data(t, "manifests", "kubernetes-goat"))
	for _, want := range []string{"exposure/node-port scenarios/internal-proxy/deployment.yaml", "exposure/no-network-policy scenarios/cache-store/deployment.yaml"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not found: %q", want, got)
		}
	}
}

// TestQuiet holds that pods alone, however bad, make no findings here.
func TestQuiet(t *testing.T) {
	if got := shown(t, kubetest.Data(t, "manifests", "badpods")); len(got) > 0 {
		t.Errorf("badpods: %q", got)
	}
}
