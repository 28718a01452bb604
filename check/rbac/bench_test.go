package rbac

import (
	"fmt"
	"strings"
	"testing"

	"bulwark/kube"
)

// largeSet is n roles and n bindings, of which every tenth is dangerous.
func largeSet(tb testing.TB, n int) *kube.Set {
	tb.Helper()
	var b strings.Builder
	for i := range n {
		verbs := `"get"`
		if i%10 == 0 {
			verbs = `"get","list","create"`
		}
		fmt.Fprintf(&b, `---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r%[1]d"},"rules":[{"apiGroups":[""],"resources":["configmaps","secrets","pods"],"verbs":[%[3]s]},{"apiGroups":["apps"],"resources":["deployments","statefulsets"],"verbs":["get","list","watch"]},{"apiGroups":["shop.example.com"],"resources":["*"],"verbs":["*"]}]}
---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b%[1]d","namespace":"ns%[2]d"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r%[1]d"},"subjects":[{"kind":"ServiceAccount","name":"sa%[1]d"},{"kind":"User","name":"u%[1]d"}]}
`, i, i%100, verbs)
	}
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(b.String())) {
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"})
		if !ok {
			tb.Fatal("no object")
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

func BenchmarkCheck(b *testing.B) {
	objects := largeSet(b, 10_000).Objects
	for b.Loop() {
		if len(findings(b, &kube.Set{Objects: objects})) == 0 {
			b.Fatal("nothing is found")
		}
	}
	b.ReportMetric(float64(len(objects))*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkSubjects judges a role with many dangers that 100,000 subjects have.
func BenchmarkSubjects(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},"subjects":[`)
	for i := range 100_000 {
		fmt.Fprintf(&text, `{"kind":"ServiceAccount","name":"sa%d","namespace":"ns%d"},`, i, i%100)
	}
	text.WriteString(`{"kind":"User","name":"u"}]}
---
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"},"rules":[{"apiGroups":["","apps"],"resources":["secrets","pods","pods/exec","pods/attach","nodes/proxy","nodes","namespaces","configmaps"],"verbs":["*"]}]}`)
	var objects []*kube.Object
	for _, d := range kube.ParseYAML([]byte(text.String())) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"}); ok {
			objects = append(objects, o)
		}
	}
	for b.Loop() {
		if len(findings(b, &kube.Set{Objects: objects})) < 5 {
			b.Fatal("too little is found")
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "subjects/s")
}
