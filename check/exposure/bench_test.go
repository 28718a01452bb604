package exposure

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// application is what a team deploys; every tenth is careless.
func application(i int) string {
	serviceType, tls, env := "ClusterIP", "tls: [{hosts: [a%[1]d.example.org], secretName: web}]", "{name: LOG_LEVEL, value: info}"
	if i%10 == 0 {
		serviceType, tls, env = "LoadBalancer", "ingressClassName: nginx", "{name: DB_PASSWORD, value: staple9battery}, {name: DB_URL, value: 'postgres://db.example.net/app?sslmode=disable'}"
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%[1]d, namespace: ns-%[2]d, labels: {app: web-%[1]d}}
spec:
  template:
    metadata: {labels: {app: web-%[1]d}}
    spec:
      serviceAccountName: web
      volumes: [{name: key, secret: {secretName: web-%[1]d}}]
      containers:
      - {name: app, image: 'registry.example.org/app:1', args: ['--port=8080', '--config=/etc/app/app.yaml'], ports: [{containerPort: 8080}], env: [%[4]s, {name: TOKEN, valueFrom: {secretKeyRef: {name: web, key: token}}}, {name: BASE_URL, value: 'https://a.example.org'}]}
      - {name: proxy, image: 'registry.example.org/proxy:1', args: ['--upstream=http://localhost:8080']}
---
apiVersion: v1
kind: Service
metadata: {name: web-%[1]d, namespace: ns-%[2]d}
spec: {type: %[3]s, selector: {app: web-%[1]d}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web-%[1]d, namespace: ns-%[2]d, annotations: {cert-manager.io/cluster-issuer: le}}
spec:
  `+tls+`
  rules: [{host: a%[1]d.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web-%[1]d, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-%[1]d, namespace: ns-%[2]d}
data: {app.yaml: "log:\n  level: info\nserver:\n  port: 8080\n  timeout: 30s\ndatabase:\n  host: db\n  name: app\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: web-%[1]d, namespace: ns-%[2]d}
stringData: {password: staple9battery-%[1]d, username: app}
`, i, i%50, serviceType, env)
}

// BenchmarkObjects measures all rules, those of hygiene too, over objects that are decoded.
func BenchmarkObjects(b *testing.B) {
	var objects []*kube.Object
	for i := range 400 {
		for _, d := range kube.ParseYAML([]byte(application(i))) {
			o, _ := kube.NewObject(d.Root, kube.Origin{File: fmt.Sprintf("%d.yaml", i)})
			objects = append(objects, o)
		}
	}
	f := New(Options{Now: caseTime})
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		s := &kube.Set{Objects: slices.Clone(objects)}
		s.Workloads()
		b.StartTimer()
		if err := f.Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(bulwark.Record) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(objects)*b.N)/b.Elapsed().Seconds(), "objects/s")
}
