package workload

import (
	"context"
	"fmt"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// deployments is a set as clusters have it: most workloads are plain, every tenth is bad.
func deployments(n int) *kube.Set {
	s := &kube.Set{}
	for i := range n {
		extra := "resources: {limits: {memory: 1Gi, cpu: 1}, requests: {memory: 512Mi, cpu: 100m}}, ports: [{containerPort: 80}], args: ['--port=80', '--verbose']"
		volumes := "[{name: tmp, emptyDir: {}}]"
		if i%10 == 0 {
			extra += ", securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN]}}, volumeMounts: [{name: host, mountPath: /host}]"
			volumes = "[{name: host, hostPath: {path: /}}]"
		} else {
			extra += ", securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
		}
		text := fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%d, namespace: ns-%d}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web-%d}}
    spec:
      volumes: %s
      containers:
      - {name: app, image: 'registry.example.org/team/app:1.%d', %s}
      - {name: proxy, image: 'registry.example.org/mesh/proxy:1.20', %s}
`, i, i%50, i, volumes, i, extra, extra)
		o, _ := kube.NewObject(kube.ParseYAML([]byte(text))[0].Root, kube.Origin{File: fmt.Sprintf("%d.yaml", i)})
		s.Objects = append(s.Objects, o)
	}
	s.Workloads()
	return s
}

// BenchmarkObjects measures all rules, those of hygiene too, over workloads of two
// containers that are decoded.
func BenchmarkObjects(b *testing.B) {
	s := deployments(1000)
	f := New()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if err := f.Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(bulwark.Record) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkDangers leaves hygiene out, as a scan does by default.
func BenchmarkDangers(b *testing.B) {
	s := deployments(1000)
	f := New().WithHygiene(false)
	b.ResetTimer()
	for b.Loop() {
		if err := f.Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(bulwark.Record) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "objects/s")
}
