package network_test

import (
	"slices"
	"testing"

	"bulwark/network"

	"github.com/google/go-cmp/cmp"
)

// Addresses are cut where policies name them, one item at a time: items that touch or lie in
// each other stay apart, what an item leaves out in two steps does not. It is the same when what
// names them comes to nothing, and when the policy comes later.
func TestCutByItems(t *testing.T) {
	whole := []string{"0.0.0.0-255.255.255.255"}
	halves := []string{"0.0.0.0-9.255.255.255", "10.0.0.0-10.127.255.255", "10.128.0.0-10.255.255.255", "11.0.0.0-255.255.255.255"}
	one := []string{"0.0.0.0-9.255.255.255", "10.0.0.0-10.255.255.255", "11.0.0.0-255.255.255.255"}
	nested := []string{"0.0.0.0-9.255.255.255", "10.0.0.0-10.0.255.255", "10.1.0.0-10.1.255.255", "10.2.0.0-10.255.255.255", "11.0.0.0-255.255.255.255"}
	policy := func(spec string) string {
		return `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"web"}},` + spec + `}}`
	}
	for name, c := range map[string]struct {
		policy          string
		ingress, egress []string
	}{
		"two that touch":               {policy(`"policyTypes":["Egress"],"egress":[{"to":[{"ipBlock":{"cidr":"10.0.0.0/9"}},{"ipBlock":{"cidr":"10.128.0.0/9"}}]}]`), whole, halves},
		"one in the other":             {policy(`"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}},{"ipBlock":{"cidr":"10.1.0.0/16"}}]}]`), nested, whole},
		"two left out that touch":      {policy(`"ingress":[{"from":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/9","10.128.0.0/9"]}}]}]`), one, whole},
		"a port that nobody has":       {policy(`"policyTypes":["Egress"],"egress":[{"to":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"port":"nobody"}]}]`), whole, one},
		"a direction that is left out": {policy(`"policyTypes":["Ingress"],"egress":[{"to":[{"ipBlock":{"cidr":"10.0.0.0/8"}}]}]`), whole, one},
		"networks that touch": {`{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"AdminNetworkPolicy","metadata":{"name":"p"},"spec":{"priority":1,"subject":{"namespaces":{}},` +
			`"egress":[{"action":"Deny","to":[{"networks":["10.0.0.0/9","10.128.0.0/9"]}]}]}}`, whole, halves},
	} {
		t.Run(name, func(t *testing.T) {
			plain := network.New(setOf(t, shop))
			for _, e := range []*network.Engine{network.New(setOf(t, shop+c.policy)), plain.With(setOf(t, c.policy).Objects[0])} {
				for d, want := range [2][]string{c.ingress, c.egress} {
					var got []string
					for _, b := range e.Blocks(network.Direction(d)) {
						if b.First.Is4() {
							got = append(got, b.String())
						}
					}
					slices.Sort(got)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s (-want +got)\n%s", network.Direction(d), diff)
					}
				}
			}
		})
	}
}
