package network_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"bulwark/network"
)

// spoil puts something else into a place of a value here and there.
func spoil(dice *rand.Rand, v any) any {
	if dice.IntN(12) == 0 {
		return []any{nil, "", "x", -1, 70000, 1.5, true, things{}, thing{}, things{nil, "x"}, thing{"x": things{1}}, "10.0.0.0/99", "((((!", "*"}[dice.IntN(14)]
	}
	switch v := v.(type) {
	case thing:
		n := thing{}
		for _, k := range slices.Sorted(maps.Keys(v)) { // in an order, for the dice
			n[k] = spoil(dice, v[k])
		}
		return n
	case things:
		var n things
		for _, x := range v {
			n = append(n, spoil(dice, x))
		}
		return n
	}
	return v
}

// Policies of any kind with anything in any place are answered for, and what is said of them
// stays few.
func TestSpoiled(t *testing.T) {
	for seed := range uint64(400) {
		w := newOthers(seed)
		for _, o := range w.objects {
			if o["spec"] != nil && o["kind"] != "Pod" && o["kind"] != "Deployment" {
				o["spec"] = spoil(w.dice, o["spec"])
			}
		}
		e := network.New(w.set(t))
		e.Connections()
		for i := range e.Endpoints {
			for j := range e.Endpoints {
				e.Conditions(i, j)
			}
		}
		if n := len(e.Problems); n > 40*len(w.objects) {
			t.Fatalf("seed %d: %d problems of %d objects", seed, n, len(w.objects))
		}
	}
}
