package network_test

import (
	"slices"
	"strings"
	"testing"

	"bulwark/network"
)

// What All lists are the ports of every pair, sorted, whatever the cluster.
func TestAll(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(seed)
		e := network.New(w.set(t))
		var want []string
		last := len(e.Endpoints) - 1
		add := func(c network.Connection) {
			if c.From != c.To && !c.Ports.Empty() {
				want = append(want, c.String())
			}
		}
		for i, from := range e.Endpoints[:last] {
			for j, to := range e.Endpoints[:last] {
				add(network.Connection{From: from.String(), To: to.String(), Ports: e.Ports(i, j)})
			}
			for d, blocks := range [][]network.Block{e.Blocks(network.Ingress), e.Blocks(network.Egress)} {
				for j, b := range blocks {
					c := network.Connection{From: from.String(), To: b.String() + "[External]", Ports: e.BlockPorts(network.Direction(d), i, j)}
					if d == int(network.Ingress) {
						c.From, c.To = c.To, c.From
					}
					if b.First.Is4() {
						add(c)
					}
				}
			}
		}
		slices.Sort(want)
		var got []string
		for c := range e.All() {
			got = append(got, c.String())
			if n := len(got); n > 3 && seed%2 == 1 {
				want = want[:n]
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func BenchmarkAll(b *testing.B) {
	e := network.New(town(b, 10_000))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		for range e.All() {
			n++
		}
	}
	b.ReportMetric(float64(n), "connections")
}

func BenchmarkExplain(b *testing.B) {
	e := network.New(town(b, 10_000))
	b.ReportAllocs()
	for b.Loop() {
		e.Explain(17, 4711, network.TCP, 8080)
	}
}

// TestChosen: what is listed of some endpoints is what is listed of all that has one of them.
func TestChosen(t *testing.T) {
	for seed := range uint64(200) {
		e := network.New(newWorld(seed).set(t))
		for _, most := range []int{0, 1, 3} {
			kept := map[string]bool{}
			for i, p := range e.Endpoints {
				if i%5 < most {
					kept[p.String()] = true
				}
			}
			var got, want []string
			for c := range e.All() {
				if kept[c.From] || kept[c.To] {
					want = append(want, c.String())
				}
			}
			for c := range e.List(network.Choice{Keep: func(p *network.Endpoint) bool { return kept[p.String()] }}) {
				got = append(got, c.String())
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d kept:\n%s\nwant\n%s", seed, len(kept), strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}
