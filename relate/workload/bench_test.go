package workload

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/kube/kubetest"
)

// BenchmarkRelate relates 1,000 workloads of ten pods each on 100 nodes.
func BenchmarkRelate(b *testing.B) {
	var text strings.Builder
	for w := range 1000 {
		fmt.Fprintf(&text, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: w%d, namespace: n%d, uid: u%d}, spec: {template: {spec: {serviceAccountName: a%d, volumes: [{name: l, hostPath: {path: /var/log}}], containers: [{name: c, image: x, volumeMounts: [{name: l, mountPath: /l}]}]}}}}\n---\n", w, w%50, w, w)
		for p := range 10 {
			fmt.Fprintf(&text, "{apiVersion: v1, kind: Pod, metadata: {name: w%d-%d, namespace: n%d, ownerReferences: [{uid: u%d, controller: true}]}, spec: {nodeName: node%d, containers: [{name: c}]}}\n---\n", w, p, w%50, w, (w+p*7)%100)
		}
	}
	s := kubetest.Set(b, text.String())
	s.Workloads()
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(draw(b, s).Relations)), "relations")
	}
}
