package network_test

import (
	"path/filepath"
	"testing"

	"bulwark/kube"
	"bulwark/kube/kubetest"
	"bulwark/network"
)

// reachesAgree holds Reaches to all pairs, one by one.
func reachesAgree(t *testing.T, e *network.Engine) {
	t.Helper()
	list, complete := e.Reaches()
	if !complete {
		t.Error("not complete")
	}
	got := map[[2]int]bool{}
	for _, r := range list {
		for _, from := range r.From {
			for _, to := range r.To {
				if got[[2]int{from, to}] {
					t.Fatalf("%v -> %v twice", e.Endpoints[from], e.Endpoints[to])
				}
				got[[2]int{from, to}] = true
			}
		}
	}
	listening := e.Listening()
	for i, from := range e.Endpoints[:len(e.Endpoints)-1] {
		for j, to := range e.Endpoints[:len(e.Endpoints)-1] {
			want := !e.Ports(i, j).Intersect(listening[j]).Empty()
			if !from.Host && !to.Host && got[[2]int{i, j}] != want {
				t.Errorf("%v -> %v: %v, want %v", from, to, !want, want)
			}
		}
	}
}

func TestReaches(t *testing.T) {
	reachesAgree(t, network.New(town(t, 60)))
	folders, _ := filepath.Glob(cases + "/*/manifests")
	for _, folder := range folders {
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) { reachesAgree(t, network.New(objects(t, folder))) })
	}
}

// What stands in the network of its node is reached past policies of its own.
func TestReachesOfHosts(t *testing.T) {
	e := network.New(kubetest.Set(t, web+`
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: shop}
spec: {hostNetwork: true, containers: [{name: c, image: x, ports: [{containerPort: 9100}]}]}
---
`+policy("[]")))
	list, _ := e.Reaches()
	reached := map[string]int{}
	for _, r := range list {
		for range r.From {
			for _, to := range r.To {
				reached[e.Endpoints[to].Name]++
			}
		}
	}
	if reached["host"] != 2 || reached["web"] != 0 {
		t.Errorf("reached by so many: %v", reached)
	}
}

func BenchmarkReaches(b *testing.B) {
	e := network.New(town(b, 10_000))
	for b.Loop() {
		e.Reaches()
	}
}

func BenchmarkExposures(b *testing.B) {
	e := network.New(town(b, 10_000))
	for b.Loop() {
		e.Exposures()
	}
}

// BenchmarkExposuresOfServices has a node port for each workload, and hundreds of blocks.
func BenchmarkExposuresOfServices(b *testing.B) {
	s := town(b, 2000)
	for i := range 2000 {
		s.Objects = append(s.Objects, kubetest.Object(b, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"w%d","namespace":"ns%d"},"spec":{"type":"NodePort","selector":{"app":"w%d"},"ports":[{"port":9000}]}}`, i, i%160, i))
	}
	t := &kube.Set{Objects: s.Objects}
	e := network.New(t)
	for b.Loop() {
		e.Exposures()
	}
}
