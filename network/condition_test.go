package network_test

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/network"
)

// What a connection depends on is told with each: a rule that asks for very much is told in part.
func TestLongCondition(t *testing.T) {
	paths := times(20_000, func(i int) string { return fmt.Sprintf(`{"path":"/ä%d"}`, i) })
	e := network.New(setOf(t, shop+`{"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"p","namespace":"shop"},"spec":{"endpointSelector":{"matchLabels":{"app":"web"}},"ingress":[{"toPorts":[{"ports":[{"port":"80","protocol":"TCP"}],"rules":{"http":[`+paths+`]}}]}]}}`))
	for i, p := range e.Endpoints {
		for j := range e.Endpoints {
			for _, c := range e.Conditions(j, i) {
				if p.Name != "web" || len(c.Text) > 400 || !strings.HasSuffix(c.Text, " ...") {
					t.Errorf("%v: %d bytes", p, len(c.Text))
				}
			}
		}
	}
	if len(e.Conditions(0, 4)) == 0 && len(e.Conditions(0, 3)) == 0 {
		t.Error("nothing depends on anything")
	}
}
