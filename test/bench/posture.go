package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"bulwark"
	"bulwark/all"
	_ "bulwark/internal/memory" // as the program does
	"bulwark/kube"
	"bulwark/source/manifest"
	"bulwark/test/internal/synth"
)

// corpora are the folders of manifests below the data.
var corpora = []string{"badpods", "k8s-examples", "kube-prometheus", "kubelinter-tests", "kubernetes-goat", "microservices-demo"}

// manifests reads every corpus below a folder and checks its objects, and prints objects a
// second from YAML to findings, objects a second through the checks alone on one core, and
// how many objects there are.
func manifests(folder string) error {
	var reading, checking time.Duration
	objects := 0
	for _, corpus := range corpora {
		start := time.Now()
		t, err := (&manifest.Source{}).Open(context.Background(), filepath.Join(folder, corpus))
		if err != nil {
			return err
		}
		reading += time.Since(start)
		objects += t.Objects.Len()
		took, err := checked(t)
		if err != nil {
			return err
		}
		checking += took
	}
	fmt.Println(float64(objects)/(reading+checking).Seconds(), float64(objects)/checking.Seconds(), objects)
	return nil
}

// checked is how long the checks of Kubernetes objects take on one core. What is decoded
// once for all of them is decoded before.
func checked(t *bulwark.Target) (time.Duration, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	kube.Of(t).Workloads()
	start := time.Now()
	for _, c := range all.Checks(all.Options{Now: time.Now()}) {
		if err := c.Check(context.Background(), t, &bulwark.Inventory{}, func(bulwark.Record) {}); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// objects checks the objects of a cluster of that many pods, and prints objects a second
// through the checks on one core, and how many objects there are.
func objects(pods string) error {
	s, err := cluster(pods)
	if err != nil {
		return err
	}
	took, err := checked(&bulwark.Target{Asset: bulwark.Asset{ID: "k8s:bench"}, Objects: s})
	if err != nil {
		return err
	}
	fmt.Println(float64(s.Len())/took.Seconds(), s.Len())
	return nil
}

// snapshotOf writes a cluster of that many pods as a snapshot, with all that API servers tell:
// more than Bulwark itself writes into one.
func snapshotOf(file string, pods int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	head, err := json.Marshal(map[string]any{"bulwark": "cluster-snapshot/v1", "cluster": "bench", "version": "v1.34.1"})
	if err != nil {
		return err
	}
	n := 0
	fmt.Fprintf(w, "%s\n", head)
	for data := range synth.Cluster(1, pods) {
		n++
		fmt.Fprintf(w, "%s\n", data)
	}
	fmt.Fprintf(w, "{\"end\":{\"objects\":%d}}\n", n)
	return w.Flush()
}

// posture measures the checks of Kubernetes objects.
func (b *bench) posture(self string) error {
	f, _, err := b.figures(b.runs, self, "manifests", filepath.Join(b.data, "manifests"))
	if err != nil {
		return err
	}
	fmt.Printf("| manifests, %.0f objects of %d corpora: %.0f objects/s from YAML to findings; %.0f objects/s a core through the checks | | | | | |\n", f[2], len(corpora), f[0], f[1])
	const pods = 10_000
	if f, _, err = b.figures(b.runs, self, "objects", fmt.Sprint(pods)); err != nil {
		return err
	}
	fmt.Printf("| cluster of %d pods, %.0f objects: %.0f objects/s a core through the checks | | | | | |\n", pods, f[1], f[0])
	if f, _, err = b.figures(b.runs, self, "policies", filepath.Join("policy", "examples"), fmt.Sprint(pods/5)); err != nil {
		return err
	}
	fmt.Printf("| policies of policy/examples, %.0f expressions about objects: %.2f us of a core for one about one | | | | | |\n", f[1], f[0])
	file := filepath.Join(b.dir, "cluster.jsonl")
	if err := snapshotOf(file, pods); err != nil {
		return err
	}
	runs, err := contest(b.runs, func() []string {
		return []string{b.bulwark, "scan", "snapshot:" + file, "--offline", "-f", "json", "--only", "misconfig,exposure,secret"}
	})
	if err != nil {
		return err
	}
	row(fmt.Sprintf("snapshot of a cluster of %d pods", pods), runs[0], nil)
	return nil
}
