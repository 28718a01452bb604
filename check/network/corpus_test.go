package network

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
)

// objects gives those of a folder beside the repository; the test is skipped where that is not
// there.
func objects(t *testing.T, folder ...string) *kube.Set {
	t.Helper()
	dir := filepath.Join(append([]string{"..", "..", "..", "shared", "data"}, folder...)...)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the manifests of %s are not there: %v", filepath.Join(folder...), err)
		}
		t.Skipf("the manifests of %s are not there", filepath.Join(folder...))
	}
	s := &kube.Set{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)) {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, file)
		for _, d := range kube.ParseYAML(data) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: filepath.ToSlash(rel)}); ok && d.Err == nil {
				s.Objects = append(s.Objects, o)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

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
			if diff := cmp.Diff(want, found(t, objects(t, "manifests", corpus), false)); diff != "" {
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
			if diff := cmp.Diff(want, found(t, objects(t, "netpol", name), true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
