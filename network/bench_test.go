package network_test

import (
	"fmt"
	"testing"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/network"
)

// town is a set of workloads with a policy for each, and a default deny in each namespace
// of about a dozen.
func town(tb testing.TB, workloads int) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	add := func(text string, a ...any) {
		s.Objects = append(s.Objects, kubetest.Object(tb, text, a...))
	}
	spaces := max(1, workloads*8/100)
	for n := range spaces {
		add(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns%d","labels":{"team":"t%d"}}}`, n, n%7)
		add(`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny","namespace":"ns%d"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"],"egress":[{"to":[{"namespaceSelector":{}}],"ports":[{"protocol":"UDP","port":53}]}]}}`, n)
	}
	for i := range workloads {
		n := i % spaces
		add(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w%d","namespace":"ns%d"},"spec":{"template":{"metadata":{"labels":{"app":"w%d","tier":"r%d"}},"spec":{"containers":[{"name":"c","image":"x","ports":[{"name":"http","containerPort":8080}]}]}}}}`, i, n, i, i%3)
		add(`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p%d","namespace":"ns%d"},"spec":{"podSelector":{"matchLabels":{"app":"w%d"}},"policyTypes":["Ingress","Egress"],
			"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"w%d"}}},{"namespaceSelector":{"matchLabels":{"team":"t%d"}},"podSelector":{"matchExpressions":[{"key":"tier","operator":"In","values":["r1","r2"]}]}}],"ports":[{"port":8080}]},{"from":[{"ipBlock":{"cidr":"10.%d.0.0/16","except":["10.%d.3.0/24"]}}],"ports":[{"port":9000,"endPort":9010}]}],
			"egress":[{"to":[{"podSelector":{"matchLabels":{"app":"w%d"}}}],"ports":[{"port":8080}]}]}}`, i, n, i, (i+spaces)%workloads, i%7, i%200, i%200, (i+2*spaces)%workloads)
	}
	s.Len()
	s.Workloads()
	return s
}

func BenchmarkNew(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := town(b, n)
			b.ReportAllocs()
			for b.Loop() {
				network.New(s)
			}
		})
	}
}
