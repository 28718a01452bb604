package graph_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"bulwark"
	"bulwark/graph"
)

// cluster is a graph as that of a cluster of many workloads: groups between those who reach
// each other, accounts with rights, secrets, nodes.
func cluster(workloads int) (*graph.Graph, graph.Question) {
	rand := rand.New(rand.NewPCG(1, 1))
	g := graph.New()
	var q graph.Question
	id := func(kind string, n int) bulwark.VertexID {
		return bulwark.VertexID(fmt.Sprintf("%s:ns%d/%d", kind, n/20, n))
	}
	add := func(from, to bulwark.VertexID, likelihood float64, remedies ...string) {
		g.Relation(bulwark.Relation{From: from, To: to, Type: "EDGE", Likelihood: likelihood, Text: "does it", Place: &bulwark.Place{Path: "f.yaml", Line: 3}, Remedies: remedies, Because: remedies})
	}
	nodes := max(1, workloads/5)
	for w := range workloads {
		pod, box, account := id("workload", w), id("container", w), id("account", w)
		ns := fmt.Sprint("ns", w/20)
		space := bulwark.VertexID("group:pods of " + ns)
		q.Starts = append(q.Starts, graph.End{Vertex: pod, Side: ns, Likelihood: 0.3})
		q.Goals = append(q.Goals, graph.End{Vertex: id("secret", w), Side: ns})
		add(pod, box, 1)
		add(pod, space, 1)
		add(space, pod, 0.1, fmt.Sprint("cve", w%500), fmt.Sprint("policy", w/20))
		add(box, account, 1, fmt.Sprint("token", w))
		add(box, id("secret", w), 1)
		if rand.IntN(10) == 0 {
			add("internet", pod, 0.2, fmt.Sprint("cve", w%500))
		}
		if rand.IntN(8) == 0 {
			add(account, bulwark.VertexID("group:secrets of ns"+fmt.Sprint(rand.IntN(workloads/20+1))), 1, fmt.Sprint("role", w%200))
		}
		add(bulwark.VertexID("group:secrets of "+ns), id("secret", w), 1)
		for n := range 10 {
			node := bulwark.VertexID(fmt.Sprint("node:", (w*7+n*13)%nodes))
			add(node, box, 1)
			if w%25 == 0 {
				add(box, node, 0.95, fmt.Sprint("privileged", w))
				add(box, node, 0.9, fmt.Sprint("hostpath", w))
			}
		}
		if rand.IntN(500) == 0 {
			add(account, "cluster-admin", 1, fmt.Sprint("role", w%200), fmt.Sprint("binding", w))
		}
	}
	q.Starts = append(q.Starts, graph.End{Vertex: "internet"})
	for n := range nodes {
		q.Goals = append(q.Goals, graph.End{Vertex: bulwark.VertexID(fmt.Sprint("node:", n))})
	}
	q.Goals = append(q.Goals, graph.End{Vertex: "cluster-admin"})
	return g, q
}

func BenchmarkSmallest(b *testing.B) {
	for b.Loop() {
		g, q := cluster(10_000)
		c := g.Smallest(q)
		chokes := g.Chokes(q)
		_, relations := g.Len()
		b.ReportMetric(float64(relations), "relations")
		b.ReportMetric(float64(len(c.Remedies)), "remedies")
		b.ReportMetric(float64(c.Bound), "bound")
		b.ReportMetric(float64(len(c.Paths)), "paths")
		b.ReportMetric(float64(len(chokes)), "chokes")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys>>20), "MB")
	}
}
