package graph_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"bulwark"
	"bulwark/graph"
)

// tangled is a graph of which nothing is like that of a cluster: any vertex leads to any other,
// each relation with a few of many remedies.
func tangled(vertices, relations, remedies int) (*graph.Graph, graph.Question) {
	rand := rand.New(rand.NewPCG(3, 4))
	g := graph.New()
	id := func(n int) bulwark.VertexID { return bulwark.VertexID(fmt.Sprint("pod:", n)) }
	var names []string
	for n := range remedies {
		names = append(names, fmt.Sprint("remedy ", n))
	}
	for range relations {
		list := []string{names[rand.IntN(remedies)], names[rand.IntN(remedies)]}
		g.Relation(bulwark.Relation{From: id(rand.IntN(vertices)), To: id(rand.IntN(vertices)), Type: "EDGE", Likelihood: rand.Float64(), Remedies: list, Because: list})
	}
	var q graph.Question
	for n := range vertices / 100 {
		q.Starts = append(q.Starts, graph.End{Vertex: id(n)})
		q.Goals = append(q.Goals, graph.End{Vertex: id(vertices - 1 - n)})
	}
	return g, q
}

// BenchmarkWorst takes two million relations and a hundred thousand remedies, as a cluster has
// them and as none does.
func BenchmarkWorst(b *testing.B) {
	for _, bb := range []struct {
		name string
		make func() (*graph.Graph, graph.Question)
	}{
		{"cluster", func() (*graph.Graph, graph.Question) { return cluster(75_000) }},
		{"tangled", func() (*graph.Graph, graph.Question) { return tangled(200_000, 2_000_000, 100_000) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				g, q := bb.make()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				_, relations := g.Len()
				b.ReportMetric(float64(relations), "relations")
				b.ReportMetric(float64(m.HeapAlloc)/float64(relations), "B/relation")
				b.StartTimer()
				c := g.Smallest(q)
				b.StopTimer()
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(len(c.Remedies)), "remedies")
				b.ReportMetric(float64(c.Bound), "bound")
				b.ReportMetric(float64(len(c.Paths)), "paths")
				b.ReportMetric(float64(m.Sys>>20), "MB")
				b.StartTimer()
			}
		})
	}
}
