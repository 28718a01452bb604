package network_test

import (
	"testing"

	"bulwark/network"
)

// A policy that is taken away and put back leaves the answer as it was, whatever kinds there
// are besides.
func TestChangeAmongOthers(t *testing.T) {
	for seed := range uint64(60) {
		w := newOthers(seed)
		s := w.set(t)
		e := network.New(s)
		for _, o := range s.Objects {
			if o.Kind != "NetworkPolicy" && o.Kind != "ClusterNetworkPolicy" {
				continue
			}
			if text := w.differs(e.Without(o).With(o)); text != "" {
				t.Fatalf("seed %d, %s: %s", seed, o.ID(), text)
			}
		}
	}
}
