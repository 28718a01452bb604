//go:build linux

package apiserver

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
	"bulwark/policy/admission"
	"bulwark/test/apiserver/harness"
)

// kindTests are policies about other kinds than pods, and about changes: name, resource rule,
// and what is written in the spec.
var kindTests = []struct{ name, rule, spec string }{
	{"replicas", "apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]", `validations: [{expression: "object.spec.replicas <= 3", messageExpression: "'replicas: ' + string(object.spec.replicas)", reason: Forbidden}, {expression: "object.spec.strategy.type == 'Recreate'", messageExpression: "object.spec.strategy.rollingUpdate.maxSurge + ' ' + object.spec.template.spec.containers[0].imagePullPolicy"}]`},
	{"older", "apiGroups: [apps], apiVersions: [v1beta1], operations: ['*'], resources: [deployments]", `validations: [{expression: "false"}]`},
	{"all", "apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'], scope: Namespaced", `matchConditions: [{name: ours, expression: "request.namespace == 'shop' && request.resource.resource in ['deployments', 'configmaps', 'services']"}]
  variables: [{name: subject, expression: "object == null ? oldObject : object"}, {name: name, expression: "variables.subject.kind + '/' + variables.subject.metadata.name"}, {name: team, expression: "variables.subject.metadata.?labels.?team"}]
  validations: [{expression: "variables.team.hasValue()", messageExpression: "request.operation + ' ' + variables.name + ' ' + request.kind.group + '/' + request.kind.version + ' in ' + namespaceObject.metadata.labels['kubernetes.io/metadata.name']"}]`},
	{"delete", "apiGroups: ['', apps], apiVersions: [v1], operations: [DELETE], resources: [deployments, configmaps]", `validations: [{expression: "object == null && oldObject.metadata.?labels.?keep.orValue('') != 'true'", message: "it is kept"}, {expression: "request.options.kind == 'DeleteOptions' && request.dryRun", message: options}]`},
	{"update", "apiGroups: [''], apiVersions: [v1], operations: [UPDATE], resources: [configmaps]", `validations: [{expression: "object.data == oldObject.data", messageExpression: "object.data.map(k, k).filter(k, !(k in oldObject.data) || oldObject.data[k] != object.data[k]).sort().join(',')"}, {expression: "has(object.metadata.uid) == has(oldObject.metadata.uid)", message: uid}]`},
	{"excluded", "apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps], resourceNames: [other, another]", `validations: [{expression: "false", message: "others alone"}]`},
	{"scale", "apiGroups: [apps], apiVersions: [v1], operations: ['*'], resources: [deployments/scale]", `validations: [{expression: "false"}]`},
	{"bad-variable", "apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [services]", `variables: [{name: a, expression: "object.spec.nosuch"}, {name: b, expression: "variables.a + 1"}]
  validations: [{expression: "variables.b == 1", message: bad}]`},
	{"messages", "apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [services]", `validations: [{expression: "false", message: "plain", messageExpression: "''"}, {expression: "false && true", messageExpression: "'a\\nb'"}, {expression: "1 > 2", message: "padded", messageExpression: "'  x  '"}, {expression: "2 > 3", message: "long", messageExpression: "object.metadata.name.replace('a', 'bbbbbbbbbbbbbbbb')"}]
  auditAnnotations: [{key: k, valueExpression: "null"}]`},
	{"service", "apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [services]", `validations: [{expression: "object.spec.type == 'NodePort'", messageExpression: "object.spec.type + ' ' + object.spec.ports.map(p, p.protocol + string(p.port)).join('+')"}, {expression: "object.spec.ports.all(i, p, p.targetPort == p.port)", messageExpression: "string(object.spec.ports.exists_one(p, p.port == 80))"}]`},
}

// libraryTests are expressions over the data of one config map, that say what they give.
var libraryTests = []string{
	"string(quantity(d.memory).add(quantity('1Mi')).isGreaterThan(quantity('129Mi')))", "string(quantity(d.memory).asInteger())", "string(quantity(d.cpu).asApproximateFloat())", "string(isQuantity(d.name))", "string(quantity(d.cpu).compareTo(quantity('0.5')))", "string(quantity(d.memory).sub(1).sign())",
	"string(semver(d.version).isLessThan(semver('1.10.0')))", "string(semver(d.version).minor())", "string(isSemver('v1.2', true)) + string(isSemver('v1.2'))", "url(d.url).getHost() + url(d.url).getPort() + url(d.url).getScheme() + url(d.url).getEscapedPath()", "url(d.url).getQuery().map(k, k).sort().join(',')", "string(isURL(d.name))",
	"string(ip(d.ip).family()) + string(ip(d.ip).isLoopback()) + string(ip(d.ip))", "string(cidr(d.cidr).containsIP(d.ip)) + string(cidr(d.cidr).prefixLength()) + string(cidr(d.cidr).masked())", "string(cidr(d.cidr).containsCIDR('10.1.0.0/16'))", "string(ip.isCanonical('::ffff'))", "string(isIP(d.name)) + string(isCIDR(d.cidr))",
	"d.list.split(',').sort().join('-')", "d.list.split(',').distinct().size() == 3 ? 'three' : 'other'", "string(d.list.split(',').indexOf('b')) + string(d.list.split(',').lastIndexOf('a'))", "d.list.split(',').slice(1, 3).join('+')", "d.list.split(',').reverse().join('')", "string([3, 1, 2].max()) + string([3, 1, 2].min()) + string([1, 2].sum()) + string([1, 2].isSorted())",
	"[[1, 2], [3]].flatten().map(i, string(i)).join('')", "lists.range(3).map(i, string(i)).join('')", "d.list.split(',').sortBy(s, s).join('')", "d.list.split(',').first().orValue('none') + d.list.split(',').last().orValue('none')",
	"string(sets.contains(d.list.split(','), ['a'])) + string(sets.intersects(['x'], ['y'])) + string(sets.equivalent(['a', 'b'], ['b', 'a', 'a']))",
	"d.name.upperAscii() + d.name.charAt(0) + d.name.substring(1) + d.name.replace('e', 'a') + d.name.trim()", "'%s is %d, %.2f'.format([d.name, 3, 1.5])", "strings.quote(d.name)", "d.name.find('[a-f]') + d.list.findAll('[ab]').join('')", "string(d.name.lastIndexOf('e'))", "d.name.reverse()",
	"format.dns1123Label().validate('A_b').value().join(' ').size() > 3 ? 'invalid' : 'valid'", "string(format.named('uuid').value().validate('x').hasValue()) + string(!format.datetime().validate('2026-01-01T00:00:00Z').hasValue())", "string(format.qualifiedName().validate('a/b/c').hasValue())",
	"object.?data.?nosuch.orValue('none') + object.data[?'name'].orValue('none')", "object.?data.?name.optMap(n, n + '!').orValue('none')", "optional.ofNonZeroValue('').orValue('empty')", "string(object.?data.?nosuch.or(optional.of('x')).value())",
	"object.data.transformList(k, v, k.startsWith('n'), v).join(',')", "string(object.data.transformMap(k, v, v.size() > 3, v.size()).size())", "string(object.data.exists(k, v, v == 'never')) + string(object.data.all(k, v, k != v)) + string(object.data.existsOne(k, v, v == 'never'))", "{'a': 1}.transformMapEntry(k, v, {string(v): k})['1']",
	"string(timestamp('2026-02-03T04:05:06Z').getMonth()) + string(duration('90m').getHours())", "string(int('7') + 1) + string(double('1.5')) + string(uint(3))", "type(d.name) == string ? 'text' : 'other'", "d.nosuch", "d.name + 1 == 2 ? 'a' : 'b'", "string(d.name.size() > 2 || d.nosuch == 1) + string(d.nosuch == 1 || d.name.size() > 2)", "string(1 / (d.name.size() - 4))",
	"string(b'abc'.size()) + string(bytes('é').size())", "string(1 == 1.0) + string(dyn(1) == dyn('1'))", "string(dyn(d.list) in ['a,b,a,c'])", "[d.name, d.list].map(x, x.size()).map(n, string(n)).join('/')",
}

// libs is the config map that a library's expression is about: a server's answer has room for
// few warnings.
func libs(i int) string { return fmt.Sprintf("libs-%d", i/5) }

const libsData = `{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: shop}, data: {name: Peer, memory: 128Mi, cpu: 500m, version: 1.9.3, url: "https://a.test:8443/x%%20y?b=1&a=2", ip: 10.2.3.4, cidr: 10.0.0.0/8, list: "a,b,a,c"}}`

const kindHead = "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: %[1]s}\nspec:\n  matchConstraints: {resourceRules: [{%[2]s}]}\n  %[3]s\n" +
	"---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: %[1]s}\nspec: {policyName: %[1]s, validationActions: [Warn]}\n"

// kindPolicies gives those of them that can be taken; the server takes or refuses the same.
func kindPolicies() string {
	var b strings.Builder
	for _, p := range kindTests {
		fmt.Fprintf(&b, kindHead, p.name, p.rule, p.spec)
	}
	for i, e := range libraryTests {
		fmt.Fprintf(&b, kindHead, fmt.Sprintf("library-%d", i), "apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps], resourceNames: ["+libs(i)+"]",
			fmt.Sprintf("variables: [{name: data, expression: object.data}, {name: out, expression: %q}]\n  validations: [{expression: \"variables.out == ''\", messageExpression: variables.out}]", strings.ReplaceAll(e, "d.", "variables.data.")))
	}
	return b.String()
}

const kindObjects = `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, labels: {keep: "true"}}, spec: {replicas: 5, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: db, namespace: shop, labels: {team: x}}, spec: {strategy: {type: Recreate}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: other, namespace: shop}, data: {a: x}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: plain, namespace: shop, labels: {team: x, keep: "true"}}, data: {a: "1", b: "2"}}
---
{apiVersion: v1, kind: Service, metadata: {name: aaa, namespace: shop}, spec: {selector: {a: b}, ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: web, protocol: UDP}]}}
`

// TestKindsAgree holds that verdicts and messages about other kinds than pods, about changes and
// deletions, and of functions of all libraries, are those of the server.
func TestKindsAgree(t *testing.T) {
	s := harness.Start(t)
	a := newAsker(t, s)
	install(t, s, documents(t, "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}"))
	var taken strings.Builder
	for _, doc := range strings.Split(kindPolicies(), "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n")[1:] {
		doc = "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n" + doc
		set, err := admission.Parse("policy.yaml", []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		list := documents(t, doc)
		code, answer, err := s.Call(t.Context(), harness.Admin, http.MethodPost, "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", list[0].Root.JSON())
		if err != nil {
			t.Fatal(err)
		}
		if (code >= 300) != (len(set.Problems) > 0) {
			t.Errorf("%s: the server says %d %s; ours %v\n%s", list[0].Name, code, answer, set.Problems, doc)
		}
		if code < 300 && len(set.Problems) == 0 {
			install(t, s, list[1:])
			taken.WriteString(doc)
		}
	}
	set, err := admission.Parse("policies.yaml", []byte(taken.String()))
	if err != nil || len(set.Problems) > 0 {
		t.Fatal(err, set)
	}
	objects := documents(t, kindObjects)
	namespace := admission.Namespace(&kube.Set{Objects: documents(t, "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}")}, "shop")
	say := func(r *admission.Request) (list []string) {
		r.DryRun = true
		decisions, err := set.Evaluate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range decisions {
			list = append(list, d.Policy.Name+": "+short(d.Message))
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	var data []*kube.Object
	for i := 0; i < len(libraryTests); i += 5 {
		data = append(data, objectOf(t, fmt.Sprintf(libsData, libs(i))))
	}
	rounds := 0
	follows(t, func() bool { // the last policies are followed when all are
		o := data[len(data)-1]
		got, _ := a.send(t, http.MethodPost, o, o)
		rounds++
		return cmp.Equal(got, say(admission.Create(o, namespace))) || len(got) > 1 && rounds > 30
	})
	asked := 0
	compare := func(what string, o *kube.Object, want, got []string) {
		t.Helper()
		asked += len(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s (-server +ours):\n%s", what, o.ID(), diff)
		}
	}
	for _, o := range slices.Concat(objects, data) {
		want, _ := a.send(t, http.MethodPost, o, o)
		compare("create", o, want, say(admission.Create(o, namespace)))
	}
	for _, o := range objects {
		install(t, s, []*kube.Object{o})
		stored := objectOf(t, string(s.Must(t, http.MethodGet, placeOf(o), nil)))
		changed := objectOf(t, strings.Replace(string(o.Root.JSON()), `"b":"2"`, `"b":"3","c":"4"`, 1))
		want, answer := a.send(t, http.MethodPut, o, changed)
		r := admission.Create(objectOf(t, answer), namespace)
		r.Operation, r.Old = "UPDATE", stored
		compare("update", o, want, say(r))
		want, _ = a.send(t, http.MethodDelete, o, nil)
		r = admission.Create(stored, namespace)
		r.Operation, r.Object, r.Old = "DELETE", nil, stored
		compare("delete", o, want, say(r))
	}
	var exported bytes.Buffer
	if err := set.Export(&exported); err != nil {
		t.Fatal(err)
	}
	install(t, s, documents(t, exported.String())) // in the place of what was written
	t.Logf("%d messages of %d policies compared", asked, len(set.Policies))
}

func placeOf(o *kube.Object) string {
	path := "/api/v1"
	if o.Group() != "" {
		path = "/apis/" + o.APIVersion
	}
	return path + "/namespaces/" + o.Namespace + "/" + admission.Plural(o.Kind) + "/" + o.Name
}

// send asks for a change without making it, and gives what policies warn of.
func (a *asker) send(t *testing.T, method string, o, body *kube.Object) (list []string, answer string) {
	t.Helper()
	path, data := placeOf(o), []byte{}
	if method == http.MethodPost {
		path = strings.TrimSuffix(path, "/"+o.Name)
	}
	if body != nil {
		data = body.Root.JSON()
	}
	list, code, answer := a.try(t, method, path, data)
	if code >= 300 {
		t.Fatalf("%s %s: %d\n%s", method, path, code, answer)
	}
	return list, answer
}
