package network_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"bulwark"
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

// most is how many values a document may have: readers refuse longer ones.
const most = 240_000

// TestReadersRefuse: a selector with a million values does not come as far as the engine.
func TestReadersRefuse(t *testing.T) {
	_, err := kube.ParseJSON([]byte(`{"spec":{"podSelector":{"matchExpressions":[{"key":"app","operator":"In","values":[` + times(1_000_000, func(i int) string { return fmt.Sprintf(`"v%d"`, i) }) + `]}]}}}`))
	if !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("a million values: %v", err)
	}
}

// TestHostile: a policy that is as large as readers let through, and eight of its kind with a
// million values and more together: what it takes to read them is in proportion, what is kept
// of them is little, and the answer for all others is there.
func TestHostile(t *testing.T) {
	address := func(i int) string { return fmt.Sprintf("%d.%d.%d.%d", 1+i>>20, i>>12&255, i>>4&255, i&15<<4) }
	values := times(most, func(i int) string { return fmt.Sprintf(`"v%d"`, i) })
	for _, tt := range []struct {
		name, spec string
		copies     int
		// takes and keeps are how many bytes for each of the text are allocated, and how many the
		// engine has at the end.
		takes, keeps uint64
	}{
		{"values of a selector", `{"podSelector":{"matchExpressions":[{"key":"app","operator":"NotIn","values":[` + values + `]}]}}`, 5, 24, 0},
		{"values of namespaces", `{"podSelector":{},"ingress":[{"from":[{"namespaceSelector":{"matchExpressions":[{"key":"team","operator":"In","values":[` + values + `]}]}}]}]}`, 5, 24, 0},
		{"labels", `{"podSelector":{"matchLabels":{` + times(most, func(i int) string { return fmt.Sprintf(`"k%d":"v"`, i) }) + `}}}`, 5, 40, 0},
		{"blocks of addresses", `{"podSelector":{},"ingress":[{"from":[` + times(most/4, func(i int) string { return fmt.Sprintf(`{"ipBlock":{"cidr":"%s/32"}}`, address(i)) }) + `]}]}`, 1, 80, 12},
		{"exceptions of a block", `{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"0.0.0.0/0","except":[` + times(most/2, func(i int) string { return `"` + address(i) + `/32"` }) + `]}}]}]}`, 1, 130, 14},
		{"ports of a rule", `{"podSelector":{},"ingress":[{"ports":[` + times(most/4, func(i int) string { return fmt.Sprintf(`{"port":%d}`, 1+2*i%65534) }) + `]}]}`, 5, 36, 1},
		{"rules", `{"podSelector":{},"ingress":[` + times(most/40, func(i int) string {
			return fmt.Sprintf(`{"from":[{"podSelector":{"matchLabels":{"app":"v%d"}}}],"ports":[{"port":%d}]}`, i, 1+i%65535)
		}) + `]}`, 1, 70, 12},
		{"mistakes", `{"podSelector":{},"ingress":[{"from":[` + times(most/4, func(i int) string { return fmt.Sprintf(`{"ipBlock":{"cidr":"x%d"}}`, i) }) + `]}]}`, 5, 30, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &kube.Set{Objects: town(t, 50).Objects}
			if testing.Short() {
				tt.copies = 1
			}
			for i := range tt.copies {
				s.Objects = append(s.Objects, textsOf(t, fmt.Sprintf(`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"huge%d","namespace":"ns1"},"spec":%s}`, i, tt.spec)).Objects...)
			}
			s.Workloads()
			bytes := uint64(len(tt.spec) * tt.copies)
			var before, after, kept runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			e := network.New(s)
			runtime.ReadMemStats(&after)
			runtime.GC()
			runtime.ReadMemStats(&kept)
			t.Logf("%d KB of text: %d KB allocated, %d KB kept", bytes>>10, (after.TotalAlloc-before.TotalAlloc)>>10, (int64(kept.HeapAlloc)-int64(before.HeapAlloc))>>10)
			if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20+bytes*tt.takes {
				t.Errorf("%d MB allocated for %d MB", took>>20, bytes>>20)
			}
			if live := int64(kept.HeapAlloc) - int64(before.HeapAlloc); live > int64(2<<20+bytes*tt.keeps) {
				t.Errorf("%d KB kept of %d KB", live>>10, bytes>>10)
			}
			if n := len(e.Problems); n > 30*tt.copies {
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
			runtime.KeepAlive(s)
		})
	}
}
