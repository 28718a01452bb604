package secrets

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// told are the findings of a set that are shown by default, as "rule path".
func told(t *testing.T, s *kube.Set) []string {
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

// TestGoat holds the Secrets that Kubernetes Goat's YAML gives away, and nothing else there.
func TestGoat(t *testing.T) {
	want := []string{"secrets/in-manifest scenarios/hunger-check/deployment.yaml", "secrets/in-manifest scenarios/hunger-check/deployment.yaml", "secrets/in-manifest scenarios/system-monitor/deployment.yaml"}
	if diff := cmp.Diff(want, told(t, kubetest.Data(t, "manifests", "kubernetes-goat"))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestCorporaMended makes the edits of all findings of the corpora, and holds each rule silent
// about what was mended.
func TestCorporaMended(t *testing.T) {
	all := 0
	for _, corpus := range []string{"badpods", "k8s-examples", "kube-prometheus", "kubelinter-tests", "kubernetes-goat", "microservices-demo"} {
		s, n := kubetest.Data(t, "manifests", corpus), 0
		for _, r := range New(Options{Now: caseTime}).List {
			n += posture.TestMended(t, r, s)
		}
		t.Logf("%s: %d objects mended", corpus, n)
		all += n
	}
	if all < 300 {
		t.Errorf("only %d objects were mended", all)
	}
}
