package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/kube"
)

// told are decisions as "POLICY[INDEX] MESSAGE (PATH)".
func told(list []Decision) []string {
	var texts []string
	for _, d := range list {
		s := fmt.Sprintf("%s[%d] %s", d.Policy.Name, d.Index, d.Message)
		if len(d.Path) > 0 {
			s += " (" + kube.PathText(d.Path...) + ")"
		}
		switch {
		case d.Verdict == Unknown:
			s += " unknown"
		case !d.Denied:
			s += " not denied"
		}
		texts = append(texts, s)
	}
	return texts
}

func evaluate(t testing.TB, s *Set, r *Request) []string {
	t.Helper()
	list, err := s.Evaluate(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return told(list)
}

// TestPathOfWhatDecided holds that the field that a validation is broken by is told.
func TestPathOfWhatDecided(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: a}}
spec:
  hostNetwork: true
  volumes: [{name: a, emptyDir: {}}, {name: b, hostPath: {path: /}}]
  containers:
  - {name: a, image: a, securityContext: {privileged: false}}
  - {name: b, image: b, securityContext: {privileged: true}}
  - {name: c, image: c, args: [x, y]}
`
	for _, tt := range []struct{ expression, path string }{
		{"!object.spec.hostNetwork", "spec.hostNetwork"},
		{"!has(object.spec.hostNetwork)", "spec.hostNetwork"},
		{"object.spec.volumes.all(v, !has(v.hostPath))", "spec.volumes[1].hostPath"},
		{"object.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))", "spec.containers[1].securityContext.privileged"},
		{"!object.spec.containers.exists(c, c.image == 'b')", "spec.containers[1].image"},
		{"object.spec.containers.exists(c, c.image == 'z')", "spec.containers"},
		{"object.spec.containers.all(c, has(c.resources.limits))", "spec.containers[0].resources.limits"},
		{"object.spec.containers.all(c, c.name != 'c')", "spec.containers[2].name"},
		{"variables.all.all(c, c.name != 'b')", "spec.containers[1].name"},
		{"'team' in object.metadata.labels", "metadata.labels.team"},
		{"has(object.metadata.annotations)", "metadata.annotations"},
		{"object.spec.containers.all(c, !has(c.args) || c.args.all(a, a != 'y'))", "spec.containers[2].args"},
		{"true == false", ""},
	} {
		s := parse(t, fmt.Sprintf(head, "p")+"  variables: [{name: all, expression: 'object.spec.containers + object.spec.?initContainers.orValue([])'}]\n  validations: [{expression: \""+tt.expression+"\", message: no}]\n")
		want := "p[0] no (" + tt.path + ")"
		if tt.path == "" {
			want = "p[0] no"
		}
		if diff := cmp.Diff([]string{want}, evaluate(t, s, Create(object(t, pod), nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.expression, diff)
		}
	}
}

// TestProblemsSayWhere holds that what is wrong is told by the line and column of the file.
func TestProblemsSayWhere(t *testing.T) {
	text := fmt.Sprintf(head, "p") + `  failurePolicy: Maybe
  variables:
  - {name: "a b", expression: "1"}
  validations:
  - expression: object.x == nosuch
  - expression: |
      object.a == 1 &&

        object.b == nosuch
  - expression: >-
      object.a == 1
      && object.b == nosuch
  - expression: "true == 'x'"
  - expression: 'object.a +'
  - expression: object.spec
    messageExpression: "1"
  - expression: variables.gone
  - expression: request.nosuch
  - expression: "true"
    reason: Because
    unknown: 1
  - {expression: ""}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: nowhere, validationActions: [Deny]}
---
{apiVersion: v1
`
	s, err := Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.Problems {
		got = append(got, p.String())
	}
	want := []string{
		`policy.yaml:6:18: p: "Maybe" is no failurePolicy: Fail and Ignore are`,
		`policy.yaml:8:12: p: "a b" is no name for a variable, or is one already`,
		`policy.yaml:10:29: p: undeclared reference to 'nosuch' (in container '')`,
		`policy.yaml:14:21: p: undeclared reference to 'nosuch' (in container '')`,
		`policy.yaml:17:22: p: undeclared reference to 'nosuch' (in container '')`,
		`policy.yaml:18:23: p: found no matching overload for '_==_' applied to '(bool, string)'`,
		`policy.yaml:19:28: p: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
		`policy.yaml:20:17: p: the expression must be bool, and is dyn`,
		`policy.yaml:21:24: p: the expression must be string, and is int`,
		`policy.yaml:22:26: p: undefined field 'gone'`,
		`policy.yaml:23:24: p: undefined field 'nosuch'`,
		`policy.yaml:25:13: p: "Because" is no reason: Unauthorized, Forbidden, Invalid and RequestEntityTooLarge are`,
		`policy.yaml:26:1: p: spec.validations[8].unknown: there is no such field`,
		`policy.yaml:27:18: p: the expression is empty`,
	}
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	rest := strings.Join(got[min(len(want), len(got)):], "\n")
	if len(s.Policies) != 0 || !strings.Contains(rest, `there is no policy "nowhere" among the files`) || !strings.Contains(rest, "malformed") {
		t.Errorf("%d policies, and problems\n%s", len(s.Policies), rest)
	}
}

// TestOlderVersions holds that policies of the beta and alpha versions are taken.
func TestOlderVersions(t *testing.T) {
	for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
		text := strings.Replace(fmt.Sprintf(head, "p"), "k8s.io/v1", "k8s.io/"+version, 1) + "  validations: [{expression: 'object.metadata.name != \"web\"', message: no}]\n"
		if got := evaluate(t, parse(t, text), Create(object(t, podText), nil)); len(got) != 1 {
			t.Errorf("%s: %q", version, got)
		}
	}
}

const rules = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec:\n  validations: [{expression: 'false', message: no}]\n  matchConstraints: "

// TestMatching tries what policies are about.
func TestMatching(t *testing.T) {
	const deployments = "{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}"
	prod := object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: prod, labels: {env: prod}}}")
	for _, tt := range []struct {
		match, object string
		want          bool
	}{
		{"{resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}", true},
		{"{resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1beta2, kind: Deployment, metadata: {name: a}}", true},
		{"{resourceRules: [" + deployments + "]}", "{apiVersion: extensions/v1beta1, kind: Deployment, metadata: {name: a}}", true},
		{"{matchPolicy: Exact, resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1beta2, kind: Deployment, metadata: {name: a}}", false},
		{"{resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}}", false},
		{"{resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*']}]}", "{apiVersion: x.example/v1, kind: Policy, metadata: {name: a}}", true},
		{"{resourceRules: [{apiGroups: [x.example], apiVersions: [v1], operations: ['*'], resources: [policies]}]}", "{apiVersion: x.example/v1beta1, kind: Policy, metadata: {name: a}}", true},
		{"{resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: [UPDATE], resources: ['*']}]}", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", false},
		{"{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods/exec]}]}", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", false},
		{"{resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: Cluster}]}", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", false},
		{"{resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: Cluster}]}", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}}", true},
		{"{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods], resourceNames: [a, b]}]}", "{apiVersion: v1, kind: Pod, metadata: {name: b}}", true},
		{"{resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods], resourceNames: [a]}]}", "{apiVersion: v1, kind: Pod, metadata: {name: b}}", false},
		{"{excludeResourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods]}], resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]}", "{apiVersion: v1, kind: Pod, metadata: {name: b}}", false},
		{"{namespaceSelector: {matchLabels: {env: prod}}, resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: prod}}", true},
		{"{namespaceSelector: {matchLabels: {env: prod}}, resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: other}}", false},
		{"{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}, resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: other}}", true},
		{"{objectSelector: {matchExpressions: [{key: skip, operator: DoesNotExist}]}, resourceRules: [" + deployments + "]}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, labels: {skip: ''}}}", false},
		{"{resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]}", "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: a}}", false},
		{"{resourceRules: [{apiGroups: [networking.k8s.io], apiVersions: [v1], operations: ['*'], resources: [ingresses, networkpolicies]}]}", "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}}", true},
	} {
		o := object(t, tt.object)
		var ns *kube.Object
		if o.Namespace == "prod" {
			ns = prod
		}
		got := evaluate(t, parse(t, rules+tt.match+"\n"), Create(o, ns))
		if (len(got) == 1) != tt.want {
			t.Errorf("%s\nof %s: %q, want %v", tt.match, tt.object, got, tt.want)
		}
	}
}

// TestRightsAreUnknown holds that what only a cluster can tell is neither a violation nor none.
func TestRightsAreUnknown(t *testing.T) {
	s := parse(t, fmt.Sprintf(head, "p")+`  validations:
  - expression: "object.metadata.name == 'web' || authorizer.requestResource.check('x').allowed()"
  - expression: "authorizer.group('').resource('pods').check('create').allowed()"
`)
	if diff := cmp.Diff([]string{"p[1] it asks about rights (authorizer), which only a cluster can answer unknown"}, evaluate(t, s, Create(object(t, podText), nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHostilePoliciesEnd holds that no policy costs more than the API server lets it.
func TestHostilePoliciesEnd(t *testing.T) {
	items := strings.TrimSuffix(strings.Repeat("x,", 3000), ",")
	o := object(t, "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a, args: ["+items+"]}]}}")
	doubling := "  variables:\n  - {name: v0, expression: \"'0123456789'\"}\n"
	for i := range 40 {
		doubling += fmt.Sprintf("  - {name: v%d, expression: variables.v%d + variables.v%d}\n", i+1, i, i)
	}
	for name, body := range map[string]string{
		"nested":   "  validations: [{expression: \"object.spec.containers[0].args.all(a, object.spec.containers[0].args.all(b, object.spec.containers[0].args.all(c, a + b + c != 'q')))\"}]\n",
		"doubling": doubling + "  validations: [{expression: variables.v40.size() > 0}]\n",
		"regex":    "  validations: [{expression: \"object.spec.containers[0].args.all(a, object.spec.containers[0].args.all(b, a.matches('(x+x+)+y')))\"}]\n",
	} {
		got := evaluate(t, parse(t, fmt.Sprintf(head, name)+body), Create(o, nil))
		if name == "regex" && len(got) == 1 {
			continue // false at once
		}
		if len(got) != 1 || !strings.Contains(got[0], "cost") {
			t.Errorf("%s: %.200q, want the limit of costs", name, got)
		}
	}
}

// TestBombsEnd holds that an object which its aliases make enormous is neither walked nor
// compared to its end.
func TestBombsEnd(t *testing.T) {
	text := "apiVersion: x.example/v1\nkind: Bomb\nmetadata: {name: a}\nspec:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n  b0: &b0 {x: x, y: y, z: z}\n"
	for i := range 12 {
		list := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", ")
		text += fmt.Sprintf("  a%d: &a%d [%s]\n  b%d: &b%d {x: *b%d, y: *b%d, z: *b%d}\n", i+1, i+1, list, i+1, i+1, i, i, i)
	}
	o, other := object(t, text), object(t, text)
	s := parse(t, rules[:strings.Index(rules, "  validations")]+`  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}
  validations: [{expression: "object.spec.a12.size() == 10"}, {expression: "object.spec == oldObject.spec"}, {expression: "object.spec.b12 == oldObject.spec.b12"}, {expression: "object.spec.x == 1 || object.spec.b12.x.y.z.x.x == 'x'"}]
`)
	r := Create(o, nil)
	r.Old = other
	if got := evaluate(t, s, r); len(got) == 0 {
		t.Errorf("a bomb is of no size: %q", got)
	}
}

// TestExport holds that what is exported is what was written, with bindings, and can be
// loaded again.
func TestExport(t *testing.T) {
	s := parse(t, strings.Replace(fmt.Sprintf(head, "bound"), "k8s.io/v1", "k8s.io/v1beta1", 1)+"  validations:\n  - expression: |\n      object.a == 1 &&\n      object.b == 'x'\n    messageExpression: \"'its'\"\n"+
		"---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: mine}\nspec: {policyName: bound, validationActions: [Warn], matchResources: {namespaceSelector: {matchLabels: {a: b}}}}\n---\n"+
		fmt.Sprintf(head, "free")+"  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: \"params.data.x == 'y'\"}]\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {x: \"1\"}}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: other}}\n")
	for _, tt := range []struct{ actions, mine, free string }{{"", "[Warn]", "[Deny]"}, {"Audit Warn", "[Audit Warn]", "[Audit Warn]"}} {
		var b bytes.Buffer
		if err := s.Export(&b, strings.Fields(tt.actions)...); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "beta") || strings.Contains(b.String(), "Secret") {
			t.Errorf("exported:\n%s", &b)
		}
		again, err := Parse("again.yaml", b.Bytes())
		if err != nil || len(again.Problems) > 0 || len(again.Policies) != 2 || len(again.Params()) != 1 {
			t.Fatalf("%v %v\n%s", err, again, &b)
		}
		bound, free := again.Named("bound").Bindings[0], again.Named("free").Bindings[0]
		if bound.Name != "mine" || fmt.Sprint(bound.Actions) != tt.mine || free.Name != "free" || fmt.Sprint(free.Actions) != tt.free {
			t.Errorf("%s: bindings %+v %+v", tt.actions, bound, free)
		}
		if got, want := again.Named("bound").Object.Root.Get("spec", "validations").Item(0).Get("expression").Text(), "object.a == 1 &&\nobject.b == 'x'\n"; got != want {
			t.Errorf("expression %q, want %q", got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": fmt.Sprintf(head, "a") + "  validations: [{expression: 'true'}]\n", "sub/b.yml": fmt.Sprintf(head, "b") + "  validations: [{expression: 'true'}]\n",
		"a/fail/x.yaml": fmt.Sprintf(head, "case") + "  validations: [{expression: 'true'}]\n", "a.cases.yaml": "# pass: x\n", "note.txt": "x",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(dir)
	if err != nil || len(s.Problems) > 0 || len(s.Policies) != 2 {
		t.Errorf("%v, %+v", err, s)
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Parse("x.yaml", []byte("{apiVersion: v1, kind: Pod}")); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("no policy: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(fmt.Sprintf(head, "p") + "  validations: [{expression: 'object.spec.containers.all(c, c.name != \"\")', messageExpression: \"'a' + object.metadata.name\"}]\n")
	f.Add(fmt.Sprintf(head, "p") + "  variables: [{name: a, expression: '[1, 2].map(x, x * 2)'}]\n  validations: [{expression: variables.a.exists(x, x > 3)}]\n---\nkind: List\napiVersion: v1\nitems: []\n")
	f.Add("apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: {policyName: p, paramRef: {name: x}, validationActions: [Deny, Warn]}\n")
	o := object(f, podText)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("fuzz.yaml", []byte(text))
		if err != nil {
			return
		}
		s.Evaluate(context.Background(), Create(o, nil))
		s.Export(&bytes.Buffer{})
	})
}

// TestOlderVersionsOfObjects holds that a policy about the current version sees objects of an
// older one as the API server converts them, and one about theirs as they are.
func TestOlderVersionsOfObjects(t *testing.T) {
	const text = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: %s}\nspec:\n  matchConstraints: {matchPolicy: %s, resourceRules: [{apiGroups: [%s], apiVersions: ['%s'], operations: [CREATE], resources: [deployments]}]}\n" +
		"  validations: [{expression: \"false\", messageExpression: \"object.apiVersion + ' ' + request.kind.version + ' ' + request.requestKind.group + '/' + request.requestKind.version + ' ' + string(object.?spec.?replicas.orValue(0))\"}]\n"
	o := object(t, "{apiVersion: extensions/v1beta1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a}]}}}}")
	for _, tt := range []struct{ match, group, version, want string }{
		{"Equivalent", "apps", "v1", "p[0] apps/v1 v1 extensions/v1beta1 1"},
		{"Exact", "apps", "v1", ""},
		{"Equivalent", "extensions", "v1beta1", "p[0] extensions/v1beta1 v1beta1 extensions/v1beta1 0"},
		{"Equivalent", "apps, extensions", "*", "p[0] extensions/v1beta1 v1beta1 extensions/v1beta1 0"},
		{"Equivalent", "batch", "v1", ""},
	} {
		r := Create(o, nil)
		if got := strings.Join(evaluate(t, parse(t, fmt.Sprintf(text, "p", tt.match, tt.group, tt.version)), r), "; "); got != tt.want {
			t.Errorf("%s %s %s: %q, want %q", tt.match, tt.group, tt.version, got, tt.want)
		}
		r.Done()
	}
}

// TestMutatingPoliciesAreKept holds that what mutates is told apart, and exported as it is.
func TestMutatingPoliciesAreKept(t *testing.T) {
	s := parse(t, fmt.Sprintf(head, "p")+"  validations: [{expression: 'true'}]\n---\napiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\nmetadata: {name: m}\nspec: {reinvocationPolicy: Never}\n")
	var b bytes.Buffer
	if err := s.Export(&b); err != nil || len(s.Aside) != 1 || !strings.Contains(b.String(), "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\nmetadata:\n  name: m\n") {
		t.Errorf("%v, %d aside:\n%s", err, len(s.Aside), b.String())
	}
}
