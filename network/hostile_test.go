package network_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
)

// times joins n texts.
func times(n int, one func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(one(i))
	}
	return b.String()
}

// TestHostile: a policy that is far too large takes memory in proportion, and the answer for
// all others is there.
func TestHostile(t *testing.T) {
	const size = 50_000 // documents with a million do not come so far: their readers refuse them
	address := func(i int) string { return fmt.Sprintf("%d.%d.%d.%d", 1+i>>20, i>>12&255, i>>4&255, i&15<<4) }
	for _, tt := range []struct{ name, spec string }{
		{"values of a selector", `{"podSelector":{"matchExpressions":[{"key":"app","operator":"NotIn","values":[` + times(size, func(i int) string { return fmt.Sprintf(`"v%d"`, i) }) + `]}]}}`},
		{"blocks of addresses", `{"podSelector":{},"ingress":[{"from":[` + times(size, func(i int) string { return fmt.Sprintf(`{"ipBlock":{"cidr":"%s/32"}}`, address(i)) }) + `]}]}`},
		{"exceptions of a block", `{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"0.0.0.0/0","except":[` + times(size, func(i int) string { return `"` + address(i) + `/32"` }) + `]}}]}]}`},
		{"ports of a rule", `{"podSelector":{},"ingress":[{"ports":[` + times(size, func(i int) string { return fmt.Sprintf(`{"port":%d}`, 1+2*i%65534) }) + `]}]}`},
		{"rules", `{"podSelector":{},"ingress":[` + times(size/10, func(i int) string {
			return fmt.Sprintf(`{"from":[{"podSelector":{"matchLabels":{"app":"v%d"}}}],"ports":[{"port":%d}]}`, i, 1+i%65535)
		}) + `]}`},
		{"mistakes", `{"podSelector":{},"ingress":[{"from":[` + times(size, func(i int) string { return fmt.Sprintf(`{"ipBlock":{"cidr":"x%d"}}`, i) }) + `]}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bytes := len(tt.spec)
			s := town(t, 50)
			s = &kube.Set{Objects: append(s.Objects, textsOf(t, `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"huge","namespace":"ns1"},"spec":`+tt.spec+`}`).Objects...)}
			s.Workloads()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e := network.New(s)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 160<<20+uint64(bytes)*40 {
				t.Errorf("%d MB allocated for %d MB", took>>20, bytes>>20)
			}
			if n := len(e.Problems); n > 50 {
				t.Errorf("%d problems", n)
			}
			was := network.New(town(t, 50))
			for i, from := range e.Endpoints {
				for j, to := range e.Endpoints {
					if from.Namespace != "ns1" && to.Namespace != "ns1" && !e.Ports(i, j).Equal(was.Ports(i, j)) {
						t.Fatalf("%v -> %v: %v, without it %v", from, to, e.Ports(i, j), was.Ports(i, j))
					}
				}
			}
		})
	}
}
