package exposure

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// manifests gives the objects of a corpus; the test is skipped where that is not there.
func manifests(t *testing.T, corpus string) *kube.Set {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "manifests", corpus)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the manifests of %s are not there: %v", corpus, err)
		}
		t.Skipf("the manifests of %s are not there", corpus)
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
	got := shown(t, manifests(t, "kubernetes-goat"))
	for _, want := range []string{"exposure/node-port scenarios/internal-proxy/deployment.yaml", "exposure/no-network-policy scenarios/cache-store/deployment.yaml"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not found: %q", want, got)
		}
	}
}

// TestQuiet holds that pods alone, however bad, make no findings here.
func TestQuiet(t *testing.T) {
	if got := shown(t, manifests(t, "badpods")); len(got) > 0 {
		t.Errorf("badpods: %q", got)
	}
}
