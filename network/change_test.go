package network_test

import (
	"testing"

	"bulwark/kube/kubetest"
	"bulwark/network"
)

// Whatever is changed one by one, the engine says what the oracle does, and the engines before
// still say what they did.
func TestChanges(t *testing.T) {
	n := uint64(500)
	if testing.Short() {
		n = 100
	}
	for seed := range n {
		w := newWorld(seed)
		e := network.New(w.set(t))
		before, was := *w, e
		for i := range 1 + w.dice.IntN(4) {
			e = w.change(t, i, e)
		}
		if !w.agrees(t, seed, e) || !before.agrees(t, seed, was) {
			t.Fatalf("seed %d", seed)
		}
	}
}

// change takes a policy away, puts another in its place or adds one.
func (w *world) change(t *testing.T, n int, e *network.Engine) *network.Engine {
	t.Helper()
	old := append([]thing(nil), w.policies...)
	if len(old) > 0 && w.chance(70) {
		i := w.dice.IntN(len(old))
		gone := old[i]
		w.policies = append(old[:i:i], old[i+1:]...)
		w.forgive(gone)
		if w.chance(40) {
			return e.Without(objectOf(t, gone))
		}
		l := lawOf(gone)
		next := l.make(w, 10+n)
		next["metadata"] = gone["metadata"]
		w.policies = append(w.policies, next)
		return e.With(objectOf(t, next))
	}
	next := makeNetworkPolicy(w, 20+n)
	w.policies = append(old, next)
	return e.With(objectOf(t, next))
}

// forgive forgets that a policy is refused; the world before has it still.
func (w *world) forgive(policy thing) {
	refused := map[string]bool{}
	for name, is := range w.refused {
		refused[name] = is && name != nameOf(policy)
	}
	w.refused = refused
}

// BenchmarkWith replaces one policy of ten thousand workloads', by one that has the addresses
// of the other and by one that has new ones.
func BenchmarkWith(b *testing.B) {
	s := town(b, 10_000)
	e := network.New(s)
	if s.Find("ns5/NetworkPolicy/p5") == nil {
		b.Fatal("there is no such policy")
	}
	for name, cidr := range map[string]string{"same": "10.5.0.0/16", "cut": "10.5.1.0/24"} {
		o := kubetest.Object(b, `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p5","namespace":"ns5"},
			"spec":{"podSelector":{"matchLabels":{"app":"w5"}},"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"w805"}}},{"ipBlock":{"cidr":%q}}],"ports":[{"port":8080}]}]}}`, cidr)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.With(o)
			}
		})
	}
}
