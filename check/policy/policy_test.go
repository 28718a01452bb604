package policy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
	"bulwark/policy/admission"
)

// TestExamples holds the ready policies to their cases: each has some of both kinds.
func TestExamples(t *testing.T) {
	root := filepath.Join("..", "..", "policy", "examples")
	files, err := filepath.Glob(filepath.Join(root, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, ".cases.yaml") {
			continue
		}
		tests, err := TestFile(os.DirFS(root), name)
		if err != nil || len(tests) != 1 {
			t.Errorf("%s: %v, %d policies", name, err, len(tests))
			continue
		}
		tried++
		if len(tests[0].Failures) > 0 || tests[0].Cases < 2 {
			t.Errorf("%s: %d cases, failures %q", name, tests[0].Cases, tests[0].Failures)
		}
	}
	if tried < 10 {
		t.Errorf("%d policies, want 10", tried)
	}
}

const policies = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: no-host-network
  annotations: {bulwark.dev/severity: high, bulwark.dev/title: A pod has the network of its node, bulwark.dev/fix: leave hostNetwork out, bulwark.dev/tags: "pss:hostNamespaces"}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations:
  - {expression: "!object.spec.?hostNetwork.orValue(false)", message: it has the network of its node}
  - {expression: "object.spec.containers.all(c, c.image != 'bad')", messageExpression: "'image of ' + object.spec.containers[0].name"}
  auditAnnotations: [{key: seen, valueExpression: "'pod ' + object.spec.containers[0].name"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: warned}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}
  validations: [{expression: "'team' in object.metadata.?labels.orValue({})", message: no team}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: warned}
spec: {policyName: warned, validationActions: [Warn, Audit]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: rights}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
  validations: [{expression: "authorizer.group('').resource('pods').check('create').allowed()"}]
`

const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: a}}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
      - name: ok
        image: fine
      - name: web
        image: bad
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
`

func targetOf(t *testing.T, text string) *bulwark.Target {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "app.yaml"})
		if !ok {
			t.Fatalf("line %d is no object", d.Line)
		}
		s.Objects = append(s.Objects, o)
	}
	return &bulwark.Target{Objects: s}
}

func TestFindings(t *testing.T) {
	set, err := admission.Parse("policies.yaml", []byte(policies))
	if err != nil || len(set.Problems) > 0 {
		t.Fatal(err, set)
	}
	type row struct {
		Rule, Severity, Title, Subject, Path string
		Line                                 int
		Evidence                             []string
	}
	var got []row
	var notes []string
	err = New(set).Check(context.Background(), targetOf(t, objects), nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil {
			got = append(got, row{f.Rule, f.Severity.String(), f.Title, f.Subject, f.Path, f.Line, f.Evidence})
			if f.Kind != bulwark.KindMisconfig || f.Key == "" {
				t.Errorf("%+v", f)
			}
		}
		if r.Note != nil {
			notes = append(notes, r.Note.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []row{
		{"policy/no-host-network", "high", "A pod has the network of its node", "default/Deployment/web", "app.yaml", 8, []string{
			"the pods that it makes: it has the network of its node", "audit: seen: pod ok", "the pods that it makes: image of ok",
		}},
		{"policy/warned", "low", "The policy warned is not kept", "default/Service/web", "app.yaml", 17, []string{"no team", "by the binding warned (Warn, Audit)"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"the policy rights asks about rights (authorizer), which only a cluster can answer: 1 objects are not held to it"}, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if rules := New(set).Rules(); len(rules) != 3 || rules[0].ID != "policy/no-host-network" || rules[0].FalsePositives == "" {
		t.Errorf("rules %+v", rules)
	}
}
