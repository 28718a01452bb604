package admission

import (
	"context"
	"fmt"
	"testing"

	"bulwark/kube"
)

const podText = `
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web, tier: front, "app.kubernetes.io/name": web}
spec:
  serviceAccountName: web
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  volumes:
  - {name: tmp, emptyDir: {}}
  - {name: conf, configMap: {name: web}}
  containers:
  - name: web
    image: registry.example.com/web:1.2.3
    ports: [{containerPort: 8080}]
    resources: {limits: {cpu: 500m, memory: 128Mi}, requests: {cpu: 100m, memory: 64Mi}}
    securityContext: {allowPrivilegeEscalation: false, privileged: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
    volumeMounts: [{name: tmp, mountPath: /tmp}, {name: conf, mountPath: /etc/web}]
  - name: proxy
    image: registry.example.com/proxy:1.0
    resources: {limits: {cpu: 500m, memory: 128Mi}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  - name: logs
    image: registry.example.com/logs:2.0
    resources: {limits: {cpu: 500m, memory: 128Mi}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

const head = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: %s}\nspec:\n  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n"

func object(t testing.TB, text string) *kube.Object {
	t.Helper()
	docs := kube.ParseYAML([]byte(text))
	if len(docs) == 0 || docs[0].Err != nil {
		t.Fatalf("%q is no document: %v", text, docs)
	}
	o, ok := kube.NewObject(docs[0].Root, kube.Origin{File: "object.yaml"})
	if !ok {
		t.Fatalf("%q is no object", text)
	}
	return o
}

func parse(t testing.TB, text string) *Set {
	t.Helper()
	s, err := Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Problems {
		t.Errorf("%v", p)
	}
	return s
}

// ordinary are expressions as policies have them.
var ordinary = []string{
	"!has(object.spec.hostNetwork) || !object.spec.hostNetwork",
	"object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)",
	"object.spec.containers.all(c, has(c.resources.limits) && 'memory' in c.resources.limits)",
	"object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))",
	"!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
	"object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.capabilities) && 'ALL' in c.securityContext.capabilities.drop)",
	"has(object.metadata.labels) && 'app.kubernetes.io/name' in object.metadata.labels",
	"object.spec.containers.all(c, c.image.matches('^[a-z0-9./-]+:[0-9.]+$'))",
	"variables.all.all(c, has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && !c.securityContext.allowPrivilegeEscalation)",
	"object.spec.?securityContext.?runAsNonRoot.orValue(false) == true",
}

func ordinaryPolicies(t testing.TB) *Set {
	text := ""
	for i, e := range ordinary {
		text += "---\n" + fmt.Sprintf(head, fmt.Sprintf("p%d", i)) +
			"  variables: [{name: all, expression: 'object.spec.containers + object.spec.?initContainers.orValue([])'}]\n" +
			fmt.Sprintf("  validations: [{expression: %q}]\n", e)
	}
	return parse(t, text)
}

// BenchmarkEvaluate is about one object asked about by policies of one expression each; it
// reports the time for one expression.
func BenchmarkEvaluate(b *testing.B) {
	s, o := ordinaryPolicies(b), object(b, podText)
	start := processor()
	for b.Loop() {
		r := Create(o, nil)
		list, err := s.Evaluate(context.Background(), r)
		r.Done()
		if err != nil || len(list) > 0 {
			b.Fatal(list, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ordinary)), "ns/expression")
	b.ReportMetric(float64((processor()-start).Nanoseconds())/float64(b.N)/float64(len(ordinary)), "cpu-ns/expression")
}

// BenchmarkEvaluateCounted is the same by CEL's interpreter, with the cost of everything counted.
func BenchmarkEvaluateCounted(b *testing.B) {
	s, o := ordinaryPolicies(b), object(b, podText)
	for _, p := range s.Policies {
		for i := range p.validations {
			p.validations[i].direct = nil
		}
	}
	for b.Loop() {
		r := Create(o, nil)
		s.Evaluate(context.Background(), r)
		r.Done()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ordinary)), "ns/expression")
}
