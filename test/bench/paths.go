package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
	"bulwark/kube"
	source "bulwark/source/cluster"
	"bulwark/test/internal/synth"
)

// paths relates everything in a cluster of that many pods, looks for the smallest set of
// changes, and prints seconds for that (on the clock, and of processors), MB that it takes and that
// the process has had, how many relations, critical paths and changes there are, and how many are
// needed at least. What it takes to read the cluster as a snapshot and to check it is told beside it.
func paths(pods string) error {
	n, err := strconv.Atoi(pods)
	if err != nil {
		return err
	}
	watch := newStopwatch()
	t, err := seen(n)
	if err != nil {
		return err
	}
	watch.lap(fmt.Sprint("read ", t.Objects.Len(), " objects"))
	findings, err := found(t)
	if err != nil {
		return err
	}
	watch.lap(fmt.Sprint("checks, ", len(findings), " findings"))
	g := graph.New()
	start, busy, before := time.Now(), processor(), heap()
	for _, r := range all.Relaters() {
		if err := r.Relate(context.Background(), t, &bulwark.Inventory{}, findings, g); err != nil {
			return err
		}
		watch.lap(r.Info().Name)
	}
	q := question(g)
	c := g.Smallest(q)
	watch.lap("smallest set")
	chokes := g.Chokes(q)
	watch.lap(fmt.Sprint(len(chokes), " choke points"))
	took, used := time.Since(start), processor()-busy
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_, relations := g.Len()
	fmt.Println(took.Seconds(), used.Seconds(), float64(heap()-before)/1e6, m.Sys>>20, relations, len(c.Paths), len(c.Remedies), c.Bound)
	runtime.KeepAlive(t)
	runtime.KeepAlive(findings)
	runtime.KeepAlive(g)
	return nil
}

// stopwatch tells what the steps of a run take.
type stopwatch struct {
	at   time.Time
	busy time.Duration
}

func newStopwatch() *stopwatch { return &stopwatch{time.Now(), processor()} }

func (w *stopwatch) lap(step string) {
	now, busy := time.Now(), processor()
	fmt.Fprintf(os.Stderr, "%-28s %6.2f s, %6.2f s of processors, heap %d MB\n", step, now.Sub(w.at).Seconds(), (busy - w.busy).Seconds(), alive()>>20)
	w.at, w.busy = time.Now(), processor()
}

// alive is what the heap has, with what was not collected yet.
func alive() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// seen reads a cluster as Bulwark keeps it when it looks at one.
func seen(pods int) (*bulwark.Target, error) {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 256<<10)
		fmt.Fprintln(out, `{"bulwark":"cluster-snapshot/v1","cluster":"bench","version":"v1.34.1"}`)
		n := 0
		for data := range synth.Seen(1, pods) {
			n++
			out.Write(data)
			out.WriteByte('\n')
		}
		fmt.Fprintf(out, `{"end":{"objects":%d}}`+"\n", n)
		out.Flush()
		w.Close()
	}()
	return (&source.Snapshot{Stdin: r}).Open(context.Background(), "-")
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

// attack measures the attack graph.
func (b *bench) attack(self string) error {
	for _, n := range []int{10_000, 100_000} {
		f, _, err := b.figures(1, self, "paths", fmt.Sprint(n))
		if err != nil {
			return err
		}
		fmt.Printf("| attack graph of %d pods, %.0f relations, and the smallest set of changes for %.0f paths (%.0f, at least %.0f): %.2f s (%.2f s of processors), %.0f MB; process %.0f MB with the objects | | | | | |\n",
			n, f[4], f[5], f[6], f[7], f[0], f[1], f[2], f[3])
	}
	return nil
}
