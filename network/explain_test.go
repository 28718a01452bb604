package network_test

import (
	"testing"

	"bulwark/network"
)

// What Explain says is what rows say, for every pair of a town.
func TestExplainAgrees(t *testing.T) {
	e := network.New(town(t, 40))
	for i := range e.Endpoints {
		for j := range e.Endpoints {
			ports := e.Ports(i, j)
			for _, port := range []uint16{53, 80, 8080, 9005} {
				for _, proto := range []network.Protocol{network.TCP, network.UDP} {
					egress, ingress := e.Explain(i, j, proto, port)
					if got, want := egress.Allowed && ingress.Allowed, ports.Has(proto, port); got != want {
						t.Fatalf("%v -> %v %v %d: %v, rows say %v", e.Endpoints[i], e.Endpoints[j], proto, port, got, want)
					}
				}
			}
		}
	}
}
