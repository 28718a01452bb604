//go:build linux

package apiserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
	"bulwark/policy/admission"
	"bulwark/test/apiserver/harness"
)

// policyTests are policies that use all that ValidatingAdmissionPolicy has: name, what is
// written in its spec beside what it matches, and in its binding.
var policyTests = []struct{ name, match, spec, binding string }{
	{"host-network", "", `validations: [{expression: "!has(object.spec.hostNetwork) || !object.spec.hostNetwork", message: "no host network"}]`, ""},
	{"false-is-absent", "", `validations: [{expression: "!has(object.spec.hostPID)", message: "hostPID is written"}, {expression: "!has(object.spec.hostIPC)"}]`, ""},
	{"privileged", "", `validations: [{expression: "object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || c.securityContext.privileged == false)", messageExpression: "'privileged: ' + object.spec.containers.filter(c, c.?securityContext.?privileged.orValue(false)).map(c, c.name).join(',')"}]`, ""},
	{"variables", "", `variables: [{name: all, expression: "object.spec.containers + object.spec.?initContainers.orValue([])"}, {name: images, expression: "variables.all.map(c, c.image)"}]
  validations: [{expression: "variables.images.all(i, i.startsWith('registry.test/'))", messageExpression: "'images: ' + string(variables.images.size())"}]`, ""},
	{"param-name", "", `paramKind: {apiVersion: v1, kind: ConfigMap}
  validations: [{expression: "object.spec.containers.size() <= int(params.data.most)", messageExpression: "'more than ' + params.data.most"}]`, `paramRef: {name: limits, namespace: default, parameterNotFoundAction: Deny}`},
	{"param-own", "", `paramKind: {apiVersion: v1, kind: ConfigMap}
  validations: [{expression: "object.metadata.labels.app in params.data", message: "not in the list of its namespace"}]`, `paramRef: {name: apps, parameterNotFoundAction: Allow}`},
	{"param-select", "", `paramKind: {apiVersion: v1, kind: ConfigMap}
  validations: [{expression: "!(object.metadata.name.startsWith(params.data.prefix))", messageExpression: "'prefix ' + params.data.prefix"}]`, `paramRef: {selector: {matchLabels: {kind: prefix}}, namespace: default, parameterNotFoundAction: Deny}`},
	{"param-missing", "", `paramKind: {apiVersion: v1, kind: ConfigMap}
  validations: [{expression: "false"}]`, `paramRef: {name: nowhere, namespace: default, parameterNotFoundAction: Allow}`},
	{"param-null", "", `paramKind: {apiVersion: v1, kind: ConfigMap}
  validations: [{expression: "params == null || false"}, {expression: "params != null", message: "no params"}]`, ""},
	{"conditions", "", `matchConditions: [{name: web, expression: "object.metadata.labels.app == 'web'"}, {name: nons, expression: "namespaceObject == null"}, {name: other, expression: "!has(object.spec.nodeSelector)"}]
  validations: [{expression: "object.spec.containers.all(c, has(c.resources.limits))", message: "web without limits"}]`, ""},
	{"condition-fails", "", `failurePolicy: Ignore
  matchConditions: [{name: gone, expression: "object.metadata.annotations.gone == 'x'"}]
  validations: [{expression: "false"}]`, ""},
	{"namespaces", "namespaceSelector: {matchExpressions: [{key: env, operator: In, values: [prod, stage]}]}", `validations: [{expression: "has(object.spec.securityContext.runAsNonRoot)", message: "prod without runAsNonRoot"}]`, ""},
	{"namespace-name", "namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [default]}]}", `validations: [{expression: "namespaceObject.metadata.labels['env'] == 'prod'", messageExpression: "'env of ' + namespaceObject.metadata.name"}]`, ""},
	{"objects", "objectSelector: {matchLabels: {tier: front}}", `validations: [{expression: "object.spec.containers.exists(c, c.name == 'proxy')", message: "front without proxy"}]`, ""},
	{"fails", "", `validations: [{expression: "object.spec.nodeSelector.disk == 'ssd'", message: "no ssd"}]`, ""},
	{"fails-ignored", "", `failurePolicy: Ignore
  validations: [{expression: "object.spec.nodeSelector.disk == 'ssd'", message: "no ssd"}]`, ""},
	{"message-fails", "", `validations: [{expression: "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))", message: "  plain text  ", messageExpression: "object.spec.nosuch.field + 'x'"}]`, ""},
	{"request", "", `validations: [{expression: "request.operation == 'CREATE' && request.kind.kind == 'Pod' && request.resource.resource == 'pods' && request.namespace == object.metadata.namespace && !has(request.subResource) && request.dryRun", message: "odd"},
    {expression: "!(request.name.endsWith('7'))", messageExpression: "'name ' + request.name"}]`, ""},
	{"quantity", "", `validations: [{expression: "object.spec.containers.all(c, !has(c.resources.limits) || !('memory' in c.resources.limits) || quantity(c.resources.limits['memory']).compareTo(quantity('256Mi')) <= 0)", message: "much memory"},
    {expression: "object.spec.containers.all(c, !has(c.resources.limits) || !('cpu' in c.resources.limits) || c.resources.limits['cpu'] == c.resources.requests['cpu'])", message: "cpu is not what is requested"}]`, ""},
	{"canonical", "", `validations: [{expression: "object.spec.containers.all(c, !has(c.resources.limits) || !('cpu' in c.resources.limits) || c.resources.limits['cpu'] in ['1', '500m'])", messageExpression: "'cpu ' + object.spec.containers.filter(c, has(c.resources.limits)).map(c, c.resources.limits.?cpu.orValue('-')).join(' ')"}]`, ""},
	{"regex", "", `validations: [{expression: "object.spec.containers.all(c, c.image.find(':[^:/]+$') != ':latest' && c.image.matches('^[a-z0-9./:@-]+$'))", message: "latest"}]`, ""},
	{"optional", "", `validations: [{expression: "object.spec.?securityContext.?seccompProfile.?type.orValue('') in ['', 'RuntimeDefault']", message: "seccomp"}]`, ""},
	{"two-variables", "", `validations: [{expression: "object.metadata.labels.all(k, v, k != v)", message: "a label that says its name"}, {expression: "object.spec.containers.all(i, c, i == 0 || c.name != 'web')", message: "web is not first"}]`, ""},
	{"sets", "", `validations: [{expression: "object.spec.containers.all(c, sets.contains(['NET_ADMIN', 'CHOWN'], c.?securityContext.?capabilities.?add.orValue([])))", message: "capability"}]`, ""},
	{"format", "", `validations: [{expression: "!format.dns1123Label().validate(object.metadata.labels.app).hasValue()", message: "app is no label"}]`, ""},
	{"excluded", "excludeResourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods], resourceNames: [pod-3, pod-13, pod-23]}]", `validations: [{expression: "int(object.metadata.name.split('-')[1]) % 10 != 3", message: "ends in 3"}]`, ""},
	{"defaults", "", `validations: [{expression: "object.spec.dnsPolicy == 'ClusterFirst' && object.spec.restartPolicy == 'Always'", message: "policies"}, {expression: "object.spec.terminationGracePeriodSeconds == 30", message: "grace"},
    {expression: "object.spec.containers.all(c, c.imagePullPolicy == 'IfNotPresent')", messageExpression: "object.spec.containers.map(c, c.imagePullPolicy).join(' ')"}, {expression: "has(object.spec.securityContext.runAsUser)", message: "no user"}]`, ""},
	{"defaults-more", "", `validations: [{expression: "object.spec.tolerations.size() == 2", messageExpression: "'tolerations ' + string(object.spec.tolerations.size())"}, {expression: "object.spec.enableServiceLinks && object.spec.schedulerName == 'default-scheduler' && object.spec.serviceAccount == object.spec.serviceAccountName", message: "links"},
    {expression: "object.spec.containers.all(c, c.terminationMessagePath == '/dev/termination-log' && c.terminationMessagePolicy == 'File')", message: "messages"}, {expression: "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, p.protocol == 'TCP' && !has(p.hostPort)))", message: "ports"},
    {expression: "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.emptyDir) && (!has(v.configMap) || v.configMap.defaultMode == 420))", message: "volumes"}]`, ""},
	{"probes", "", `validations: [{expression: "object.spec.containers.all(c, !has(c.livenessProbe) || c.livenessProbe.periodSeconds == 10 && c.livenessProbe.httpGet.scheme == 'HTTP' && c.livenessProbe.httpGet.port == 8080)", message: "probe"}]`, ""},
	{"audit-fails", "", `validations: [{expression: "true"}]
  auditAnnotations: [{key: note, valueExpression: "'pod ' + object.metadata.name"}]`, ""},
	{"sizes", "", `validations: [{expression: "size(object.spec.containers) < 3 && size(object.metadata.labels) < 3 && object.spec.containers.map(c, size(c.name)).sum() < 12", messageExpression: "string(size(object.metadata.labels)) + ' labels'"}]`, ""},
	{"addresses", "", `validations: [{expression: "!has(object.spec.hostAliases) || object.spec.hostAliases.all(a, isIP(a.ip) && cidr('10.0.0.0/8').containsIP(a.ip))", message: "alias"}]`, ""},
	{"status", "", `validations: [{expression: "has(object.status) && object.status.phase == 'Pending' && object.apiVersion == 'v1' && object.kind == 'Pod'", message: "status"}, {expression: "!has(object.metadata.annotations)", message: "annotations"}, {expression: "oldObject == null", message: "old"}]`, ""},
}

// policiesOf gives the policies and bindings as YAML.
func policiesOf(actions string) string {
	var b strings.Builder
	for _, p := range policyTests {
		fmt.Fprintf(&b, "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: %s}\nspec:\n  matchConstraints:\n    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}]\n", p.name)
		if p.match != "" {
			fmt.Fprintf(&b, "    %s\n", p.match)
		}
		fmt.Fprintf(&b, "  %s\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: %s}\nspec:\n  policyName: %[2]s\n  validationActions: [%s]\n", p.spec, p.name, actions)
		if p.binding != "" {
			fmt.Fprintf(&b, "  %s\n", p.binding)
		}
	}
	return b.String()
}

const policyWorld = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: lab, labels: {env: test}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: bare}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: limits, namespace: default}, data: {most: "2"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: apps, namespace: shop}, data: {web: "", db: ""}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: default, labels: {kind: prefix}}, data: {prefix: pod-1}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: default, labels: {kind: prefix}}, data: {prefix: pod-12}}
`

// generated makes a pod that may be created, of all that the policies ask about.
func generated(r *rand.Rand, n int) string {
	some := func(p float64) bool { return r.Float64() < p }
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod-%d\n  namespace: %s\n  labels: {app: %s", n, one("default", "shop", "lab", "bare"), one("web", "db", "Web.1", "cache"))
	if some(0.3) {
		b.WriteString(", tier: front")
	}
	if some(0.2) {
		b.WriteString(", same: same")
	}
	b.WriteString("}\n")
	if some(0.2) {
		b.WriteString("  annotations: " + one("{}", "{a: b}") + "\n")
	}
	b.WriteString("spec:\n  serviceAccountName: default\n  automountServiceAccountToken: false\n")
	for _, f := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		if some(0.3) {
			fmt.Fprintf(&b, "  %s: %s\n", f, one("true", "false"))
		}
	}
	if some(0.2) {
		b.WriteString("  dnsPolicy: Default\n")
	}
	if some(0.2) {
		b.WriteString("  restartPolicy: Never\n")
	}
	if some(0.2) {
		b.WriteString("  terminationGracePeriodSeconds: " + one("0", "30", "60") + "\n")
	}
	if some(0.3) {
		b.WriteString("  nodeSelector: " + one("{}", "{disk: ssd}", "{disk: hdd}", "{zone: a}") + "\n")
	}
	if some(0.3) {
		b.WriteString("  tolerations: " + one("[]", "[{key: a, operator: Exists}]", "[{operator: Exists}]", "[{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}]", "[{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoSchedule}]") + "\n")
	}
	if some(0.4) {
		b.WriteString("  securityContext: " + one("{}", "{runAsNonRoot: true}", "{runAsUser: 1000}", "{seccompProfile: {type: RuntimeDefault}}", "{seccompProfile: {type: Unconfined}, runAsNonRoot: false}") + "\n")
	}
	if some(0.2) {
		b.WriteString("  hostAliases: " + one("[]", "[{ip: 10.1.2.3, hostnames: [a.test]}]", "[{ip: 192.168.0.1, hostnames: [b.test]}]", "[{ip: '::1', hostnames: [c.test]}]") + "\n")
	}
	if some(0.4) {
		b.WriteString("  volumes: " + one("[]", "[{name: a}]", "[{name: a, emptyDir: {}}]", "[{name: a, hostPath: {path: /tmp}}]", "[{name: a, configMap: {name: x}}, {name: b, secret: {secretName: s}}]", "[{name: a, configMap: {name: x, defaultMode: 256}}]") + "\n")
	}
	if some(0.3) {
		b.WriteString("  initContainers:\n  - {name: init, image: " + one("registry.test/init:1", "busybox", "other.test/init@sha256:"+strings.Repeat("0a", 32)) + "}\n")
	}
	b.WriteString("  containers:\n")
	for i, name := range []string{one("web", "main"), "proxy", "web"}[:1+r.IntN(3)] {
		if i == 2 && strings.Contains(b.String(), "name: web\n") {
			break
		}
		fmt.Fprintf(&b, "  - name: %s\n    image: %s\n", name, one("registry.test/web:1.2", "registry.test/web:latest", "nginx", "registry.test:5000/web", "other.test/x:v1"))
		if some(0.2) {
			b.WriteString("    imagePullPolicy: " + one("Always", "IfNotPresent", "Never") + "\n")
		}
		if some(0.5) {
			b.WriteString("    resources: " + one("{}", "{limits: {}}", "{limits: {memory: 128Mi}}", "{limits: {cpu: '1', memory: 1Gi}}", "{limits: {cpu: 1000m}, requests: {cpu: 500m}}", "{limits: {cpu: 0.5, memory: 268435456}}", "{limits: {cpu: '2.5', memory: 0.25Gi}, requests: {memory: 1Mi}}", "{requests: {cpu: 100m}}") + "\n")
		}
		if some(0.5) {
			b.WriteString("    securityContext: " + one("{}", "{privileged: true}", "{privileged: false}", "{capabilities: {}}", "{capabilities: {add: [NET_ADMIN]}}", "{capabilities: {add: [SYS_ADMIN, CHOWN]}}", "{capabilities: {drop: [ALL], add: []}}") + "\n")
		}
		if some(0.3) {
			fmt.Fprintf(&b, "    ports: [{containerPort: %d%s}]\n", 8080+i, one("", ", protocol: TCP", ", protocol: UDP"))
		}
		if some(0.2) {
			b.WriteString("    livenessProbe: " + one("{httpGet: {port: 8080}}", "{httpGet: {port: web}, periodSeconds: 10}", "{httpGet: {port: 8080, scheme: HTTPS}}", "{httpGet: {port: 8080}, periodSeconds: 5}") + "\n")
		}
	}
	return b.String()
}

func objectOf(t testing.TB, text string) *kube.Object {
	t.Helper()
	docs := kube.ParseYAML([]byte(text))
	if len(docs) != 1 || docs[0].Err != nil {
		t.Fatalf("%v\n%s", docs, text)
	}
	o, ok := kube.NewObject(docs[0].Root, kube.Origin{File: "pod.yaml"})
	if !ok {
		t.Fatalf("no object:\n%s", text)
	}
	return o
}

// asker sends pods to the server, and gives what policies warn of.
type asker struct {
	*harness.Server
	client *http.Client
}

func newAsker(t *testing.T, s *harness.Server) *asker {
	ca, err := os.ReadFile(s.CA())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &asker{s, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}
}

var warned = regexp.MustCompile(`Validation failed for ValidatingAdmissionPolicy '([^']+)' with binding '[^']+': (.*)"$`)

// ask creates a pod without keeping it.
func (a *asker) ask(t *testing.T, o *kube.Object) (list []string, code int, body string) {
	t.Helper()
	return a.try(t, http.MethodPost, "/api/v1/namespaces/"+o.Namespace+"/pods", o.Root.JSON())
}

// try makes a request of which nothing is kept, and gives what policies warn of.
func (a *asker) try(t *testing.T, method, path string, data []byte) (list []string, code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.URL+path+"?dryRun=All", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+harness.Admin)
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return warnings(res), res.StatusCode, string(answer)
}

// warnings are what policies warn of.
func warnings(res *http.Response) (list []string) {
	for _, w := range res.Header.Values("Warning") {
		if m := warned.FindStringSubmatch(w); m != nil {
			list = append(list, m[1]+": "+short(strings.ReplaceAll(m[2], `\"`, `"`)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// short leaves of a message what both sides word alike.
func short(s string) string {
	if i := strings.Index(s, " resulted in error: "); i >= 0 {
		s = s[:i]
	}
	return s[:min(len(s), 120)]
}

// ours is what Bulwark says of a pod, as ask does.
func ours(t *testing.T, set *admission.Set, world *kube.Set, o *kube.Object) (list []string, denied bool) {
	t.Helper()
	r := admission.Create(o, admission.Namespace(world, o.Namespace))
	r.DryRun, r.Params = true, world
	decisions, err := set.Evaluate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		list = append(list, d.Policy.Name+": "+short(d.Message))
		denied = denied || d.Denied
	}
	slices.Sort(list)
	return slices.Compact(list), denied
}

func worldOf(t testing.TB) *kube.Set {
	set := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(policyWorld)) {
		o, ok := kube.NewObject(d.Root, kube.Origin{})
		if !ok {
			t.Fatalf("line %d is no object", d.Line)
		}
		set.Objects = append(set.Objects, o)
	}
	return set
}

// install creates the objects, or replaces those that are there.
func install(t *testing.T, s *harness.Server, objects []*kube.Object) {
	t.Helper()
	for _, o := range objects {
		path := "/api/v1/"
		if g := o.Group(); g != "" {
			path = "/apis/" + o.APIVersion + "/"
		}
		if o.Namespace != "" {
			path += "namespaces/" + o.Namespace + "/"
		}
		path += admission.Plural(o.Kind)
		code, answer, err := s.Call(t.Context(), harness.Admin, http.MethodPost, path, o.Root.JSON())
		if code == http.StatusConflict {
			code, answer, err = s.Call(t.Context(), harness.Admin, http.MethodPatch, path+"/"+o.Name, o.Root.JSON())
		}
		if err != nil || code >= 300 {
			t.Fatalf("%s: %d %v\n%s", o.ID(), code, err, answer)
		}
	}
}

func documents(t *testing.T, text string) []*kube.Object {
	t.Helper()
	var list []*kube.Object
	for _, d := range kube.ParseYAML([]byte(text)) {
		o, ok := kube.NewObject(d.Root, kube.Origin{})
		if d.Err != nil || !ok {
			t.Fatalf("line %d: %v", d.Line, d.Err)
		}
		list = append(list, o)
	}
	return list
}

const podsAsked = 600

// TestPoliciesAgree holds that what our evaluation says of generated pods is what the API
// server says, policy by policy and message by message.
func TestPoliciesAgree(t *testing.T) {
	s := harness.Start(t)
	a, world := newAsker(t, s), worldOf(t)
	install(t, s, world.Objects)
	warns := policiesOf("Warn")
	install(t, s, documents(t, warns))
	set, err := admission.Parse("policies.yaml", []byte(warns))
	if err != nil || len(set.Problems) > 0 || len(set.Policies) != len(policyTests) {
		t.Fatal(err, set)
	}
	settle(t, a, set, world)
	r := rand.New(rand.NewPCG(4, 2))
	asked, wrong, found := 0, 0, map[string]int{}
	for n := 0; asked < podsAsked && n < 2*podsAsked; n++ {
		text := generated(r, n)
		o := objectOf(t, text)
		want, code, body := a.ask(t, o)
		if code == http.StatusUnprocessableEntity && !strings.Contains(body, "ValidatingAdmissionPolicy") {
			t.Logf("pod %d is no valid pod: %.300s", n, body)
			continue
		}
		asked++
		got, _ := ours(t, set, world, o)
		if !cmp.Equal(want, got) { // the server takes policies up one after another: let it
			want = lastWord(t, a, o, got)
		}
		for _, w := range want {
			found[strings.SplitN(w, ":", 2)[0]]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			if wrong++; wrong <= 5 {
				t.Errorf("pod %d (-server +ours):\n%s\n%s", n, diff, text)
			}
		}
	}
	t.Logf("%d pods asked about %d policies, %d verdicts differ; violations by policy: %v", asked, len(policyTests), wrong, found)
	if asked < 500 {
		t.Errorf("only %d pods could be asked about", asked)
	}
}

// BenchmarkPolicies reports what one expression about one pod takes, of the policies and pods
// that the server is asked about; no server is needed. Everything that is done
// for verdicts is in it.
func BenchmarkPolicies(b *testing.B) {
	set, err := admission.Parse("policies.yaml", []byte(policiesOf("Warn")))
	if err != nil || len(set.Problems) > 0 {
		b.Fatal(err, set)
	}
	world := worldOf(b)
	r := rand.New(rand.NewPCG(4, 2))
	var pods []*kube.Object
	for n := range 200 {
		pods = append(pods, objectOf(b, generated(r, n)))
	}
	namespaces := map[string]*kube.Object{}
	for _, o := range pods {
		namespaces[o.Namespace] = admission.Namespace(world, o.Namespace)
	}
	expressions := 0
	for b.Loop() {
		for _, o := range pods {
			r := admission.Create(o, namespaces[o.Namespace])
			r.Params = world
			if _, err := set.Evaluate(b.Context(), r); err != nil {
				b.Fatal(err)
			}
			expressions += r.Evaluated
			r.Done()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(expressions), "ns/expression")
}

// settle waits until the server follows all policies.
func settle(t *testing.T, a *asker, set *admission.Set, world *kube.Set) {
	t.Helper()
	o := objectOf(t, generated(rand.New(rand.NewPCG(1, 1)), 127))
	want, _ := ours(t, set, world, o)
	lastWord(t, a, o, want)
}

// lastWord asks the server until it says what is wanted, or the same for five seconds, which
// is for the test to judge.
func lastWord(t *testing.T, a *asker, o *kube.Object, want []string) (got []string) {
	t.Helper()
	quiet, last := 0, ""
	follows(t, func() bool {
		got, _, _ = a.ask(t, o)
		now := strings.Join(got, "\n")
		if quiet++; now != last || len(got) == 0 {
			quiet, last = 0, now
		}
		return cmp.Equal(want, got) || quiet > 15
	})
	return got
}

// follows waits until the server does.
func follows(t *testing.T, does func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !does() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the server does not follow the policies")
		}
	}
}

// TestExamplesAreTaken holds that a cluster takes the ready policies as they are exported.
func TestExamplesAreTaken(t *testing.T) {
	set, err := admission.Load("../../policy/examples")
	if err != nil || len(set.Problems) > 0 || len(set.Policies) < 10 {
		t.Fatal(err, set)
	}
	s := harness.Start(t)
	for _, actions := range [][]string{nil, {"Audit", "Warn"}} {
		var b bytes.Buffer
		if err := set.Export(&b, actions...); err != nil {
			t.Fatal(err)
		}
		install(t, s, documents(t, b.String()))
	}
	var list struct {
		Items []struct {
			Status struct {
				TypeChecking struct{ ExpressionWarnings []any }
			}
		}
	}
	if err := json.Unmarshal(s.Must(t, http.MethodGet, "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", nil), &list); err != nil || len(list.Items) != len(set.Policies) {
		t.Errorf("%d bindings of %d policies are there: %v", len(list.Items), len(set.Policies), err)
	}
}

// TestPoliciesDeny holds the same for what is refused.
func TestPoliciesDeny(t *testing.T) {
	s := harness.Start(t)
	a, world := newAsker(t, s), worldOf(t)
	install(t, s, world.Objects)
	var text strings.Builder
	for _, doc := range strings.Split(policiesOf("Deny"), "---\n") {
		for _, name := range []string{"host-network", "privileged", "quantity", "namespaces", "fails-ignored", "param-name"} {
			if strings.Contains(doc, "name: "+name+"}") {
				text.WriteString("---\n" + doc)
			}
		}
	}
	install(t, s, documents(t, text.String()))
	set, err := admission.Parse("policies.yaml", []byte(text.String()))
	if err != nil || len(set.Problems) > 0 {
		t.Fatal(err, set)
	}
	bad := objectOf(t, strings.Replace(generated(rand.New(rand.NewPCG(1, 1)), 1), "spec:\n", "spec:\n  hostNetwork: true\n", 1))
	follows(t, func() bool {
		_, code, _ := a.ask(t, bad)
		return code == http.StatusUnprocessableEntity || code == http.StatusForbidden
	})
	r := rand.New(rand.NewPCG(7, 7))
	refused := 0
	for n := range 150 {
		o := objectOf(t, generated(r, n))
		_, code, body := a.ask(t, o)
		byPolicy := strings.Contains(body, "denied request")
		if code >= 300 && !byPolicy {
			continue
		}
		list, denied := ours(t, set, world, o)
		if byPolicy {
			refused++
		}
		var status struct{ Message string }
		if json.Unmarshal([]byte(body), &status) != nil || denied != byPolicy {
			t.Errorf("pod %d: refused %v, ours %v %q\n%s", n, byPolicy, denied, list, status.Message)
		}
	}
	t.Logf("%d of 150 pods refused", refused)
}
