package synth

import (
	"bytes"
	"slices"
	"testing"

	"bulwark/kube"
)

// TestCluster: the same seed makes the same objects, which are what they say.
func TestCluster(t *testing.T) {
	first, again := slices.Collect(Cluster(7, 1000)), slices.Collect(Cluster(7, 1000))
	if !slices.EqualFunc(first, again, bytes.Equal) {
		t.Error("two clusters of one seed differ")
	}
	s := &kube.Set{}
	for _, data := range first {
		root, err := kube.ParseJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		o, ok := kube.NewObject(root, kube.Origin{})
		if !ok {
			t.Fatalf("%.200s is no object", data)
		}
		s.Objects = append(s.Objects, o)
	}
	if n := len(s.Kind("", "Pod")); n != 1000 {
		t.Errorf("%d pods, want 1000", n)
	}
	for _, w := range s.Workloads() {
		if len(w.Misfits) > 0 {
			t.Fatalf("%s: %v", w.ID(), w.Misfits)
		}
		if w.Kind == "Deployment" && len(w.Pods) != podsOfWorkload {
			t.Errorf("%s has %d pods, want %d", w.ID(), len(w.Pods), podsOfWorkload)
		}
	}
	if n := len(s.Workloads()); n != 100 {
		t.Errorf("%d workloads, want 100", n)
	}
}

// TestTown: the same seed makes the same objects, one policy for each workload and for each
// namespace.
func TestTown(t *testing.T) {
	first, again := slices.Collect(Town(3, 100)), slices.Collect(Town(3, 100))
	if !slices.EqualFunc(first, again, bytes.Equal) {
		t.Error("two towns of one seed differ")
	}
	if n := len(first); n != 100+100+8+8 {
		t.Errorf("%d objects", n)
	}
}
