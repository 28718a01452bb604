package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
	"bulwark/kube"
)

// paths relates everything in a cluster of that many pods, looks for the smallest set of
// changes, and prints seconds for that, MB that the process has had, how many relations,
// critical paths and changes there are, and how many are needed at least. What the checks
// take is not counted: see objects.
func paths(pods string) error {
	s, err := cluster(pods)
	if err != nil {
		return err
	}
	t := &bulwark.Target{Asset: bulwark.Asset{ID: "k8s:bench"}, Objects: s}
	findings, err := found(t)
	if err != nil {
		return err
	}
	g := graph.New()
	start := time.Now()
	for _, r := range all.Relaters() {
		began := time.Now()
		if err := r.Relate(context.Background(), t, &bulwark.Inventory{}, findings, g); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, r.Info().Name, time.Since(began))
	}
	began := time.Now()
	q := question(g)
	c := g.Smallest(q)
	chokes := g.Chokes(q)
	fmt.Fprintln(os.Stderr, "graph", time.Since(began), len(chokes), "choke points")
	took := time.Since(start)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_, relations := g.Len()
	fmt.Println(took.Seconds(), m.Sys>>20, relations, len(c.Paths), len(c.Remedies), c.Bound)
	return nil
}

// found are the findings of the checks of Kubernetes objects.
func found(t *bulwark.Target) (list []bulwark.Finding, err error) {
	kube.Of(t).Workloads()
	for _, c := range all.Checks(all.Options{Now: time.Now(), Hygiene: true}) {
		err := c.Check(context.Background(), t, &bulwark.Inventory{}, func(r bulwark.Record) {
			if f := r.Finding; f != nil {
				f.Asset = t.Asset.ID
				list = append(list, *f)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// question is that of the command: from the internet and any pod, to nodes, cluster-admin,
// clouds, and secrets of other namespaces.
func question(g *graph.Graph) (q graph.Question) {
	for _, v := range g.Vertices() {
		kind, name, _ := strings.Cut(string(v), ":")
		namespace, _, _ := strings.Cut(name, "/")
		switch kind {
		case "internet", "identity":
			if kind == "identity" && name != "CI runner" {
				continue
			}
			q.Starts = append(q.Starts, graph.End{Vertex: v})
		case "workload":
			q.Starts = append(q.Starts, graph.End{Vertex: v, Side: namespace, Likelihood: 0.3})
		case "node", "cluster-admin", "cloud":
			q.Goals = append(q.Goals, graph.End{Vertex: v})
		case "secret":
			q.Goals = append(q.Goals, graph.End{Vertex: v, Side: namespace})
		}
	}
	return q
}
